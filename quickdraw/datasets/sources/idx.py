"""IDX files: MNIST and its kin (EMNIST, Fashion-MNIST, KMNIST).

Source: yann.lecun.com/exdb/mnist, "The IDX file format": two zero bytes, the type (8: uint8), the
number of dimensions, the dimensions as big-endian uint32, then the values.
"""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Iterator

import numpy as np

from quickdraw import storage
from quickdraw.datasets.sources.base import DrawingFile, Record, cut, light_on_dark
from quickdraw.datasets.sources.bitmaps import check_side, rows, some_rows
from quickdraw.datasets.sources.official import split_of
from quickdraw.drawings.drawing import Drawing
from quickdraw.errors import QuickdrawError

MAGIC = b"\0\0\x08"
TRANSPOSED = "stored transposed, as EMNIST is: turned upright"
_EMNIST = re.compile(r"(?<![a-z])emnist", re.IGNORECASE)


class Idx(DrawingFile):
    """A file of images with a file of their labels; its name tells its split: t10k is the test set.

    Args:
        path: uint8 images `[n, size, size]`, unpacked.
        labels_path: uint8 labels `[n]`, unpacked.
        name: the images' file as the user knows it.

    Raises:
        QuickdrawError: not such files, truncated ones, or ones that do not belong together.
    """

    def __init__(self, path: str, labels_path: str, name: str):
        super().__init__(path, None, split_of(os.path.basename(name)))
        self.name = name
        self._adjusted = (TRANSPOSED,) if is_transposed(name) else ()
        self._start, shape = _header(path, name)
        if len(shape) != 3 or shape[1] != shape[2] or not math.prod(shape):
            raise QuickdrawError(f"{name}: images [n, size, size] expected. Received: {shape}")
        check_side(name, *shape[1:])
        self._rows, self._side, self._length = shape[0], shape[1], shape[1] * shape[2]
        start, labels_shape = _header(labels_path, f"the labels of {name}")
        if labels_shape != shape[:1]:
            raise QuickdrawError(f"{name}: {shape[0]} labels expected. Received: {labels_shape}")
        with storage.open_binary(labels_path) as file:
            file.seek(start)
            self._labels = file.read(self._rows)

    def pieces(self, size: int) -> list[tuple[int, int]]:
        return cut(self._rows, max(size // self._length, 1))

    def scan(self, start: int, stop: int) -> Iterator[Record]:
        return rows(self.path, self._start, self._length, start, stop)

    def glimpse(self, count: int) -> Iterator[np.ndarray]:
        return some_rows(self.path, self._start, self._length, self._rows, count)

    def parse(self, position: int, data: bytes) -> Drawing:
        row = (position - self._start) // self._length
        image = np.ndarray((self._side, self._side), np.uint8, data)
        if self._adjusted:
            image = np.ascontiguousarray(image.T)
        return light_on_dark(str(self._labels[row]), image, self.polarity, self._adjusted)

    def place(self, position: int) -> str:
        return f"{self.name}, image {(position - self._start) // self._length:,}"


def is_transposed(path: str) -> bool:
    """Return whether a file is of EMNIST, whose images are stored column by column.

    Its name says so: no look at a letter tells for sure. Source: the readme of NIST's files.
    """
    return bool(_EMNIST.search(os.path.basename(path)))


def labels_of(path: str) -> str:
    """Return the labels' file beside an images' file: `train-labels-idx1-ubyte.gz`."""
    folder, name = os.path.split(path)
    return os.path.join(folder, name.replace("images", "labels").replace("idx3", "idx1"))


def _header(path: str, name: str) -> tuple[int, list[int]]:
    """Return where the values start, and their shape."""
    with storage.open_binary(path) as file:
        magic = file.read(4)
        if len(magic) < 4 or magic[:3] != MAGIC:
            raise QuickdrawError(f"{name}: an IDX file of uint8 expected. Received: {magic!r}")
        sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise QuickdrawError(f"{name}: truncated in its header")
    shape = list(struct.unpack(f">{magic[3]}I", sizes))
    start = 4 + len(sizes)
    if storage.file_size(path) < start + math.prod(shape):
        raise QuickdrawError(
            f"{name}: truncated: {start + math.prod(shape):,} bytes expected (unpacked). "
            f"Received: {storage.file_size(path):,}"
        )
    return start, shape
