"""Names of classes: a label is a number, and means nothing without the list that it indexes.

Wherever two sets of records, or a run and a set, meet, their lists are compared by name.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence

from quickdraw import storage
from quickdraw.errors import QuickdrawError
from quickdraw.records import class_names

_SHOWN = 20
_HEADER = ["label", "name"]


def same(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two lists name the same classes in the same order."""
    return _keys(one) == _keys(other)


def same_classes(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two lists name the same classes in any order."""
    return sorted(_keys(one)) == sorted(_keys(other))


def numbers_in(own: Sequence[str], others: Sequence[str]) -> list[int] | None:
    """Return for each name its number in another list; None where one of them is not there."""
    number_of = {key: number for number, key in enumerate(_keys(others))}
    numbers = [number_of.get(key, -1) for key in _keys(own)]
    return None if -1 in numbers else numbers


def differ(where: str, own: Sequence[str], whose: str, others: Sequence[str]) -> QuickdrawError:
    """Return the error that two lists do not name the same classes.

    Args:
        where: what the first list belongs to, such as a path.
        own: the list.
        whose: what the other one belongs to, and was expected.
        others: the other list.
    """
    more = ""
    if max(len(own), len(others)) > _SHOWN:  # the lists below are cut: what differs may be missing
        one, other = _without(own, others), _without(others, own)
        more = f". Not expected: {_first(one) or 'none'}. Missing: {_first(other) or 'none'}"
    return QuickdrawError(
        f"{where} has other labels than {whose}: expected {listed(others)}. Received "
        f"{listed(own)}{more}"
    )


def _without(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return the names that are not among the others."""
    known = set(_keys(others))
    return [name for name, key in zip(names, _keys(names), strict=True) if key not in known]


def listed(names: Sequence[str]) -> str:
    """Return a list in words; of a long one the beginning."""
    return f"{len(names):,} classes ({_first(names)})"


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + ", …" * (len(names) > _SHOWN)


def _keys(names: Sequence[str]) -> list[str]:
    return [class_names.spaced(class_names.clean(name)) for name in names]


def read(path: str) -> list[str]:
    """Read the names of classes from a file.

    It is a text with one name a line, a table `label,name`, or JSON: a list, or a dataset.json.

    Raises:
        QuickdrawError: no such file, no name, an empty one, or one that is there twice.
    """
    if path.endswith(".json"):
        content = storage.read_json(path)
        names = content.get("labels") if isinstance(content, dict) else content
    else:
        names = _from_text(path)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise QuickdrawError(f"{path}: a list of names expected. Received: {names!r:.80}")
    check(names, path)
    return names


def check(names: Sequence[str], path: str) -> None:
    """Raise QuickdrawError unless there are names, none of them empty, and each once."""
    keys = _keys(names)
    if not all(keys) or not keys:
        line = keys.index("") if keys else 0
        raise QuickdrawError(f"{path}: no name for the label {line}")
    first: dict[str, int] = {}
    for number, key in enumerate(keys):
        if (other := first.setdefault(key, number)) != number:
            raise QuickdrawError(
                f"{path}: the labels {other} and {number} have one name: {names[number]!r}"
            )


def _from_text(path: str) -> list[str]:
    with storage.open_binary(path) as file:
        content = file.read()
    try:
        lines = content.decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise QuickdrawError(f"{path}: not a UTF-8 text file ({error})") from None
    if lines[:1] != [",".join(_HEADER)]:
        return [line.strip() for line in lines]
    names = []
    for number, row in enumerate(csv.reader(lines[1:])):
        if len(row) != 2 or row[0] != str(number):
            raise QuickdrawError(
                f"{path}, line {number + 2}: the label {number} and its name expected. "
                f"Received: {row}"
            )
        names.append(row[1])
    return names


def beside(path: str) -> str:
    """Return the file of names beside a file of labels: `predictions.labels.csv`."""
    return f"{os.path.splitext(path)[0]}.labels.csv"


def write(path: str, names: Sequence[str]) -> None:
    """Write a table `label,name`, whole or not at all."""
    with storage.write_whole(path) as file:
        csv.writer(file, lineterminator="\n").writerows([_HEADER, *enumerate(names)])
