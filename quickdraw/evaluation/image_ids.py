"""The ids of test records: a leaderboard wants each once."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence

import numpy as np

from quickdraw import storage
from quickdraw.console import log


class ImageIds:
    """Notices ids that come twice, in eight bytes each: test sets may be larger than memory."""

    def __init__(self) -> None:
        self._hashes: list[np.ndarray] = []

    def add(self, names: Sequence[str]) -> None:
        """Note the ids of a batch."""
        self._hashes.append(np.fromiter(map(hash, names), np.int64, len(names)))

    def report(self, predictions: str) -> None:
        """Warn of ids that came more than once; the first is looked up in the predictions."""
        found, counts = np.unique(np.concatenate(self._hashes), return_counts=True)
        twice = set(found[counts > 1].tolist())
        if not twice:
            return
        log(
            f"warning: {len(twice):,} image_id{'s' * (len(twice) > 1)} of the test records come "
            f"more than once{_first_of(twice, predictions)}: Kaggle and python -m quickdraw.score "
            f"refuse {predictions}"
        )


def _first_of(hashes: set[int], path: str) -> str:
    """Return the first id with such a hash in a CSV file, in words; not of a pipe or a device."""
    if not storage.is_remote(path) and not os.path.isfile(path):
        return ""
    with storage.open_binary(path) as file:
        rows = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        return next((f" (such as {row[0]!r})" for row in rows if hash(row[0]) in hashes), "")
