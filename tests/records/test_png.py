"""PNG: what is written is read back, by Pillow too; anything else is refused, never fatal."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from quickdraw.records import png


@st.composite
def images(draw, largest: int = 40) -> np.ndarray:
    """uint8 `[height, width]` or `[height, width, 3]`: noise, lines, or one colour."""
    shape = (draw(st.integers(1, largest)), draw(st.integers(1, largest)))
    shape += draw(st.sampled_from([(), (3,)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    low, high = sorted(draw(st.tuples(st.integers(0, 255), st.integers(0, 255))))
    return rng.integers(low, high + 1, shape, np.uint8)


def channels_of(image: np.ndarray) -> int:
    return 3 if image.ndim == 3 else 1


def decode(data: bytes, image: np.ndarray) -> np.ndarray:
    """The pixels of a PNG that has the shape of `image`."""
    height, width, channels = *image.shape[:2], channels_of(image)
    rows = np.frombuffer(png.inflate(data, height, width, channels), np.uint8)
    return png.unfilter(rows.reshape(1, height, -1), channels).reshape(image.shape)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def make_png(
    rows: bytes, height: int, width: int, colour: int = 0, depth: int = 8, **rest
) -> bytes:
    """A PNG from filtered rows, whatever the header says."""
    methods = [rest.get(name, 0) for name in ("compression", "filter", "interlace")]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, *methods)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def paeth(left: int, up: int, corner: int) -> int:
    """Section 9.4, word for word."""
    estimate = left + up - corner
    to_left, to_up, to_corner = (abs(estimate - one) for one in (left, up, corner))
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner


def filtered(image: np.ndarray, kinds: list[int]) -> bytes:
    """The rows of an image, row y with filter type `kinds[y]`, byte by byte."""
    channels = channels_of(image)
    rows = image.reshape(len(image), -1).tolist()
    out = bytearray()
    above = [0] * len(rows[0])
    for row, kind in zip(rows, kinds, strict=True):
        out.append(kind)
        for x, value in enumerate(row):
            left, corner = (row[x - channels], above[x - channels]) if x >= channels else (0, 0)
            up = above[x]
            predicted = (0, left, up, (left + up) // 2, paeth(left, up, corner))[kind]
            out.append((value - predicted) % 256)
        above = row
    return bytes(out)


@given(images())
def test_what_is_encoded_is_decoded(image):
    data = png.encode(image)
    assert png.size(data) == (*image.shape[:2], channels_of(image))
    assert np.array_equal(decode(data, image), image)


@given(images())
def test_pillow_reads_what_is_encoded(image):
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png.encode(image)))), image)


@given(images(), st.booleans(), st.integers(0, 9))
def test_what_pillow_writes_is_decoded(image, optimize, level):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", optimize=optimize, compress_level=level)
    assert np.array_equal(decode(file.getvalue(), image), image)


@given(images(12), st.data())
def test_every_mixture_of_row_filters_is_undone(image, data):
    kinds = data.draw(st.lists(st.integers(0, 4), min_size=len(image), max_size=len(image)))
    made = make_png(filtered(image, kinds), *image.shape[:2], 2 if image.ndim == 3 else 0)
    assert np.array_equal(decode(made, image), image)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_a_batch_do_not_share_their_filters(channels):
    rng = np.random.default_rng(0)
    shape = (50, 9, 7) if channels == 1 else (50, 9, 7, channels)
    batch = rng.integers(0, 256, shape, np.uint8)
    rows = b"".join(filtered(image, rng.integers(0, 5, 9).tolist()) for image in batch)
    undone = png.unfilter(np.frombuffer(rows, np.uint8).reshape(50, 9, -1), channels)
    assert np.array_equal(undone.reshape(shape), batch)


def test_the_same_image_gives_the_same_bytes():
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    assert png.encode(image) == png.encode(np.asfortranarray(image))


def test_pixels_in_several_idat_chunks_and_unknown_chunks_are_read():
    image = np.arange(48, dtype=np.uint8).reshape(6, 8)
    packed = zlib.compress(filtered(image, [0] * 6))
    header = png.encode(image)[:33]
    parts = [chunk(b"IDAT", packed[at : at + 5]) for at in range(0, len(packed), 5)]
    data = header + chunk(b"tEXt", b"a\0b") + b"".join(parts) + chunk(b"IEND", b"")
    assert np.array_equal(decode(data, image), image)


def pillow_png(mode: str, **options) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (28, 28)).save(file, "PNG", **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "received"),
    [
        (pillow_png("I;16"), "16-bit greyscale"),
        (pillow_png("P"), "palette"),
        (pillow_png("1"), "1-bit greyscale"),
        (pillow_png("RGBA"), "RGBA"),
        (pillow_png("LA"), "greyscale with alpha"),
        (make_png(bytes(28 * 29), 28, 28, interlace=1), "interlaced"),
        (pillow_png("RGB"), "28x28 RGB"),
        (pillow_png("L").replace(b"\0\0\0\x1c", b"\0\0\0\x1b", 1), "28x27 greyscale"),
        (b"\xff\xd8\xff\xe0 and so on, as a JPEG begins", "starting with"),
        (b"", "0 bytes"),
    ],
)
def test_another_kind_of_image_is_named(data, received):
    with pytest.raises(png.PngError, match=received):
        png.inflate(data, 28, 28, 1)


@pytest.mark.parametrize("method", ["compression", "filter"])
def test_an_unknown_method_is_not_reported_as_another_shape(method):
    data = make_png(bytes(28 * 29), 28, 28, **{method: 1})
    with pytest.raises(png.PngError) as caught:
        png.inflate(data, 28, 28, 1)
    assert "expected a PNG of 28x28 greyscale. Received: 28x28 greyscale" not in str(caught.value)


@pytest.mark.parametrize(("height", "width"), [(0, 0), (0, 5), (5, 0)])
def test_an_image_without_pixels_is_refused(height, width):
    with pytest.raises(png.PngError):
        png.size(make_png(bytes(height), height, width))


def test_too_few_pixels_too_many_and_a_filter_that_does_not_exist():
    for rows in (bytes(29 * 28 - 1), bytes(29 * 28 + 1), bytes(10**6)):
        with pytest.raises(png.PngError, match="812 bytes of pixels expected"):
            png.inflate(make_png(rows, 28, 28), 28, 28, 1)
    with pytest.raises(png.PngError, match="filter"):
        png.inflate(make_png(b"\5" + bytes(29 * 28 - 1), 28, 28), 28, 28, 1)


def test_a_png_cut_off_anywhere_is_refused_or_has_all_its_pixels():
    image = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    whole = png.encode(image)
    for length in range(len(whole)):
        try:
            assert np.array_equal(decode(whole[:length], image), image)
            assert length > len(whole) - 24  # only checksums and the IEND chunk may be missing
        except png.PngError:
            pass


@pytest.mark.parametrize(
    "claimed", [(28, 28), (30_000, 30_000)], ids=["in the pixels", "in the header"]
)
def test_a_decompression_bomb_is_refused_without_inflating_it(claimed):
    bomb = make_png(bytes(20_000_000), *claimed)
    tracemalloc.start()
    with pytest.raises(png.PngError):
        png.inflate(bomb, 28, 28, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def refuse_or_decode(data: bytes) -> None:
    """Anything but a PngError, or rows of another length, is a failure."""
    try:
        height, width, channels = png.size(data)
    except png.PngError:
        height, width, channels = 8, 6, 1
    if height * width > 10_000:
        height, width = 8, 6
    try:
        rows = png.inflate(data, height, width, channels)
    except png.PngError:
        return
    png.unfilter(np.frombuffer(rows, np.uint8).reshape(1, height, -1), channels)


VALID = png.encode(np.random.default_rng(0).integers(0, 256, (8, 6), np.uint8))


@given(st.binary(max_size=200), st.sampled_from([0, 8, 16, 33, 41]))
def test_random_bytes_raise_nothing_but_png_errors(data, kept):
    refuse_or_decode(VALID[:kept] + data)


@given(
    st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=4),
    st.integers(0, len(VALID)),
)
def test_changed_and_cut_bytes_raise_nothing_but_png_errors(changes, length):
    data = bytearray(VALID)
    for position, value in changes:
        data[position] = value
    refuse_or_decode(bytes(data))
    refuse_or_decode(bytes(data[:length]))
