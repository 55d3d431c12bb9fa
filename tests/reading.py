"""What tests of reading share: of records by readers, and of drawings by sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from quickdraw import readers
from quickdraw.datasets.sources import open_source
from quickdraw.datasets.sources.base import DrawingFile
from quickdraw.drawings.drawing import Drawing, SkippedDrawing
from quickdraw.records import tfrecord
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


def shard(path: Path, *examples: bytes, pack: Callable[[bytes], bytes] = bytes) -> Path:
    """Write serialised examples as a file of records, packed by `pack`; return its path."""
    path.write_bytes(pack(b"".join(tfrecord.frame(example) for example in examples)))
    return path


def drawings_of(path: Path, scratch: str | Path = "", **options: Any) -> list[Drawing | str]:
    """The drawings of a source, and the reasons of those that are skipped."""
    files = open_source(str(path), str(scratch), **options).files
    return [drawing for file in files for drawing in parsed(file)]
