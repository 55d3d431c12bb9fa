"""What the tests of sources share: a file's drawings, read as the preparation reads them."""

from __future__ import annotations

from quickdraw.datasets.drawing import Drawing, SkippedDrawing
from quickdraw.datasets.sources.base import DrawingFile


def parsed(file: DrawingFile) -> list[Drawing | str]:
    """The drawings of a file, and the reasons of those that are skipped."""
    result: list[Drawing | str] = []
    for piece in file.pieces(1 << 30):
        for position, data in file.scan(*piece):
            try:
                if isinstance(data, SkippedDrawing):
                    raise data
                with file.opened() as read:
                    assert read(position, len(data)) == data
                result.append(file.parse(position, data))
            except SkippedDrawing as error:
                result.append(error.reason)
    return result
