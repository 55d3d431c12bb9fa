"""Images stored as rows of equal size: Quick, Draw!'s numpy bitmaps, and images in memory."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import os
import tokenize
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from quickdraw import storage
from quickdraw.datasets.sources.base import DrawingFile, Read, Record, cut, light_on_dark, spread
from quickdraw.drawings import greyscale
from quickdraw.drawings.drawing import Drawing, SkippedDrawing
from quickdraw.errors import QuickdrawError

_SIDE = 28
_BLOCK = 1 << 20
LONGEST_HEADER = 1 << 16
"""Bytes of a .npy file that are looked at, whatever length its header claims."""
_EXPECTED = "images [n, 784] or [n, size, size] of numbers expected, n above 0"


class Layout(NamedTuple):
    """Where in a .npy file the images begin, how many there are, and how they are stored."""

    start: int
    rows: int
    side: int
    dtype: np.dtype
    fortran_order: bool


class Rows(Protocol):
    """What `Images` are taken from, such as an array, uint8 `[n, size, size]`."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> np.ndarray: ...


class Images(DrawingFile):
    """Square uint8 images `[size, size]` in memory, or made when they are asked for."""

    def __init__(self, category: str, images: Rows):
        super().__init__(category, category)
        self._images = images

    @property
    def size(self) -> int:
        return len(self._images)

    def scan(self, start: int, stop: int) -> Iterator[Record]:
        for position in range(start, stop):
            yield position, self._images[position].tobytes()

    @contextlib.contextmanager
    def opened(self) -> Iterator[Read]:
        yield lambda position, _: self._images[position].tobytes()

    def parse(self, position: int, data: bytes) -> Drawing:
        return Drawing(self.category, image=square(data))


class Bitmaps(DrawingFile):
    """A `.npy` file of uint8 `[n, 784]` or `[n, size, size]`, read row by row, never loaded.

    One of other numbers is made such a file first, see `other_numbers`.

    Raises:
        QuickdrawError: anything but such a file, a truncated one, or one without a drawing.
    """

    def __init__(self, path: str, category: str):
        super().__init__(path, category)
        self._start, self._rows, self._side, *_ = layout(path)

    def pieces(self, size: int) -> list[tuple[int, int]]:
        return cut(self._rows, max(size // self._side**2, 1))

    def scan(self, start: int, stop: int) -> Iterator[Record]:
        return rows(self.path, self._start, self._side**2, start, stop)

    def glimpse(self, count: int) -> Iterator[np.ndarray]:
        return some_rows(self.path, self._start, self._side**2, self._rows, count)

    def parse(self, position: int, data: bytes) -> Drawing:
        image = np.ndarray((self._side, self._side), np.uint8, data)
        return light_on_dark(self.category, image, self.polarity)

    def place(self, position: int) -> str:
        return f"{self.path}, row {(position - self._start) // self._side**2:,}"


def rows(path: str, header: int, length: int, start: int, stop: int) -> Iterator[Record]:
    """Yield the rows from `start` to `stop`, each of `length` bytes, after a header."""
    at_once = max(_BLOCK // length, 1)
    with storage.open_binary(path) as file:
        file.seek(header + start * length)
        for first in range(start, stop, at_once):
            block = file.read(min(at_once, stop - first) * length)
            for offset in range(0, len(block), length):
                yield header + first * length + offset, block[offset : offset + length]


def check_side(path: str, *shape: int) -> None:
    """Raise QuickdrawError if the images of a file are too large for memory.

    Args:
        path: the file.
        shape: of an image, or the number of its pixels.
    """
    try:
        greyscale.check_size(math.isqrt(math.prod(shape)), math.isqrt(math.prod(shape)))
    except SkippedDrawing as error:
        raise QuickdrawError(f"{path}: {error}") from None


def some_rows(path: str, header: int, length: int, total: int, count: int) -> Iterator[np.ndarray]:
    """Yield about `count` of a file's rows, evenly spread: images, uint8 `[side, side]`."""
    with storage.open_binary(path) as file:
        for row in spread(total, count):
            file.seek(header + row * length)
            yield square(file.read(length))


def scratch_path(scratch: str, name: str, ending: str) -> str:
    """Return where to unpack what has a name."""
    return os.path.join(scratch, f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.{ending}")


def square(data: bytes) -> np.ndarray:
    """Return the uint8 image `[side, side]` of these pixels."""
    side = math.isqrt(len(data))
    return np.ndarray((side, side), np.uint8, data)


def layout(path: str) -> Layout:
    """Read the header of a .npy file of images `[n, 784]`, `[n, size, size]`, or with a channel.

    Raises:
        QuickdrawError: anything else, or a truncated file.
    """
    with storage.open_binary(path) as whole:
        file = io.BytesIO(whole.read(LONGEST_HEADER))  # whatever length the header claims
    try:
        version = np.lib.format.read_magic(file)
        read_header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran_order, dtype = read_header(file)
    except (ValueError, TypeError, SyntaxError, tokenize.TokenError, RecursionError) as error:
        what = str(error).splitlines()[0]
        raise QuickdrawError(f"{path}: not a .npy file ({what})") from None
    start = file.tell()
    if len(shape) == 4 and 1 in (shape[1], shape[3]):  # one channel, last or, as PyTorch's, first
        shape = (shape[0], *(shape[1:3] if shape[3] == 1 else shape[2:]))
    if dtype.hasobject:
        raise QuickdrawError(
            f"{path}: holds pickled Python objects, which are never loaded. "
            f"{_EXPECTED}. Received: {dtype}"
        )
    is_square = (len(shape) == 3 and shape[1] == shape[2]) or shape[1:] == (_SIDE * _SIDE,)
    if dtype.kind not in "buif" or not is_square or min(shape) < 1:
        raise QuickdrawError(f"{path}: {_EXPECTED}. Received: {dtype} {list(shape)}")
    check_side(path, *shape[1:])
    size = start + math.prod(shape) * dtype.itemsize
    if storage.file_size(path) < size:
        raise QuickdrawError(
            f"{path}: truncated: {size:,} bytes expected. Received: {storage.file_size(path):,}"
        )
    side = math.isqrt(math.prod(shape[1:]))
    return Layout(start, shape[0], side, dtype, fortran_order)
