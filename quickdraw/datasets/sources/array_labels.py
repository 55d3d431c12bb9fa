"""Arrays of images and arrays of their labels: which belong together, and what the labels mean."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import IO

import numpy as np

from quickdraw.datasets.sources import names, official
from quickdraw.errors import QuickdrawError

_IMAGES = {"x", "images", "imgs", "image", "data", "features"}
_LABELS = {"y", "labels", "label", "targets", "target", "classes"}
_BETWEEN = re.compile(r"[^a-z0-9]+|(?<=[a-z])(?=[XY]$)|(?<=^[XYxy])(?=train|test|val)", re.I)


def pairs(held: Iterable[str]) -> dict[str, str | None]:
    """Return of each array of images the one of its labels, by name; None where it is missing.

    `train_images` and `train_labels` are the same, but for the word that says what they are; so are
    `X_test` and `y_test`, or `trainX` and `trainY`.
    """
    parts = {name: [part.lower() for part in _BETWEEN.split(name)] for name in held}
    labels = {
        tuple(part for part in of if part not in _LABELS): name
        for name, of in parts.items()
        if _LABELS & {*of}
    }
    return {
        name: labels.get(tuple(part for part in of if part not in _IMAGES))
        for name, of in parts.items()
        if _IMAGES & {*of} and not _LABELS & {*of}
    }


def split_of(name: str) -> str | None:
    """Return the split that an array's name tells, be it `x_test` or `testX`."""
    return official.split_of(" ".join(_BETWEEN.split(name)))


def words_in(array: IO[bytes], name: str) -> list[str]:
    """Return the class of each image, read from a .npy file: numbers, names or one-hot rows.

    Args:
        array: the file.
        name: the array as the user knows it.

    Raises:
        QuickdrawError: labels that are none.
        ValueError: a file that is none.
    """
    try:
        labels = np.lib.format.read_array(array, allow_pickle=False)
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        raise QuickdrawError(
            f"{name}: holds pickled Python objects, which are never loaded: save "
            "np.array(labels, str) or, of numbers, np.array(labels, int)"
        ) from None
    received = f"Received: {labels.dtype} {list(labels.shape)}"
    if labels.dtype.kind in "US" and labels.ndim == 1:
        return [
            names.clean(text if isinstance(text, str) else text.decode(errors="replace"))
            for text in labels.tolist()
        ]
    if labels.dtype.kind not in "iufb" or not labels.ndim:
        raise QuickdrawError(f"{name}: numbers or names expected. {received}")
    if labels.ndim == 2 and labels.shape[1] > 1:
        if not np.array_equal(np.sort(labels)[:, -2:], np.tile([0, 1], (len(labels), 1))):
            raise QuickdrawError(f"{name}: one label an image expected. {received}")
        labels = labels.argmax(axis=1)
    if math.prod(labels.shape[1:]) != 1:
        raise QuickdrawError(f"{name}: one label an image expected. {received}")
    labels = labels.reshape(len(labels))
    if (labels < 0).any() or (labels != np.floor(labels)).any():
        raise QuickdrawError(f"{name}: whole numbers from 0 on expected. {received}")
    return [str(label) for label in labels.astype(np.int64).tolist()]
