"""numpy's .npz files, and those of images with their labels: KMNIST's, and Keras' mnist.npz."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import re
import shutil
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO

import numpy as np

from quickdraw import storage
from quickdraw.datasets.sources import array_labels
from quickdraw.datasets.sources.bitmaps import LONGEST_HEADER, Bitmaps, scratch_path
from quickdraw.datasets.sources.official import split_of
from quickdraw.datasets.sources.other_numbers import as_bytes
from quickdraw.drawings.drawing import Drawing
from quickdraw.errors import QuickdrawError

LARGEST_LOADED = 1 << 30
"""Bytes of an array that is loaded whole."""
_LARGEST = 1 << 33


class LabelledImages(Bitmaps):
    """Images with their labels: those of a .npz file, unpacked to a .npy file.

    Args:
        path: uint8 `[n, size, size]`.
        words: of each image the class.
        name: the file and its array as the user knows them.
        split: `train`, `valid` or `test`.
    """

    def __init__(self, path: str, words: list[str], name: str, split: str):
        try:
            super().__init__(path, "")
        except QuickdrawError as error:
            raise QuickdrawError(str(error).replace(path, name)) from None
        self.category, self.name, self.split = None, name, split
        if len(words) != self._rows:
            raise QuickdrawError(f"{name}: {self._rows} labels expected. Received: {len(words)}")
        self._words, codes = np.unique(words, return_inverse=True)
        self._codes = codes.astype(np.uint16)

    def parse(self, position: int, data: bytes) -> Drawing:
        row = (position - self._start) // self._side**2
        return super().parse(position, data)._replace(word=str(self._words[self._codes[row]]))

    def place(self, position: int) -> str:
        return f"{self.name}, row {(position - self._start) // self._side**2:,}"


def labelled_images(path: str, labels_path: str | None, scratch: str) -> list[LabelledImages]:
    """Unpack the images of a .npz file, each array with the labels that belong to it.

    Args:
        path: arrays such as x_train, y_train, x_test, y_test; or one of images alone.
        labels_path: the .npz file of their labels, where `path` has the images alone.
        scratch: folder for what is unpacked.

    Raises:
        QuickdrawError: images without labels, or arrays that are neither.
    """
    files = []
    for images, labels in _pairs(path, labels_path).items():
        name = f"{path}, {images}"
        unpacked = scratch_path(scratch, name, "npy")
        with opened(path, images, _LARGEST) as member, open(unpacked, "wb") as file:
            shutil.copyfileobj(member, file, 1 << 20)
        split = array_labels.split_of(images) or split_of(os.path.basename(path)) or "train"
        with opened(labels_path or path, labels, LARGEST_LOADED) as member:
            words = array_labels.words_in(member, f"{labels_path or path}, {labels}")
        files.append(LabelledImages(as_bytes(unpacked, name, scratch), words, name, split))
    return files


def unpaired(path: str, labels_path: str | None) -> list[str]:
    """Return the arrays of a .npz file that are neither images nor their labels."""
    pairs = _pairs(path, labels_path)
    return sorted({*arrays(path)} - {*pairs, *pairs.values()})


def arrays(path: str) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Return the shape and the dtype of each array in a .npz file.

    Raises:
        QuickdrawError: it is none, or damaged.
    """
    with damage(path), storage.open_binary(path) as file, zipfile.ZipFile(file) as archive:
        held = {}
        for member in archive.namelist():
            with archive.open(member) as array:
                held[member.removesuffix(".npy")] = read_header(array)
        return held


@contextlib.contextmanager
def opened(path: str, array: str, largest: int) -> Iterator[IO[bytes]]:
    """Open an array of a .npz file, of at most `largest` bytes.

    Raises:
        QuickdrawError: it is larger, or damaged.
    """
    name = f"{path}, {array}"
    with damage(name), storage.open_binary(path) as file, zipfile.ZipFile(file) as archive:
        size = archive.getinfo(f"{array}.npy").file_size
        if size > largest:
            raise QuickdrawError(
                f"{name}: at most {largest >> 30} GiB expected. Received: {size:,}"
            )
        with archive.open(f"{array}.npy") as member:
            yield member


def read_header(array: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Read the start of an array; return its shape and its dtype.

    Raises:
        ValueError: it is none.
    """
    start = io.BytesIO(array.read(LONGEST_HEADER))  # whatever length the header claims
    if np.lib.format.read_magic(start) == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(start)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(start)
    array.seek(start.tell())
    return shape, dtype


@contextlib.contextmanager
def damage(name: str) -> Iterator[None]:
    """Turn what reading a damaged or a wicked file raises into one line for the user."""
    try:
        yield
    except pickle.UnpicklingError as error:
        raise QuickdrawError(
            f"{name}: holds Python objects other than arrays, which are never loaded ({error})"
        ) from None
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, MemoryError, SyntaxError),
        *(ValueError, TypeError, AttributeError, LookupError, ImportError, OverflowError),
        tokenize.TokenError,
    ) as error:
        what = (str(error).splitlines() or [type(error).__name__])[0]
        raise QuickdrawError(f"{name}: damaged, or not a .npz or .npy file ({what})") from None


def labels_of(path: str) -> str:
    """Return the file of the labels beside one of images: `kmnist-train-labels.npz`."""
    folder, name = os.path.split(path)
    return os.path.join(folder, re.sub("imgs|images", "labels", name))


def _pairs(path: str, labels_path: str | None) -> dict[str, str]:
    """Return which array has the labels of which array of images."""
    held = arrays(path)
    beside = list(arrays(labels_path)) if labels_path else []
    if len(held) == len(beside) == 1:
        return dict(zip(held, beside, strict=True))
    pairs = array_labels.pairs(held)
    found = {images: labels for images, labels in pairs.items() if labels}
    found = found if pairs else _by_shape(held)
    if not found or len(found) < len(pairs):
        shown = ", ".join(f"{name} {list(shape)}" for name, (shape, _) in held.items())
        raise QuickdrawError(
            f"{path}: arrays x_train, y_train, x_test, y_test expected, or images with "
            f"{os.path.basename(labels_of(path))} beside, or Sketch-RNN's train, valid, test. "
            f"Received: {shown or 'none'}"
        )
    return found


def _by_shape(held: Mapping[str, tuple[tuple[int, ...], np.dtype]]) -> dict[str, str]:
    """Return the labels of images where there are two arrays, and only one can be the images."""
    shapes = {name: shape for name, (shape, _) in held.items()}
    labels = [name for name, shape in shapes.items() if len(shape) == 1]
    images = [name for name, shape in shapes.items() if len(shape) > 1]
    if len(labels) == len(images) == 1 and shapes[labels[0]][0] == shapes[images[0]][0]:
        return {images[0]: labels[0]}
    return {}
