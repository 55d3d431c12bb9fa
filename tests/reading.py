"""What tests of reading share: of records by readers, and of drawings by sources."""

from __future__ import annotations

import numpy as np

from quickdraw import readers
from quickdraw.datasets.sources.base import DrawingFile
from quickdraw.drawings.drawing import Drawing, SkippedDrawing
from quickdraw.records.shards import BadRecords


def noise(count: int, height: int = 8, width: int | None = None, channels: int = 1) -> np.ndarray:
    """Random images, uint8: the same ones for the same arguments."""
    shape = (count, height, width or height) + ((channels,) if channels > 1 else ())
    return np.random.default_rng(count).integers(0, 256, shape, np.uint8)


def everything(
    reader: readers.BaseReader, pattern: object, batch_size: int = 4, bad: BadRecords | None = None
) -> tuple:
    """All images and targets, one after the other."""
    images, targets = zip(*reader.batches(str(pattern), batch_size, bad), strict=True)
    return np.concatenate(images), np.concatenate(targets)


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
