"""Ids of test records, by which a leaderboard knows them: each is there, and there once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from quickdraw.datasets.writing.entries import ENTRY
from quickdraw.errors import QuickdrawError

Place = Callable[[int, int], str]
"""Returns where a drawing is, given the number of its file and its position there."""

OTHERS_ID = "key_id of another drawing"
"""Why a drawing is left out that has the key_id of one that came before."""

_ROUNDED = 10
_FIFTEEN_DIGITS = np.uint64(10**15)


def check_once(entries: np.ndarray, place: Place) -> None:
    """Raise QuickdrawError if entries, `ENTRY` `[n]`, sorted by id, have an id twice."""
    (twice,) = np.nonzero(entries["id"][1:] == entries["id"][:-1])
    if len(twice):
        one, other = (_place(entries[twice[0] + at], place) for at in (0, 1))
        raise QuickdrawError(
            f"{one} and {other} have one key_id: an id may stand in a test set once. Give one of "
            "the files, or take the copy out"
        )


def check_different(dropped: int, total: int) -> None:
    """Raise QuickdrawError if so many drawings have the key_id of another that it is none."""
    if 2 * dropped > total:
        raise QuickdrawError(
            f"a key_id is the number of one drawing, but {dropped:,} of {total:,} drawings have "
            "that of another one: leave out the field or the column key_id"
        )


def check_all(parts: Iterable[np.ndarray], place: Place) -> None:
    """Check the ids of all records of a test set without labels.

    Args:
        parts: its entries, `ENTRY` `[n]` each, in the order of the files.
        place: where a drawing is, for the message.

    Raises:
        QuickdrawError: some have none, or all were rounded by a table program.
    """
    total = with_id = rounded = 0
    first, without = np.zeros(0, ENTRY), np.zeros(0, ENTRY)
    for entries in parts:
        ids = entries["id"]
        # Table programs keep 15 digits: of Quick, Draw!'s 16 the last one becomes 0.
        rounded += int(((ids >= _FIFTEEN_DIGITS) & (ids % 10 == 0)).sum())
        with_id += int((ids != 0).sum())
        total += len(entries)
        first = np.append(first, entries[:1])[:1]
        without = np.append(without, entries[ids == 0][:1])[:1]
    if 0 < with_id < total:
        raise QuickdrawError(
            f"{_place(without[0], place)}: a test record without a key_id, which the "
            "others have: a leaderboard would not know it"
        )
    if rounded == total >= _ROUNDED:
        raise QuickdrawError(
            f"{_place(first[0], place)}: the key_ids of all {total:,} test records end in 0, "
            "as table programs round them: take the original file"
        )


def _place(entry: np.void, place: Place) -> str:
    return place(int(entry["file"]), int(entry["position"]))
