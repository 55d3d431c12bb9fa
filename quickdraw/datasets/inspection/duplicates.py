"""Drawings with the very same pixels, within a split and across splits.

Kept of each drawing are 24 bytes: the hash of its pixels and where it stands.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from quickdraw.datasets.inspection.contents import UNLABELLED, Batch

_SHOWN = 20
_ENTRY = np.dtype([("key", "u8"), ("split", "i4"), ("label", "i4"), ("file", "i4"), ("at", "u4")])

Group = list[tuple[int, int, int]]
"""Copies of one drawing: (label, file, record) of each, the first few."""


@dataclasses.dataclass
class Duplicates:
    """Drawings that are there more than once.

    Attributes:
        within: split → drawings beyond the first of their kind in it.
        across: (split, split) → different drawings that both have.
        conflicting: different drawings that are there under several labels.
        groups: some of the drawings that are there more than once; those across splits first.
    """

    within: dict[int, int]
    across: dict[tuple[int, int], int]
    conflicting: int
    groups: list[Group]


class PixelIndex:
    """Drawings by the hash of their pixels: batches are taken in, and compared at the end."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []

    def add(self, batch: Batch, splits: np.ndarray) -> None:
        """Take in a batch.

        Args:
            batch: `n` drawings.
            splits: int64 `[n]`, the split that each of them is in.
        """
        part = np.empty(len(batch.keys), _ENTRY)
        part["key"], part["split"], part["label"] = batch.keys, splits, batch.labels
        part["file"], part["at"] = batch.files, batch.numbers
        self._parts.append(part)

    def find(self) -> Duplicates:
        """Return the drawings that are there more than once; the index is empty afterwards."""
        parts, self._parts = self._parts, []
        keys = np.concatenate([np.empty(0, "u8"), *(part["key"] for part in parts)])
        keys.sort()
        repeated = np.unique(keys[1:][keys[1:] == keys[:-1]])
        entries = np.concatenate(
            [np.empty(0, _ENTRY), *(part[np.isin(part["key"], repeated)] for part in parts)]
        )
        entries = entries[np.lexsort((entries["split"], entries["key"]))]
        found = Duplicates({}, {}, 0, [])
        if len(entries):
            _count(entries, found)
        return found


def _count(entries: np.ndarray, found: Duplicates) -> None:
    """Count the copies among entries sorted by key, then split: `_ENTRY` `[n]`."""
    new_key = np.r_[True, entries["key"][1:] != entries["key"][:-1]]
    new_pair = new_key | np.r_[True, entries["split"][1:] != entries["split"][:-1]]
    group = np.cumsum(new_key) - 1
    extra = entries["split"][~new_pair]
    found.within = {
        int(split): int(n) for split, n in zip(*np.unique(extra, return_counts=True), strict=True)
    }
    members = np.zeros((group[-1] + 1, entries["split"].max() + 1), bool)
    members[group, entries["split"]] = True
    for first in range(members.shape[1]):
        for second in range(first + 1, members.shape[1]):
            if both := int((members[:, first] & members[:, second]).sum()):
                found.across[first, second] = both
    known = entries["label"] != UNLABELLED
    lowest = np.full(len(members), np.iinfo(np.int64).max)
    highest = np.full(len(members), -1)
    np.minimum.at(lowest, group[known], entries["label"][known])
    np.maximum.at(highest, group[known], entries["label"][known])
    found.conflicting = int((lowest < highest).sum())
    starts = np.flatnonzero(new_key)
    worst = np.lexsort((-np.diff(np.r_[starts, len(entries)]), -members.sum(axis=1)))
    for chosen in worst[:_SHOWN]:
        copies = entries[starts[chosen] :][: np.sum(group == chosen)][:4]
        found.groups.append([(int(e["label"]), int(e["file"]), int(e["at"])) for e in copies])
