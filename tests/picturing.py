"""Doodles as pictures, for tests of greyscale, of folders and of records."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw


def doodle(
    paper: int = 255, ink: int = 0, size: tuple[int, int] = (40, 40), mode: str = "L"
) -> Image.Image:
    """A circle in the upper left."""
    image = Image.new("L", size, paper)
    ImageDraw.Draw(image).ellipse((8, 8, 30, 30), outline=ink, width=3)
    return image.convert(mode)


def on_glass(ink: tuple[int, ...], size: int = 40) -> Image.Image:
    """The same circle on transparent paper, RGBA."""
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((8, 8, 30, 30), outline=ink, width=3)
    return image


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of the file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int) -> Image.Exif:
    """EXIF that says how a camera was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that claims to be so large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")
