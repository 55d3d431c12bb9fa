"""Files of index entries, cut into parts that fit into memory one at a time."""

from __future__ import annotations

import os

import numpy as np

from quickdraw.datasets.writing.entries import ENTRY


class PartFiles:
    """Numbered files of entries, `ENTRY`, in a folder; one that is not there is empty.

    Args:
        folder: a local folder that exists.
        name: of the files, before their numbers.
        count: how many parts there are.
    """

    def __init__(self, folder: str, name: str, count: int):
        self._folder, self._name, self.count = folder, name, count

    def append_by_hash(self, entries: np.ndarray, hashes: np.ndarray) -> None:
        """Append entries to the parts that they belong to by their hashes, uint64 `[n]`.

        A part is a range of hashes: equal ones meet in one part, and part after part is in order.
        """
        # The upper 32 bits times the number of parts fit into 64 bits; the whole hash would not.
        part = (hashes >> np.uint64(32)) * np.uint64(self.count) >> np.uint64(32)
        self.append(entries, part)

    def append(self, entries: np.ndarray, part: np.ndarray) -> None:
        """Append entries, `ENTRY` `[n]`, to the parts of these numbers, int `[n]`."""
        order = np.argsort(part, kind="stable")  # so that each part is one slice, and one write
        edges = np.searchsorted(part[order], np.arange(self.count + 1))
        for number in np.flatnonzero(np.diff(edges)).tolist():
            with open(self._path(number), "ab") as file:
                file.write(entries[order[edges[number] : edges[number + 1]]].tobytes())

    def replace(self, number: int, entries: np.ndarray) -> None:
        """Write a part anew: `ENTRY` `[n]`."""
        with open(self._path(number), "wb") as file:  # `tofile` does not say that a disk is full
            file.write(entries.tobytes())

    def load(self, number: int) -> np.ndarray:
        """Return the entries of a part in the order in which they came: `ENTRY` `[n]`."""
        path = self._path(number)
        return np.fromfile(path, ENTRY) if os.path.exists(path) else np.zeros(0, ENTRY)

    def take(self, number: int) -> np.ndarray:
        """Return the entries of a part as `load` does, `ENTRY` `[n]`, and remove its file."""
        entries = self.load(number)
        if len(entries):
            os.remove(self._path(number))
        return entries

    def _path(self, number: int) -> str:
        return os.path.join(self._folder, f"{self._name}-{number:03}")
