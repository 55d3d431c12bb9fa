"""Where drawings come from: each format is opened as a list of categories with their images.

Only the numpy bitmaps of Quick, Draw! so far. Another format is another class with the two methods
of `Images`, and a line in `open_source` that recognises it.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from quickdraw import storage
from quickdraw.cli import did_you_mean
from quickdraw.errors import QuickdrawError

_SIDE = 28
_EXPECTED = "uint8 images [n, 784] or [n, size, size] expected, n above 0"


class Images(Protocol):
    """The drawings of one category, by row; picklable, for the worker processes that read them."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> np.ndarray:
        """A square uint8 image `[size, size]`, strokes 255 on 0."""


@dataclasses.dataclass(frozen=True)
class Category:
    """A class of drawings: its name, which becomes the label's name, and its images."""

    name: str
    images: Images


def open_source(
    path: str, categories: Sequence[str] | None = None, per_category: int | None = None
) -> list[Category]:
    """Opens a folder of `<category>.npy` files.

    Args:
        path: the folder.
        categories: which ones, in label order; an underscore may stand for a space. All of them,
            in alphabetical order, when not given.
        per_category: at most that many from the start of each file.

    Raises:
        QuickdrawError: no such folder, nothing to read in it, an unknown category, or a file that
            holds anything but uint8 images.
    """
    if storage.is_remote(path):
        raise QuickdrawError(
            f"{path}: numpy bitmaps are read from a local folder. "
            f"Copy them first: gcloud storage cp '{path}/*.npy' FOLDER"
        )
    if not os.path.isdir(path):
        raise QuickdrawError(f"{path}: there is no such folder (one of <category>.npy expected)")
    found = [
        name.removesuffix(".npy")
        for name in storage.listdir(path)
        if name.endswith(".npy") and not name.startswith(".")
    ]
    if not found:
        raise QuickdrawError(f"{path}: a folder of <category>.npy files expected, it holds none")
    names = found if categories is None else [_choose(name, found, path) for name in categories]
    _check_names(names, path)
    return [
        Category(name, Bitmaps(os.path.join(path, f"{name}.npy"), per_category)) for name in names
    ]


def _choose(wanted: str, found: list[str], path: str) -> str:
    for name in (wanted, wanted.replace("_", " ")):
        if name in found:
            return name
    raise QuickdrawError(f"{path}: there is no category {wanted!r}{did_you_mean(wanted, found)}")


def _check_names(names: list[str], path: str) -> None:
    """Labels end up in file names and tables: they must be safe there, and tell classes apart."""
    if not names:
        raise QuickdrawError("no category is named: one or more expected")
    seen: dict[str, str] = {}
    for name in names:
        if not name.isprintable() or "\\" in name:
            raise QuickdrawError(f"{path}: {name!r} cannot be the name of a category")
        other = seen.setdefault(name.replace("_", " ").casefold(), name)
        if other != name:
            raise QuickdrawError(f"{path}: {other!r} and {name!r} are too alike for two categories")
    if len(set(names)) < len(names):
        raise QuickdrawError(f"a category is named twice. Received: {', '.join(names)}")


class Bitmaps:
    """A `.npy` file of uint8 `[n, 784]` or `[n, size, size]`, mapped into memory, never loaded.

    Args:
        path: the file.
        limit: at most that many from its start.

    Raises:
        QuickdrawError: anything but such a file, a truncated one, or one without a drawing.
    """

    def __init__(self, path: str, limit: int | None = None):
        self._arguments = path, limit
        # A plain view: rows of np.memmap itself cost several times as much to take.
        self._rows = np.asarray(_map(path))[:limit]
        self._side = math.isqrt(self._rows[0].size)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int, /) -> np.ndarray:
        return self._rows[row].reshape(self._side, self._side)

    def __reduce__(self) -> tuple:
        return Bitmaps, self._arguments


def _map(path: str) -> np.memmap:
    with storage.open_binary(path) as file:
        try:
            version = np.lib.format.read_magic(file)
            read_header = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, fortran_order, dtype = read_header(file)
        except ValueError as error:
            raise QuickdrawError(f"{path}: not a .npy file ({_one_line(error)})") from None
        start = file.tell()
    if dtype.hasobject:
        raise QuickdrawError(
            f"{path}: holds pickled Python objects, which are never loaded. "
            f"{_EXPECTED}. Received: {dtype}"
        )
    square = (len(shape) == 3 and shape[1] == shape[2]) or shape[1:] == (_SIDE * _SIDE,)
    if dtype != np.uint8 or not square or not math.prod(shape):
        raise QuickdrawError(f"{path}: {_EXPECTED}. Received: {dtype} {list(shape)}")
    size = start + math.prod(shape)
    if storage.file_size(path) < size:
        raise QuickdrawError(
            f"{path}: truncated: {size:,} bytes expected. Received: {storage.file_size(path):,}"
        )
    return np.memmap(path, np.uint8, "r", start, shape, "F" if fortran_order else "C")


def _one_line(error: Exception) -> str:
    return str(error).splitlines()[0]
