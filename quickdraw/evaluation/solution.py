"""The right answers of a test set, found by the hash of an id: some 30 bytes a drawing."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from quickdraw.errors import QuickdrawError
from quickdraw.evaluation.answer_rows import LABELS, read_rows

_DIGITS = 6  # more than any number of classes has


class Solution:
    """What each id is, in the order of the file.

    Attributes:
        labels: the right label of each drawing, int32.
    """

    def __init__(self, file: BinaryIO, name: str):
        """Read a file `image_id,label`.

        Args:
            file: open for reading bytes.
            name: what it is called in messages.

        Raises:
            QuickdrawError: it is empty, an id is there twice, or a label is no number.
        """
        header, parts = read_rows(file, name)
        if header != LABELS:
            raise QuickdrawError(
                f"{name}: the header must be image_id,label. Received: {','.join(header)}"
            )
        hashes, labels, faults = [], [], []
        numbers = _Numbers()
        for rows in parts:
            hashes.append(rows.hashes())
            labels.append(np.fromiter(map(numbers.__getitem__, rows.answers), np.int32, len(rows)))
            faults += [rows.line(int(at)) for at in np.flatnonzero(labels[-1] < 0)[:1]]
        if not hashes:
            raise QuickdrawError(f"{name}: the solution is empty")
        ids, self.labels = np.concatenate(hashes), np.concatenate(labels)
        self._order = np.argsort(ids, kind="stable")
        self._sorted = ids[self._order]
        twice = self._order[1:][self._sorted[1:] == self._sorted[:-1]]
        faults += [int(twice.min()) + 2] if len(twice) else []
        if faults:
            raise QuickdrawError(
                f"{name}, line {min(faults)}: a doubled id or a label that is no number"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def positions(self, hashes: np.ndarray) -> np.ndarray:
        """Return where ids stand in the file, counted from 0; -1: nowhere. int64 `[n]`.

        Args:
            hashes: of the ids, as `AnswerRows.hashes` returns them, int64 `[n]`.
        """
        at = np.minimum(np.searchsorted(self._sorted, hashes), len(self._sorted) - 1)
        return np.where(self._sorted[at] == hashes, self._order[at], -1)


class _Numbers(dict[str, int]):
    """What a label's text means; -1 where it is no number."""

    def __missing__(self, text: str) -> int:
        self[text] = number = int(text) if text.isdecimal() and len(text) <= _DIGITS else -1
        return number


def ids_at(file: BinaryIO, name: str, positions: list[int]) -> list[str]:
    """Return the ids that stand at some places of a solution, which ascend."""
    _, parts = read_rows(file, name)
    found: list[str] = []
    start = 0
    for rows in parts:
        while len(found) < len(positions) and positions[len(found)] < start + len(rows):
            found.append(rows.ids[positions[len(found)] - start])
        start += len(rows)
        if len(found) == len(positions):
            parts.close()  # type: ignore[attr-defined]
            break
    return found
