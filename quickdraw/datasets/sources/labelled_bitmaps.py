"""Images of all classes in a .npy file with their labels in another: `X.npy` and `y.npy`."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence

from quickdraw import storage
from quickdraw.datasets.sources import array_labels, formats, names, npz
from quickdraw.datasets.sources.npz import LabelledImages
from quickdraw.datasets.sources.official import split_of
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


def without_labels(paths: Iterable[str], labels: Mapping[str, str]) -> str:
    """Return a file of images that has no labels, as X_test.npy may; "" where all have."""
    by_name = {names.of_path(path): path for path in paths}
    images = map(by_name.__getitem__, array_labels.pairs(by_name))
    return next((path for path in images if path not in labels), "")


def opened(path: str, labels_path: str, name: str, labels_name: str) -> LabelledImages:
    """Open a file of images with its labels.

    Args:
        path: uint8 `[n, size, size]` or `[n, 784]`, unpacked.
        labels_path: numbers, names or one-hot rows `[n]`, unpacked.
        name: the images' file as the user knows it.
        labels_name: the labels' file as the user knows it.

    Raises:
        QuickdrawError: anything else, or files that do not belong together.
    """
    if storage.file_size(labels_path) > npz.LARGEST_LOADED:
        raise QuickdrawError(f"{labels_name}: labels in at most 1 GiB expected")
    with npz.damage(labels_name), storage.open_binary(labels_path) as file:
        words = array_labels.words_in(file, labels_name)
    return LabelledImages(path, words, name, split_of(names.of_path(name)) or "train")


def _are_labels(path: str) -> bool:
    """Return whether a file's shape is one of labels; not of images."""
    with npz.damage(path):
        shape, _ = npz.read_header(io.BytesIO(formats.start_of(path)))
    return len(shape) == 1 or (len(shape) == 2 and shape[1] != _SIDE**2)
