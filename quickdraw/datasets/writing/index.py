"""An index of all drawings on disk, 34 bytes each, that is sorted part by part.

Memory holds one of up to 64 parts at a time, some millions of drawings at most, and the whole of a
test set without labels, which keeps its order. Sorting by key, a hash of the drawing's content,
shuffles, splits and finds copies, and depends neither on the order of the files nor on the number
of processes.
"""

from __future__ import annotations

import bisect
import collections
import itertools
import os

import numpy as np

from quickdraw.datasets import splits
from quickdraw.datasets.writing import record_ids
from quickdraw.datasets.writing.entries import (
    ENTRY,
    NO_WORD,
    first_of_each,
    is_first,
    number_in_group,
    per_class,
    rank_of,
)
from quickdraw.datasets.writing.record_ids import Place
from quickdraw.errors import QuickdrawError

_BY_ID, _BY_KEY, _UNLABELLED = "id", "part", "unlabelled"
_MOST_PARTS = 64
_BYTES_A_PART = 256e6  # of the source: at most some millions of drawings


class Index:
    """Entries, `ENTRY` of `scanning`, in files of a folder.

    Args:
        folder: a local folder that exists.
        source_bytes: size of what is indexed.
        place: returns where a drawing is, given the number of its file and its position there.

    Attributes:
        counts: by split, how many drawings of each label there are, int64 `[classes]`.
        unlabelled: how many test records have no label.
    """

    def __init__(self, folder: str, source_bytes: int, place: Place):
        self._folder, self._place = folder, place
        self._parts = min(1 + int(source_bytes / _BYTES_A_PART), _MOST_PARTS)
        self.counts = {split: np.zeros(0, np.int64) for split in splits.SPLITS}
        self.unlabelled = 0

    def add(self, entries: np.ndarray) -> None:
        """Append entries, `ENTRY` `[n]`, to the parts they belong to."""
        has_id = entries["id"] != 0
        # Those with an id are first compared by it. Ids are not spread evenly over the 64 bits;
        # their products with a large odd number are.
        spread = entries["id"][has_id] * np.uint64(0x9E3779B97F4A7C15)
        self._append(_BY_ID, entries[has_id], spread)
        self._append(_BY_KEY, entries[~has_id], entries["key"][~has_id])

    def _append(self, kind: str, entries: np.ndarray, numbers: np.ndarray) -> None:
        # A part is a range of keys: copies meet in one part, and part after part is in key order.
        # The upper 32 bits times the number of parts fit into 64 bits; the whole key would not.
        part = (numbers >> np.uint64(32)) * np.uint64(self._parts) >> np.uint64(32)
        order = np.argsort(part, kind="stable")  # so that each part is one slice, and one write
        edges = np.searchsorted(part[order], np.arange(self._parts + 1))
        for number in np.flatnonzero(np.diff(edges)).tolist():
            with open(self._part(kind, number), "ab") as file:
                file.write(entries[order[edges[number] : edges[number + 1]]].tobytes())

    def settle(self, label_of: np.ndarray, given: np.ndarray) -> collections.Counter[str]:
        """Sort the entries, replace words by labels, and drop copies from training and validation.

        A copy has the same content, or the same key_id. One in a test set stays in any case, else
        one in a validation set, else the first in the order of labels and files.

        Args:
            label_of: uint16 `[words]`, the label of each word's number.
            given: int `[files]`, the split that each file is of, an index into `splits.SPLITS`; 0
                where nobody says.

        Returns:
            How many were dropped for which reason.

        Raises:
            QuickdrawError: ids of a test set that are none.
        """
        dropped = collections.Counter({record_ids.OTHERS_ID: self._settle_ids(given)})
        for number in range(self._parts):
            entries = self._load(self._part(_BY_KEY, number))
            known = entries["word"] != NO_WORD
            entries["word"][known] = label_of[entries["word"][known]]
            # lexsort sorts by its last key first: copies share a key and lie side by side.
            rank = rank_of(entries, given)
            order = np.lexsort(
                (entries["position"], entries["file"], entries["word"], rank, entries["key"])
            )
            entries, rank = entries[order], rank[order]
            stays = is_first(entries["key"]) | (rank == 0)
            dropped["duplicate"] += int(len(entries) - stays.sum())
            entries = entries[stays]
            # Copies that stay get keys of their own, since test records are known by them.
            entries["key"] += number_in_group(entries["key"]).astype(np.uint64)
            is_labelled = entries["word"] != NO_WORD
            entries[is_labelled].tofile(self._part(_BY_KEY, number))
            self.unlabelled += int(len(entries) - is_labelled.sum())
            with open(self._path(_UNLABELLED), "ab") as file:
                file.write(entries[~is_labelled].tobytes())
        return dropped

    def _settle_ids(self, given: np.ndarray) -> int:
        """Drop drawings with the key_id of another; hand the others on, to be compared by key."""
        dropped = total = 0
        for number in range(self._parts):
            entries = self._load(self._part(_BY_ID, number))
            rank = rank_of(entries, given)
            order = np.lexsort((entries["position"], entries["file"], rank, entries["id"]))
            entries, rank = entries[order], rank[order]
            record_ids.check_once(entries[entries["word"] == NO_WORD], self._place)
            first = np.arange(len(entries)) - number_in_group(entries["id"])
            stays = (entries["key"] == entries["key"][first]) | (rank == 0)
            dropped, total = dropped + int(len(entries) - stays.sum()), total + len(entries)
            self._append(_BY_KEY, entries[stays], entries["key"][stays])
            if len(entries):
                os.remove(self._part(_BY_ID, number))
        record_ids.check_different(dropped, total)
        return dropped

    def distribute(
        self, classes: int, percentages: splits.Percentages, given: np.ndarray, balance: bool
    ) -> int:
        """Write the entries of each split in the order of their keys; count them in `counts`.

        What somebody else set apart stays so, and takes the place of the share of the others that
        would have been. Test records without labels keep the order of the files. The result is how
        many were left out for balance.

        Args:
            classes: number of labels.
            percentages: of train, valid and test.
            given: int `[files]`, as in `settle`.
            balance: whether to leave as many of each class as there are of the smallest.

        Raises:
            QuickdrawError: a test set of which only some records have labels, or ids.
        """
        # Count in a pass of its own: the smallest class is known only after all parts.
        total = np.zeros(classes, np.int64)
        for number in range(self._parts):
            total += per_class(self._load(self._part(_BY_KEY, number)), classes)
        most = int(total.min()) if balance and classes else None
        whole = {splits.SPLITS[at] for at in np.unique(given[given > 0]).tolist()}
        whole |= {"test"} if self.unlabelled else set()
        percentages = splits.without(percentages, whole)
        self.counts = {split: np.zeros(classes, np.int64) for split in splits.SPLITS}
        seen = np.zeros(classes, np.int64)  # of each class, in the parts so far
        for number in range(self._parts):
            entries = self._load(self._part(_BY_KEY, number))
            if most is not None:
                entries = first_of_each(entries, seen, most)
            which = given[entries["file"]]
            which = np.where(which > 0, which, splits.assign(entries["key"], percentages))
            for at, split in enumerate(splits.SPLITS):
                chosen = entries[which == at]
                self.counts[split] += per_class(chosen, classes)
                with open(self._path(split), "ab") as file:
                    file.write(chosen.tobytes())
        if self.unlabelled:
            self._add_unlabelled()
        return int(total.sum() - sum(count.sum() for count in self.counts.values()))

    def _add_unlabelled(self) -> None:
        entries = self._load(self._path(_UNLABELLED))
        record_ids.check_all(entries, self._place)
        if self.length("test"):
            labelled, unlabelled = self.entries("test", 0, 1)[0], entries[0]
            raise QuickdrawError(
                f"{self._place(labelled['file'], labelled['position'])}: a test record with a "
                f"label, and {self._place(unlabelled['file'], unlabelled['position'])} without: "
                "give one of the two test sets"
            )
        entries[np.lexsort((entries["position"], entries["file"]))].tofile(self._path("test"))

    def length(self, split: str) -> int:
        """Return how many drawings a split has."""
        path = self._path(split)
        return os.path.getsize(path) // ENTRY.itemsize if os.path.exists(path) else 0

    def entries(self, split: str, start: int, stop: int) -> np.ndarray:
        """Return the entries of a split from `start` to `stop`, in its order: `ENTRY` `[n]`."""
        offset = start * ENTRY.itemsize
        return np.fromfile(self._path(split), ENTRY, stop - start, offset=offset)

    def least(self, split: str, most: int) -> np.ndarray:
        """Return the entries with the least keys of a split, `ENTRY` `[n]`, at most so many."""
        length = self.length(split)
        if split == "test" and self.unlabelled:
            return np.sort(self.entries(split, 0, length), order="key")[:most]
        return self.entries(split, 0, min(length, most)) if length else np.zeros(0, ENTRY)

    def edges(self, split: str, shards: int) -> list[int]:
        """Return where each shard begins, then the end; none is empty, so there may be fewer.

        Shard i of n has keys from 2^64·i/n on; without labels, it has as many as the others.
        """
        length = self.length(split)
        if split == "test" and self.unlabelled:
            return equal_edges(length, shards)

        def key(at: int) -> int:
            return int(self.entries(split, at, at + 1)["key"][0])

        # Keys are evenly spread, so shards are of about equal size; bisection reads one entry at a
        # time, since a split may not fit into memory.
        inner = [
            bisect.bisect_left(range(length), first_key(shard, shards), key=key)
            for shard in range(1, shards)
        ]
        return sorted({0, *inner, length})

    def used_words(self) -> set[int]:
        """Return the numbers of the words that occur in the entries."""
        used: set[int] = set()
        for kind, number in itertools.product((_BY_ID, _BY_KEY), range(self._parts)):
            used.update(np.unique(self._load(self._part(kind, number))["word"]).tolist())
        return used - {NO_WORD}

    def _part(self, kind: str, number: int) -> str:
        return self._path(f"{kind}-{number:02}")

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _load(self, path: str) -> np.ndarray:
        return np.fromfile(path, ENTRY) if os.path.exists(path) else np.zeros(0, ENTRY)


def equal_edges(length: int, shards: int) -> list[int]:
    """Return where each of some equally long shards begins, then the end; none is empty."""
    return sorted({length * shard // shards for shard in range(shards + 1)})


def first_key(shard: int, shards: int) -> int:
    """Return the least key that a shard may hold."""
    return -(-(shard << 64) // shards)  # rounded up, in Python's integers: 2^64 overflows uint64
