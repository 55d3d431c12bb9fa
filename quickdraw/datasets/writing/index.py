"""An index of all drawings on disk, 26 bytes each, that is sorted part by part.

Memory holds one of up to 64 parts at a time, some millions of drawings at most. Sorting by key,
a hash of the drawing's content, shuffles, splits and finds copies, and depends neither on the order
of the files nor on the number of processes.
"""

from __future__ import annotations

import bisect
import os

import numpy as np

from quickdraw.datasets import splits
from quickdraw.datasets.writing.scanning import ENTRY, NO_WORD

_MOST_PARTS = 64
_BYTES_A_PART = 256e6  # of the source: at most some millions of drawings


class Index:
    """Entries, `ENTRY` of `scanning`, in files of a folder.

    Args:
        folder: a local folder that exists.
        source_bytes: size of what is indexed.
    """

    def __init__(self, folder: str, source_bytes: int):
        self._folder = folder
        self._parts = min(1 + int(source_bytes / _BYTES_A_PART), _MOST_PARTS)
        self.counts = {split: np.zeros(0, np.int64) for split in splits.SPLITS}

    def add(self, entries: np.ndarray) -> None:
        """Append entries, `ENTRY` `[n]`, to the parts they belong to."""
        # A part is a range of keys: copies meet in one part, and part after part is in key order.
        # The upper 32 bits times the number of parts fit into 64 bits; the whole key would not.
        part = (entries["key"] >> np.uint64(32)) * np.uint64(self._parts) >> np.uint64(32)
        order = np.argsort(part, kind="stable")  # so that each part is one slice, and one write
        edges = np.searchsorted(part[order], np.arange(self._parts + 1))
        for number in np.flatnonzero(np.diff(edges)).tolist():
            with open(self._part(number), "ab") as file:
                file.write(entries[order[edges[number] : edges[number + 1]]].tobytes())

    def settle(self, label_of: np.ndarray, is_test: np.ndarray) -> int:
        """Sort the entries, replace words by labels, and drop copies; return how many were dropped.

        Of copies the one in a test set stays, else the first in the order of labels and files.

        Args:
            label_of: uint16 `[words]`, the label of each word's number.
            is_test: bool `[files]`, for each file whether it is a test set.
        """
        dropped = 0
        for number in range(self._parts):
            entries = self._load(self._part(number))
            known = entries["word"] != NO_WORD
            entries["word"][known] = label_of[entries["word"][known]]
            # lexsort sorts by its last key first: copies share a key and lie side by side. False
            # sorts before True, so the copy in a test set, or without a word, comes first.
            apart = ~(is_test[entries["file"]] | ~known)
            order = np.lexsort(
                (entries["position"], entries["file"], entries["word"], apart, entries["key"])
            )
            entries = entries[order]
            # The slice matters for an empty part: there is no first entry for the True.
            first = np.append(True, entries["key"][1:] != entries["key"][:-1])[: len(entries)]
            dropped += int(len(entries) - first.sum())
            entries[first].tofile(self._part(number))
        return dropped

    def distribute(
        self, classes: int, percentages: splits.Percentages, is_test: np.ndarray, balance: bool
    ) -> int:
        """Write the entries of each split in the order of their keys; count them in `counts`.

        A test set that somebody else set apart stays the test set, and takes the place of the share
        of the others that would have been. The result is how many were left out for balance.

        Args:
            classes: number of labels.
            percentages: of train, valid and test.
            is_test: bool `[files]`, for each file whether it is a test set.
            balance: whether to leave as many of each class as there are of the smallest.
        """
        # Count in a pass of its own: the smallest class is known only after all parts.
        total = np.zeros(classes, np.int64)
        for number in range(self._parts):
            total += _per_class(self._load(self._part(number)), classes)
        most = int(total.min()) if balance and classes else None
        if is_test.any():
            percentages = splits.without_test(percentages)
        self.counts = {split: np.zeros(classes, np.int64) for split in splits.SPLITS}
        seen = np.zeros(classes, np.int64)  # of each class, in the parts so far
        for number in range(self._parts):
            entries = self._load(self._part(number))
            if most is not None:
                entries = _first_of_each(entries, seen, most)
            apart = is_test[entries["file"]] | (entries["word"] == NO_WORD)
            which = np.where(apart, 2, splits.assign(entries["key"], percentages))  # 2: test
            for at, split in enumerate(splits.SPLITS):
                chosen = entries[which == at]
                self.counts[split] += _per_class(chosen, classes)
                with open(self._split(split), "ab") as file:
                    file.write(chosen.tobytes())
        return int(total.sum() - sum(count.sum() for count in self.counts.values()))

    def length(self, split: str) -> int:
        """Return how many drawings a split has."""
        path = self._split(split)
        return os.path.getsize(path) // ENTRY.itemsize if os.path.exists(path) else 0

    def entries(self, split: str, start: int, stop: int) -> np.ndarray:
        """Return the entries of a split from `start` to `stop`, in key order: `ENTRY` `[n]`."""
        offset = start * ENTRY.itemsize
        return np.fromfile(self._split(split), ENTRY, stop - start, offset=offset)

    def edges(self, split: str, shards: int) -> list[int]:
        """Return where each shard begins, then the end; shard i of n has keys from 2^64·i/n on."""
        length = self.length(split)

        def key(at: int) -> int:
            return int(self.entries(split, at, at + 1)["key"][0])

        # Keys are evenly spread, so shards are of about equal size; bisection reads one entry at a
        # time, since a split may not fit into memory.
        inner = [
            bisect.bisect_left(range(length), first_key(shard, shards), key=key)
            for shard in range(1, shards)
        ]
        return [0, *inner, length]

    def used_words(self) -> set[int]:
        """Return the numbers of the words that occur in the entries."""
        used: set[int] = set()
        for number in range(self._parts):
            used.update(np.unique(self._load(self._part(number))["word"]).tolist())
        return used - {NO_WORD}

    def _part(self, number: int) -> str:
        return os.path.join(self._folder, f"part-{number:02}")

    def _split(self, split: str) -> str:
        return os.path.join(self._folder, split)

    def _load(self, path: str) -> np.ndarray:
        return np.fromfile(path, ENTRY) if os.path.exists(path) else np.zeros(0, ENTRY)


def first_key(shard: int, shards: int) -> int:
    """Return the least key that a shard may hold."""
    return -(-(shard << 64) // shards)  # rounded up, in Python's integers: 2^64 overflows uint64


def _per_class(entries: np.ndarray, classes: int) -> np.ndarray:
    labels = entries["word"][entries["word"] != NO_WORD]
    return np.bincount(labels, minlength=classes)[:classes]


def _first_of_each(entries: np.ndarray, seen: np.ndarray, most: int) -> np.ndarray:
    """Return the first `most` entries of each class, counting those seen before: `ENTRY` `[n]`."""
    keep = np.ones(len(entries), bool)
    for label in range(len(seen)):
        (of_class,) = np.nonzero(entries["word"] == label)
        # Not below 0: a negative start would count from the end.
        keep[of_class[max(most - int(seen[label]), 0) :]] = False
        seen[label] += len(of_class)
    return entries[keep]
