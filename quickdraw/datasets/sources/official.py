"""Splits that a source makes itself, told by the words of its files' and folders' names."""

from __future__ import annotations

import collections
import os
import re
from collections.abc import Sequence

from quickdraw.datasets.sources.base import DrawingFile

_KEPT = ("valid", "test")

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "valid"),
    **dict.fromkeys(("test", "testing", "t10k", "eval", "evaluation"), "test"),
}
"""Word of a name → the split that it tells; the tutorial's `eval` is a test set."""


def split_of(name: str) -> str | None:
    """Return the split that the words of a name tell; None if none or several do.

    `mnist-test.tfrecord-00000-of-00001` and `test_2.csv` are test sets, `latest.csv` is none.
    """
    words = re.split(r"[^a-z0-9]+", name.lower())
    found = {SPLITS[word] for word in words if word in SPLITS}
    return found.pop() if len(found) == 1 else None


def without_split(name: str) -> str:
    """Return a name without the words that tell a split: `cat` for `train_cat`."""
    words = re.split(r"[^\w]+|_", name.lower())
    return " ".join(word for word in words if word and word not in SPLITS)


def split_of_path(path: str, source: str) -> str | None:
    """Return the split that a file's name tells or, below a pattern, that of a folder.

    Args:
        path: of the file; of a folder of pictures, which is named after a class, with / at its end.
        source: the file, folder or pattern that it was found by. The folders that its `*` stand
            for tell a split, those that it spells out do not.
    """
    folder, name = os.path.split(path)
    if not (wildcard := re.search(r"[*?[]", source)):
        return split_of(name)
    below = folder.removeprefix(os.path.dirname(source[: wildcard.start()]))
    return split_of(name) or split_of(below if name else os.path.dirname(below))


def said(files: Sequence[DrawingFile]) -> str:
    """Return a line about the splits that are kept as they are, if any are."""
    counts = collections.Counter(file.split for file in files)
    kept = [f"{split} ({counts[split]:,} of {len(files):,})" for split in _KEPT if counts[split]]
    return f"kept as they are set apart, files or folders of: {', '.join(kept)}" if kept else ""
