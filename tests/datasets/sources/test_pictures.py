"""Folders of pictures: any size, any polarity, and pictures that are not what they seem."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from quickdraw.datasets.sources import open_source
from quickdraw.datasets.sources.pictures import decode
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.errors import QuickdrawError


def doodle(paper=255, ink=0, size=(40, 40), mode="L"):
    image = Image.new("L", size, paper)
    ImageDraw.Draw(image).ellipse((8, 8, 30, 30), outline=ink, width=3)
    return image.convert(mode)


def saved(image, kind="PNG"):
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def folder(path, pictures):
    for name, image in pictures.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(image if isinstance(image, bytes) else saved(image))
    return path


def opened(path, **options):
    return open_source(str(path), "", **options).files


def image_of(file, number=0):
    with file.opened() as read:
        return file.parse(number, read(number, 1 << 20)).image


@pytest.mark.parametrize("paper", [0, 255])
def test_polarity_is_seen_and_said(tmp_path, capsys, paper):
    drawn = doodle(paper, 255 - paper)
    folder(tmp_path, {"cat/1.png": drawn, "cat/2.jpg": saved(drawn, "JPEG"), "dog/1.PNG": drawn})
    cat, dog = opened(tmp_path)
    assert (cat.category, len(cat.names), dog.category) == ("cat", 2, "dog")
    for image in (image_of(cat), image_of(cat, 1), image_of(dog)):
        assert image.shape == (40, 40)
        assert image[0, 0] < 5 and image.max() > 240
    assert ("dark on light" if paper else "light on dark") in capsys.readouterr().err


def test_polarity_is_told(tmp_path, capsys):
    folder(tmp_path, {"cat/1.png": doodle()})
    (cat,) = opened(tmp_path, polarity="light_on_dark")
    assert image_of(cat)[0, 0] == 255
    assert capsys.readouterr().err == ""


def test_mixed_polarity(tmp_path):
    folder(tmp_path, {"cat/1.png": doodle(), "dog/1.png": doodle(0, 255)})
    with pytest.raises(QuickdrawError, match=r"1 of 2 pictures are dark on light.*--polarity"):
        opened(tmp_path)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_modes(mode):
    drawn = doodle(mode="L" if mode == "I;16" else mode)
    if mode == "I;16":
        drawn = Image.fromarray(np.asarray(drawn).astype(np.uint16) * 257)
    image = decode(saved(drawn))
    assert image.dtype == np.uint8
    assert (image[0, 0], image.min()) == (255, 0)


def test_transparent_paper_is_white():
    drawn = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ImageDraw.Draw(drawn).line((5, 5, 30, 30), fill=(0, 0, 0, 255), width=3)
    image = decode(saved(drawn), inverted=True)
    assert (image[0, 0], image.max()) == (0, 255)


def test_oblong_pictures_are_filled_up():
    image = decode(saved(doodle(size=(60, 40))), inverted=True)
    assert image.shape == (60, 60)
    assert not image[:10].any() and not image[50:].any() and image.max() == 255


def bomb(width, height):
    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bomb(6000, 6000), "more than 25 million pixels"),
        (bomb(60000, 60000), "more than 25 million pixels"),
        (bomb(400, 400), "not a picture that can be read"),
        (saved(doodle())[:100], "not a picture that can be read"),
        (saved(doodle(), "GIF"), "not a picture that can be read"),
        (b"", "not a picture that can be read"),
    ],
)
def test_bad_pictures_are_skipped(data, reason):
    with pytest.raises(SkippedDrawing, match=reason):
        decode(data)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_picture_or_skipped(data, signed):
    with pytest.raises(SkippedDrawing):
        decode(saved(doodle())[:33] + data if signed else data)


def test_no_folders(tmp_path):
    folder(tmp_path, {"cat/1.txt": b"text"})
    with pytest.raises(QuickdrawError, match=r"folders <category>/ of pictures"):
        opened(tmp_path, format="pictures")


def test_categories(tmp_path):
    folder(tmp_path, {"a b/1.png": doodle(), "c/1.png": doodle(), "empty/1.txt": b""})
    (chosen,) = opened(tmp_path, categories=["a_b"])
    assert chosen.category == "a b"
    with pytest.raises(QuickdrawError, match="Did you mean"):
        opened(tmp_path, categories=["a_c"])
