"""Quick, Draw!'s .bin files: the simplified strokes, packed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from quickdraw import storage
from quickdraw.datasets.sources.base import DrawingFile, Record
from quickdraw.drawings.drawing import Drawing, SkippedDrawing, checked, shown

# github.com/googlecreativelab/quickdraw-dataset, examples/binary_file_parser.py: key_id,
# countrycode, recognized, timestamp, number of strokes; then of each stroke the number of points,
# its x and its y, a byte each. Little endian, unpadded.
_HEADER = struct.Struct("<Q2sbIH")
_POINTS = struct.Struct("<H")


class Binary(DrawingFile):
    """A .bin file of one category, which is its name."""

    def scan(self, start: int, stop: int) -> Iterator[Record]:
        with storage.open_binary(self.path) as file:
            position = 0
            while header := file.read(_HEADER.size):
                try:
                    data = header + _strokes(file, header)
                except SkippedDrawing as error:  # where the next one begins is unknown
                    yield position, error
                    return
                yield position, data
                position += len(data)

    def parse(self, position: int, data: bytes) -> Drawing:
        key_id, country, recognized, _, count = _HEADER.unpack_from(data)
        strokes, at = [], _HEADER.size
        for _ in range(count):
            (points,) = _POINTS.unpack_from(data, at)
            middle, end = at + 2 + points, at + 2 + 2 * points
            strokes.append([list(data[at + 2 : middle]), list(data[middle:end])])
            at = end
        return Drawing(
            self.category,
            checked(strokes, raw=False),
            key_id=str(key_id),
            countrycode=country.decode("ascii"),
            recognized=bool(recognized),
        )


def _strokes(file: BinaryIO, header: bytes) -> bytes:
    """Read the bytes after a header, up to the next drawing."""
    if len(header) < _HEADER.size:
        raise SkippedDrawing("truncated", f"{len(header)} bytes of a header", named=True)
    _, country, recognized, _, count = _HEADER.unpack(header)
    if recognized not in (0, 1) or not (country.isalnum() or country in (b"\0\0", b"  ")):
        raise SkippedDrawing("not the layout of a .bin file from here on", shown(header))
    parts = []
    for _ in range(count):
        length = file.read(_POINTS.size)
        if len(length) == _POINTS.size:
            points = file.read(2 * _POINTS.unpack(length)[0])
            parts += [length, points]
        if len(length) < _POINTS.size or len(points) < 2 * _POINTS.unpack(length)[0]:
            raise SkippedDrawing("truncated", f"{len(b''.join(parts))} bytes of strokes")
    return b"".join(parts)
