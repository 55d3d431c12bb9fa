"""Csv files that say which class each picture is of, as Kaggle ships them: `train.csv`."""

from __future__ import annotations

import collections
import dataclasses
import functools
import os
import re
from collections.abc import Iterable, Mapping, Sequence

from quickdraw.datasets.sources import label_rows, names
from quickdraw.datasets.sources.labelling import telling_of
from quickdraw.datasets.sources.official import split_of
from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.records.class_names import is_missing

Picture = tuple[str, str]
"""The folder of a picture, seen from the source ("" for that itself), and its name there."""

_LOOKED_AT = 100  # rows
_SPLIT = ("split", "set", "subset", "usage", "partition")
_ZEROS = re.compile(r"(?<![^/])0+(?=\d+(\.\D\w*)?$)")
_WHOLE = re.compile(r"(\d+)\.0*")


@dataclasses.dataclass
class LabelTable:
    """A csv file with a column that names pictures, and one with their classes.

    Attributes:
        path: the file.
        split: `train`, `valid` or `test`, where its name tells.
        words: of each picture its class; None in a list of test pictures.
        strangers: names in the file that are of no picture.
        missing: names of pictures without a class.
        splits: of pictures, where a column tells them.
        unused: the names of columns that are not read.
    """

    path: str
    split: str | None
    words: dict[Picture, str | None] = dataclasses.field(default_factory=dict)
    strangers: list[str] = dataclasses.field(default_factory=list)
    missing: list[str] = dataclasses.field(default_factory=list)
    splits: dict[Picture, str] = dataclasses.field(default_factory=dict)
    unused: list[str] = dataclasses.field(default_factory=list)


class Album:
    """Pictures, found by what a table calls them: with their folders and their ending, or without.

    Args:
        pictures: all there are.
        has_classes: whether their folders are classes; then a table must give their endings, since
            a column of numbers may be about anything.
    """

    def __init__(self, pictures: Iterable[Picture], has_classes: bool):
        self.has_classes = has_classes
        self._called: dict[str, list[Picture]] = collections.defaultdict(list)
        for folder, name in pictures:
            parts = [*filter(None, folder.split("/")), name]
            for start in range(len(parts)):
                called = "/".join(parts[start:])
                short = called if has_classes else os.path.splitext(called)[0]
                for each in {called, short}:
                    self._called[each].append((folder, name))

    @functools.cached_property
    def _alike(self) -> dict[str, list[Picture]]:
        alike: dict[str, list[Picture]] = collections.defaultdict(list)
        for called, pictures in self._called.items():
            alike[_plain(called)] += pictures
        return alike

    def meant(self, called: str, split: str | None) -> list[Picture]:
        """Return the pictures that a row of a table may mean, given the split it is of.

        A name that is of none is looked for in other capitals, and without zeros before a number,
        which table programs leave out.
        """
        parts = [part.strip() for part in called.replace("\\", "/").split("/")]
        for start in range(len(parts)):
            name = "/".join(parts[start:])
            found = self._called.get(name) or self._alike.get(_plain(name), [])
            if meant := [
                each for each in found if split_of(each[0]) in (None, split or split_of(each[0]))
            ]:
                return meant
        return []


def _plain(called: str) -> str:
    """Return `7.png` for `0007.PNG`."""
    return _ZEROS.sub("", called).casefold()


def read(table: LabelTable, album: Album, label_key: str | None) -> bool:
    """Read a csv file that says which class pictures are of; return False if it has something else.

    Args:
        table: to be filled.
        album: the pictures.
        label_key: the column with the class; None takes the one that sounds like it.

    Raises:
        QuickdrawError: it is about pictures, and which column has the class cannot be told.
    """
    try:
        rows = label_rows.read(table.path)
    except QuickdrawError:
        if album.has_classes:
            return False
        raise
    matches = [
        (sum(bool(album.meant(cell, table.split)) for cell in column), len(set(column)))
        for column in zip(*rows[:_LOOKED_AT], strict=True)
    ]
    if not any(count for count, _ in matches):
        return False
    at = matches.index(max(matches))
    has_header = not album.meant(rows[0][at], table.split)
    header = [names.clean(cell) for cell in rows[0]] if has_header else [""] * len(rows[0])
    header, rows, at = label_rows.without_one_hot(header, rows, at, label_key)
    label_at = _label_column(table, header, at, label_key, not album.has_classes)
    is_list = label_at is None and table.split == "test"
    if label_at is None and not is_list:
        return False
    split_at = _split_column(header, rows[has_header:])
    used = {at, label_at, split_at}
    table.unused = [name for column, name in enumerate(header) if name and column not in used]
    for row in rows[has_header:]:
        picture = _picture(album.meant(row[at], table.split), row[at], table.path)
        word = None if label_at is None else _word(row[label_at])
        if picture is not None and split_at is not None:
            table.splits[picture] = split_of(row[split_at]) or ""
        if picture is None:
            table.strangers.append(row[at])
        elif word is not None and is_missing(word):
            table.missing.append(row[at])
        elif table.words.setdefault(picture, word) != word:
            raise QuickdrawError(
                f"{table.path}: one class a picture expected. Received: {row[at]}: "
                f"{table.words[picture]!r} and {word!r}"
            )
    return True


def _picture(meant: Sequence[Picture], called: str, path: str) -> Picture | None:
    """Return the only picture that is meant, if any."""
    if len(meant) > 1:
        which = " and ".join(os.path.join(*picture) for picture in meant[:2])
        raise QuickdrawError(f"{path}: {called!r} is {which}: name them with their folders")
    return meant[0] if meant else None


def _label_column(
    table: LabelTable, header: Sequence[str], at: int, label_key: str | None, is_needed: bool
) -> int | None:
    """Return the column with the class; None if there is none."""
    others = [column for column in range(len(header)) if column != at]
    if label_key:
        if label_key not in header:
            raise QuickdrawError(
                f"{table.path}: there is no column {label_key!r}{did_you_mean(label_key, header)}"
            )
        return header.index(label_key)
    telling = [column for column in others if telling_of([header[column]])]
    if len(telling) == 1:
        return telling[0]
    if is_needed and len(others) == 1:
        return others[0]
    if telling or (is_needed and others and table.split != "test"):
        columns = " or ".join(repr(header[column]) for column in telling or others)
        raise QuickdrawError(
            f"{table.path}: --label_key tells which column has the classes: {columns}"
        )
    return None


def _split_column(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int | None:
    """Return the column that says of each picture which split it is of; None if there is none."""
    for column, name in enumerate(header):
        if name.lower() in _SPLIT and all(split_of(row[column]) for row in rows):
            return column
    return None


def _word(cell: str) -> str:
    word = names.clean(cell)
    whole = _WHOLE.fullmatch(word)
    return whole[1] if whole else word


def merged(tables: Sequence[LabelTable]) -> Mapping[Picture, str | None]:
    """Return of each picture the class, of all tables.

    Raises:
        QuickdrawError: they do not agree.
    """
    words: dict[Picture, str | None] = {}
    of: dict[Picture, str] = {}
    for table in tables:
        for picture, word in table.words.items():
            if words.setdefault(picture, word) != word:
                raise QuickdrawError(
                    f"{of[picture]} and {table.path}: one class a picture expected. Received: "
                    f"{picture[1]}: {words[picture]!r} and {word!r}"
                )
            of.setdefault(picture, table.path)
    return words
