"""Images of all classes in a .npy file with their labels in another: `X.npy` and `y.npy`."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence

from quickdraw import storage
from quickdraw.console import log
from quickdraw.datasets.sources import array_labels, formats, names, npz
from quickdraw.datasets.sources.npz import LabelledImages
from quickdraw.datasets.sources.official import split_of_path
from quickdraw.datasets.sources.pixel_tables import UnlabelledImages
from quickdraw.errors import QuickdrawError

_ENDINGS = (".npy", ".npy.gz")
_SIDE = 28


def labels_beside(paths: Sequence[str]) -> dict[str, str]:
    """Return the file of labels of each file of images that has one beside it; mostly none.

    A file is one of labels by its name, and if there is one value for each image in it: letters may
    well be classes, x.npy and y.npy among them.
    """
    found: dict[str, str] = {}
    for folder in sorted({os.path.dirname(path) for path in paths}):
        beside = {
            names.of_path(name): os.path.join(folder, name)
            for name in storage.listdir(folder or ".")
            if name.lower().endswith(_ENDINGS) and not name.startswith(".")
        }
        pairs = {of: beside[labels] for of, labels in array_labels.pairs(beside).items() if labels}
        found |= {beside[of]: labels for of, labels in pairs.items() if _are_labels(labels)}
    return {images: labels for images, labels in found.items() if images in paths}


def without_labels(paths: Iterable[str], labels: Mapping[str, str]) -> list[str]:
    """Return the files of images that have no labels, as X_test.npy may.

    Where no file has any, `x` may well be a letter: then those whose names tell a split.
    """
    by_name = {names.of_path(path): path for path in paths}
    images = (name for name in array_labels.pairs(by_name) if labels or array_labels.split_of(name))
    return [by_name[name] for name in images if by_name[name] not in labels]


def split_of(path: str, source: str) -> str | None:
    """Return the split that the name of a file tells, or by a pattern that of its folder."""
    return array_labels.split_of(names.of_path(path)) or split_of_path(path, source)


def unlabelled(path: str, name: str, split: str) -> UnlabelledImages:
    """Open a file of test images without labels, whose ids are their rows, from 0 on.

    Args:
        path: uint8 `[n, size, size]` or `[n, 784]`, unpacked.
        name: the file as the user knows it.
        split: which its name tells.

    Raises:
        QuickdrawError: it is none to test on, so its labels are missing.
    """
    if split != "test":
        raise QuickdrawError(
            f"{name}: the file of its labels is missing beside it, as y_train.npy is that of "
            "X_train.npy"
        )
    log(f"{name}: test records without labels, whose ids are their rows, from 0 on")
    return UnlabelledImages(path, None, name)


def opened(path: str, labels_path: str, name: str, labels_name: str, split: str) -> LabelledImages:
    """Open a file of images with its labels.

    Args:
        path: uint8 `[n, size, size]` or `[n, 784]`, unpacked.
        labels_path: numbers, names or one-hot rows `[n]`, unpacked.
        name: the images' file as the user knows it.
        labels_name: the labels' file as the user knows it.
        split: `train`, `valid` or `test`.

    Raises:
        QuickdrawError: anything else, or files that do not belong together.
    """
    if storage.file_size(labels_path) > npz.LARGEST_LOADED:
        raise QuickdrawError(f"{labels_name}: labels in at most 1 GiB expected")
    with npz.damage(labels_name), storage.open_binary(labels_path) as file:
        words = array_labels.words_in(file, labels_name)
    return LabelledImages(path, words, name, split)


def _are_labels(path: str) -> bool:
    """Return whether a file's shape is one of labels; not of images."""
    with npz.damage(path):
        shape, _ = npz.read_header(io.BytesIO(formats.start_of(path)))
    return len(shape) == 1 or (len(shape) == 2 and shape[1] != _SIDE**2)
