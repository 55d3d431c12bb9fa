"""What the index knows of a drawing, and what is done with arrays of it."""

from __future__ import annotations

import numpy as np

from quickdraw.datasets import splits

ENTRY = np.dtype(
    [
        ("key", "u8"),
        ("position", "u8"),
        ("size", "u4"),
        ("file", "u4"),
        ("word", "u2"),
        ("id", "u8"),  # of the key_id; 0 without one
    ]
)
NO_WORD = np.iinfo("u2").max
"""Of a word: the drawing has none, and is a test record."""

OF_ANOTHER_CLASS = "duplicate of a drawing of another class"
"""Why a copy is left out whose label is another one than that of the first."""


def rank_of(entries: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return each entry's rank, int `[n]`: 0 in a test set, 1 in a validation set, 2 elsewhere.

    Args:
        entries: of all drawings, records `[n]`.
        given: the split of each file, an index into `splits.SPLITS`, int `[files]`.
    """
    test = splits.SPLITS.index("test")
    return np.where(entries["word"] == NO_WORD, 0, test - given[entries["file"]])


def place_of(entries: np.ndarray) -> np.ndarray:
    """Return numbers in the order of files and positions: `ENTRY` `[n]` to uint64 `[n]`.

    There is room for 16 million files of a terabyte each.
    """
    return entries["file"].astype("u8") << np.uint64(40) | entries["position"]


def is_first(values: np.ndarray) -> np.ndarray:
    """Return for each of sorted values whether it is unlike the one before: bool `[n]`."""
    # The slice matters where there is none: there is no first one for the True.
    return np.append(True, values[1:] != values[:-1])[: len(values)]


def number_in_group(values: np.ndarray) -> np.ndarray:
    """Return for each of sorted values how many before it are the same: int64 `[n]`."""
    place = np.arange(len(values))
    return place - np.maximum.accumulate(np.where(is_first(values), place, 0))


def per_class(entries: np.ndarray, classes: int) -> np.ndarray:
    """Return how many entries of each class there are: int64 `[classes]`."""
    labels = entries["word"][entries["word"] != NO_WORD]
    return np.bincount(labels, minlength=classes)[:classes]


def first_of_each(entries: np.ndarray, seen: np.ndarray, most: int) -> np.ndarray:
    """Return the first `most` entries of each class, counting those seen before: `ENTRY` `[n]`."""
    keep = np.ones(len(entries), bool)
    for label in range(len(seen)):
        (of_class,) = np.nonzero(entries["word"] == label)
        # Not below 0: a negative start would count from the end.
        keep[of_class[max(most - int(seen[label]), 0) :]] = False
        seen[label] += len(of_class)
    return entries[keep]
