"""Pictures of every mode, kind and orientation; transparent paper; and too many pixels."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picturing import bomb, doodle, on_glass, saved, turned
from PIL import Image, ImageOps

from quickdraw.drawings import greyscale
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.drawings.greyscale import decode, grey, on_black
from quickdraw.drawings.polarity import Polarity

DARK, LIGHT = Polarity(dark=True), Polarity(dark=False)
F = np.add.outer(np.arange(20), 2 * np.arange(12)).astype(np.uint8)  # no way round is like another


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I"])
def test_modes(mode):
    drawn = doodle(mode="L" if mode.startswith("I") else mode)
    if mode.startswith("I"):
        wide = np.asarray(drawn).astype(np.uint16 if mode == "I;16" else np.int32) * 257
        drawn = Image.fromarray(wide)
    assert drawn.mode == mode
    kind = "TIFF" if mode in ("CMYK", "I") else "PNG"
    pixels = decode(saved(drawn, kind)).pixels
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.asarray(doodle()))
    np.testing.assert_array_equal(grey(drawn).pixels, pixels)


def test_eight_bits_that_are_stored_as_sixteen():
    drawn = Image.fromarray(np.asarray(doodle(0, 200)).astype(np.uint16))
    assert decode(saved(drawn)).pixels.max() == 200


@pytest.mark.parametrize("values", [np.float32([[0.5]]), np.int32([[70000]]), np.int32([[-1]])])
def test_numbers_that_are_no_grey_are_skipped(values):
    with pytest.raises(SkippedDrawing, match="with a fraction|more than 16 bits"):
        decode(saved(Image.fromarray(values), "TIFF"))


KINDS = ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000"]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind):
    pixels = decode(saved(doodle(mode="L"), kind)).pixels.astype(int)
    assert pixels.shape == (40, 40)
    assert np.abs(pixels - np.asarray(doodle())).mean() < 5


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_of_several_frames_the_last_is_taken_where_the_first_is_blank(kind, mode):
    blank = Image.new(mode, doodle().size, "white")
    half, drawn = doodle(mode=mode).copy(), doodle(mode=mode)
    half.paste(blank.crop((0, 0, 9, 9)), (0, 0))
    data = saved(blank, kind, save_all=True, append_images=[half, drawn], lossless=True)
    found = decode(data)
    np.testing.assert_array_equal(found.pixels, np.asarray(doodle()))
    assert found.adjusted == (greyscale.LAST_FRAME,)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_of_several_frames_the_first_is_taken_and_that_is_told(kind):
    first, second = Image.fromarray(10 * F), Image.fromarray(10 * F[::-1])
    options = {"lossless": True} if kind == "WEBP" else {}
    found = decode(saved(first, kind, save_all=True, append_images=[second], **options))
    assert found.adjusted == (greyscale.FIRST_FRAME,)
    assert decode(saved(first, kind, **options)).adjusted == ()
    np.testing.assert_allclose(found.pixels, 10 * F, atol=2)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_is_obeyed(kind, orientation):
    """What a camera stored is shown as a viewer shows it."""
    quality = {"quality": 100} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    mode = "RGB" if kind == "WEBP" else "L"
    stored = Image.fromarray(10 * F).convert(mode)
    data = saved(stored, kind, exif=turned(orientation), **quality)
    found = decode(data)
    upright = stored.copy()
    upright.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(upright).convert("L")).astype(int)
    assert found.pixels.shape == upright.shape
    assert np.abs(found.pixels - upright).max() < 4
    if kind != "TIFF":  # Pillow turns these itself
        assert found.adjusted == ((greyscale.UPRIGHT,) if orientation > 1 else ())


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b""])
def test_damaged_exif_turns_nothing(exif):
    assert decode(saved(doodle(), "JPEG", exif=exif)).pixels.shape == (40, 40)


@pytest.mark.parametrize("ink", [0, 76, 220, 255])
@pytest.mark.parametrize("polarity", [DARK, LIGHT, Polarity(told=False)])
def test_on_transparent_paper_ink_is_what_is_opaque(ink, polarity):
    image, _ = on_black(decode(saved(on_glass((ink, ink, ink, 255)))), polarity)
    expected = ink if ink > 192 else 255 - ink
    assert (image[0, 0], image.max()) == (0, expected)
    assert (image == expected).sum() == (np.asarray(on_glass((0, 0, 0, 255)))[..., 3] > 0).sum()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_fewer_bits_stored_as_sixteen(bits):
    drawn = np.asarray(doodle(0, 255)).astype(int)
    wide = Image.fromarray((drawn * ((1 << bits) - 1) // 255).astype(np.uint16))
    np.testing.assert_array_equal(grey(wide).pixels, drawn)


@pytest.mark.parametrize("mode", ["LA", "P"])
def test_chalk_in_other_modes(mode):
    if mode == "LA":
        data = saved(on_glass((255, 255, 255, 255)).convert("LA"))
    else:
        palette = Image.fromarray((np.asarray(doodle(0, 255)) // 255).astype(np.uint8), "L")
        palette.putpalette([255, 255, 255] * 2)
        data = saved(palette, transparency=0)
        assert data[25] == 3  # a PNG with a palette
    image, _ = on_black(decode(data), Polarity(told=False))
    np.testing.assert_array_equal(image, np.asarray(doodle(0, 255)))


def test_a_sticker_filled_with_white_is_drawn_by_its_outline():
    sticker = on_glass((0, 0, 0, 255))
    np_sticker = np.array(sticker)
    np_sticker[16:24, 16:24] = 255
    image, _ = on_black(grey(Image.fromarray(np_sticker)), Polarity(told=False))
    assert image[20, 20] == 0 and image[0, 0] == 0 and image.max() == 255


def test_transparent_corners_of_opaque_paper_are_paper():
    drawn = np.array(doodle(mode="RGBA"))
    drawn[:3, :3] = 0
    image, adjusted = on_black(grey(Image.fromarray(drawn)), Polarity(told=False))
    assert (image[0, 0], image[39, 39], image.max()) == (0, 0, 255)
    assert adjusted == (greyscale.INVERTED,)


def test_nothing_on_transparent_paper_is_blank():
    image, _ = on_black(grey(Image.new("RGBA", (30, 30))), Polarity(told=False))
    assert not image.any()


def test_oblong_pictures_are_filled_up():
    image, _ = on_black(decode(saved(doodle(size=(60, 40)))), DARK)
    assert image.shape == (60, 60)
    assert not image[:10].any() and not image[50:].any() and image.max() == 255


@pytest.mark.parametrize("shape", [(1, 784), (784, 1)])
def test_pixels_in_a_row_are_made_square(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    found = decode(saved(Image.fromarray(pixels.reshape(shape))))
    np.testing.assert_array_equal(found.pixels, pixels)
    assert found.adjusted == (greyscale.UNROLLED,)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bomb(6000, 6000), "more than 25 million pixels"),
        (bomb(60000, 60000), "more than 25 million pixels"),
        (bomb(120_000, 1), "more than 10,000 pixels a side"),
        (bomb(1, 25_000_000), "more than 10,000 pixels a side"),
        (bomb(11_000, 2000), "more than 10,000 pixels a side"),
        (saved(Image.new("L", (785, 1))), "a picture one pixel wide. Received: 785 x 1"),
        (saved(Image.new("L", (1, 9))), "a picture one pixel wide. Received: 1 x 9"),
        (bomb(400, 400), "not a picture that can be read"),
        (saved(doodle())[:100], "not a picture that can be read"),
        (saved(doodle(), "GIF")[:30], "not a picture that can be read"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "not a picture that can be read"),
        (b"<svg/>", r"6 bytes that begin with b'<svg/>'"),
        (b"", "not a picture that can be read"),
    ],
)
def test_bad_pictures_are_skipped(data, reason):
    tracemalloc.start()
    try:
        with pytest.raises(SkippedDrawing, match=reason) as caught:
            decode(data)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value) and "0x" not in str(caught.value)


@given(st.binary(max_size=200), st.sampled_from(KINDS), st.integers(0, 60))
def test_any_bytes_are_a_picture_or_skipped(data, kind, kept):
    start = saved(doodle(size=(9, 9)), kind)[:kept]
    try:
        assert decode(start + data).pixels.dtype == np.uint8
    except SkippedDrawing:
        return
