"""An index of all drawings on disk, 34 bytes each, that is sorted part by part.

Memory holds one of up to 256 parts at a time, at some 150 bytes a drawing: 30 MB of 50 million
drawings. Sorting by key, a hash of the drawing's content, shuffles, splits and finds copies, and
depends neither on the order of the files nor on the number of processes. A test set without labels
is put back into the order of the files, part by part as well.
"""

from __future__ import annotations

import collections
import os
from collections.abc import Iterator

import numpy as np

from quickdraw.datasets import splits
from quickdraw.datasets.writing import record_ids
from quickdraw.datasets.writing.entries import (
    ENTRY,
    NO_WORD,
    OF_ANOTHER_CLASS,
    first_of_each,
    is_first,
    number_in_group,
    per_class,
    place_of,
    rank_of,
)
from quickdraw.datasets.writing.part_files import PartFiles
from quickdraw.datasets.writing.record_ids import Place
from quickdraw.errors import QuickdrawError

_UNLABELLED = "unlabelled"
_MOST_PARTS = 256
_BYTES_A_PART = 32e6  # of the source: some 100,000 drawings
_AT_ONCE = 100_000


class Index:
    """Entries, `ENTRY` of `scanning`, in files of a folder.

    Args:
        folder: a local folder that exists.
        source_bytes: size of what is indexed.
        place: returns where a drawing is, given the number of its file and its position there.

    Attributes:
        counts: by split, how many drawings of each label there are, int64 `[classes]`.
        used_words: the numbers of the words that occur in the entries.
        unlabelled: how many test records have no label.
        repeated: how many test records show what another one shows.
        disputed: a drawing and a copy of it with another label, `ENTRY` `[2]`; `[0]` without any.
    """

    def __init__(self, folder: str, source_bytes: int, place: Place):
        self._folder, self._place = folder, place
        parts = min(1 + int(source_bytes / _BYTES_A_PART), _MOST_PARTS)
        self._by_id = PartFiles(folder, "id", parts)
        self._by_key = PartFiles(folder, "key", parts)
        self._by_place = PartFiles(folder, "place", parts)
        self._waiting: list[np.ndarray] = []
        self.used_words: set[int] = set()
        self.counts = {split: np.zeros(0, np.int64) for split in splits.SPLITS}
        self.unlabelled = self.repeated = 0
        self.disputed = np.zeros(0, ENTRY)

    def add(self, entries: np.ndarray) -> None:
        """Take in entries, `ENTRY` `[n]`."""
        self.used_words.update(entries["word"].tolist())
        self.used_words.discard(NO_WORD)
        self._waiting.append(entries)
        if sum(map(len, self._waiting)) >= _AT_ONCE:
            self._append_waiting()

    def _append_waiting(self) -> None:
        """Append to the parts what was taken in, much at once, for every part is a file."""
        entries = np.concatenate([*self._waiting, np.zeros(0, ENTRY)])
        self._waiting.clear()
        has_id = entries["id"] != 0
        # Those with an id are first compared by it. Ids are not spread evenly over the 64 bits;
        # their products with a large odd number are.
        spread = entries["id"][has_id] * np.uint64(0x9E3779B97F4A7C15)
        self._by_id.append_by_hash(entries[has_id], spread)
        self._by_key.append_by_hash(entries[~has_id], entries["key"][~has_id])

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
        self._append_waiting()
        dropped = collections.Counter({record_ids.OTHERS_ID: self._settle_ids(given)})
        for number in range(self._by_key.count):
            entries = self._by_key.load(number)
            known = entries["word"] != NO_WORD
            entries["word"][known] = label_of[entries["word"][known]]
            # lexsort sorts by its last key first: copies share a key and lie side by side.
            rank = rank_of(entries, given)
            order = np.lexsort(
                (entries["position"], entries["file"], entries["word"], rank, entries["key"])
            )
            entries, rank = entries[order], rank[order]
            stays = is_first(entries["key"]) | (rank == 0)
            disputed = int((self._disputed(entries) & ~stays).sum())
            dropped[OF_ANOTHER_CLASS] += disputed
            dropped["duplicate"] += int(len(entries) - stays.sum()) - disputed
            self.repeated += int((stays & ~is_first(entries["key"])).sum())
            entries = entries[stays]
            # Copies that stay get keys of their own, since test records are known by them.
            entries["key"] += number_in_group(entries["key"]).astype(np.uint64)
            is_labelled = entries["word"] != NO_WORD
            self._by_key.replace(number, entries[is_labelled])
            self.unlabelled += int(len(entries) - is_labelled.sum())
            self._append(_UNLABELLED, entries[~is_labelled])
        return dropped

    def _disputed(self, entries: np.ndarray) -> np.ndarray:
        """Return which copies, side by side, have another label than the first: bool `[n]`."""
        first = np.arange(len(entries)) - number_in_group(entries["key"])
        words = entries["word"]
        found = (words != words[first]) & (words != NO_WORD) & (words[first] != NO_WORD)
        if found.any() and not len(self.disputed):
            at = int(found.argmax())
            self.disputed = entries[[first[at], at]]
        return found

    def _settle_ids(self, given: np.ndarray) -> int:
        """Drop drawings with the key_id of another; hand the others on, to be compared by key."""
        dropped = total = 0
        for number in range(self._by_id.count):
            entries = self._by_id.take(number)
            rank = rank_of(entries, given)
            order = np.lexsort((entries["position"], entries["file"], rank, entries["id"]))
            entries, rank = entries[order], rank[order]
            record_ids.check_once(entries[entries["word"] == NO_WORD], self._place)
            first = np.arange(len(entries)) - number_in_group(entries["id"])
            stays = (entries["key"] == entries["key"][first]) | (rank == 0)
            dropped, total = dropped + int(len(entries) - stays.sum()), total + len(entries)
            self._by_key.append_by_hash(entries[stays], entries["key"][stays])
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
        for number in range(self._by_key.count):
            total += per_class(self._by_key.load(number), classes)
        most = int(total.min()) if balance and classes else None
        whole = {splits.SPLITS[at] for at in given[given > 0].tolist()}
        whole |= {"test"} if self.unlabelled else set()
        percentages = splits.without(percentages, whole)
        self.counts = {split: np.zeros(classes, np.int64) for split in splits.SPLITS}
        seen = np.zeros(classes, np.int64)  # of each class, in the parts so far
        for number in range(self._by_key.count):
            entries = self._by_key.load(number)
            if most is not None:
                entries = first_of_each(entries, seen, most)
            which = given[entries["file"]]
            which = np.where(which > 0, which, splits.assign(entries["key"], percentages))
            for at, split in enumerate(splits.SPLITS):
                chosen = entries[which == at]
                self.counts[split] += per_class(chosen, classes)
                self._append(split, chosen)
        if self.unlabelled:
            self._add_unlabelled()
        return int(total.sum() - sum(count.sum() for count in self.counts.values()))

    def _add_unlabelled(self) -> None:
        """Make the test set of what has no labels, in the order of the files."""
        if self.length("test"):
            labelled, unlabelled = (self.entries(of, 0, 1)[0] for of in ("test", _UNLABELLED))
            raise QuickdrawError(
                f"{self._place(labelled['file'], labelled['position'])}: a test record with a "
                f"label, and {self._place(unlabelled['file'], unlabelled['position'])} without: "
                "give one of the two test sets"
            )
        # In the order of keys, which are hashes, the first ones are a fair sample of the places:
        # they cut the files into parts of about equal size.
        sample = np.sort(place_of(self.least("test", _AT_ONCE)))
        parts = self._by_place.count
        edges = sample[np.arange(1, parts) * len(sample) // parts]
        for entries in self._slices(_UNLABELLED):
            self._by_place.append(entries, np.searchsorted(edges, place_of(entries), "right"))
        for number in range(parts):
            entries = self._by_place.take(number)
            self._append("test", entries[np.argsort(place_of(entries))])
        record_ids.check_all(self._slices("test"), self._place)

    def _slices(self, name: str) -> Iterator[np.ndarray]:
        length = self.length(name)
        for start in range(0, length, _AT_ONCE):
            yield self.entries(name, start, min(start + _AT_ONCE, length))

    def _append(self, name: str, entries: np.ndarray) -> None:
        with open(self._path(name), "ab") as file:
            file.write(entries.tobytes())

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
        by_key = _UNLABELLED if split == "test" and self.unlabelled else split
        length = self.length(by_key)
        return self.entries(by_key, 0, min(length, most)) if length else np.zeros(0, ENTRY)

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)
