"""Pictures whose classes stand in csv files beside them, whatever their folders are called."""

from __future__ import annotations

import collections
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from quickdraw import storage
from quickdraw.console import log
from quickdraw.datasets.sources import label_tables, unread
from quickdraw.datasets.sources.base import Source
from quickdraw.datasets.sources.formats import FORMATS, METADATA
from quickdraw.datasets.sources.label_tables import Album, LabelTable, Picture
from quickdraw.datasets.sources.official import split_of
from quickdraw.datasets.sources.pictures import Pictures, pictures_in

if TYPE_CHECKING:
    from quickdraw.datasets.sources.finding import Found
    from quickdraw.datasets.sources.openers import Wish

_DEEP = 2  # folders below the source, such as train/cat/
_MADE_UP = re.compile(r"submission", re.IGNORECASE)  # Kaggle's sample of what to hand in


class LabelledPictures(Pictures):
    """Pictures of one folder, each of its own class.

    Args:
        path: the folder.
        words: of each picture, by its name, the class; None of a test picture. Others of the folder
            are left out.
        split: `train`, `valid` or `test`, where somebody has set them apart.
    """

    def __init__(self, path: str, words: Mapping[str, str | None], split: str | None):
        super().__init__(path, None)
        self.names = [name for name in self.names if name in words]
        self._words, self.split = words, split

    def word(self, position: int) -> str | None:
        return self._words[self.names[position]]


def opened(wish: Wish, found: Found) -> Source | None:
    """Open pictures whose classes stand in csv files; None where these are about something else."""
    root = found.path
    if not storage.is_folder(root) or {*found.kinds.values()} - {"pictures"}:
        return None
    inner = [os.path.basename(each) for each in (*found.kinds, *found.others)]
    if not (tables := _tables(root, ["", *inner])):
        return None
    folders = {each: pictures_in(os.path.join(root, each)) for each in _folders(root)}
    named = {os.path.basename(each) for each, held in folders.items() if held}
    classes = [name for name in named if name and not split_of(name)]
    pictures = ((folder, name) for folder, held in folders.items() for name in held)
    album = Album(pictures, has_classes=len(classes) > 1)
    tables = [table for table in tables if label_tables.read(table, album, wish.label_key)]
    if not tables:
        return None
    files = _files(root, folders, tables)
    wish.read.update(table.path for table in tables)
    wish.read.update(file.place(at) for file in files for at in range(len(file.names)))
    log(f"the classes of the pictures are those in {', '.join(table.path for table in tables)}")
    return Source(FORMATS["pictures"], list(files), unread=_unread(root, folders, files, tables))


def _tables(root: str, folders: Iterable[str]) -> list[LabelTable]:
    """Return the files of rows in folders, unread; not Kaggle's sample of what to hand in."""
    paths = [
        os.path.join(folder, name)
        for folder in folders
        if storage.is_folder(os.path.join(root, folder))
        for name in storage.listdir(os.path.join(root, folder))
        if name.lower().endswith((".csv", ".tsv", METADATA))
        and name[0] != "."
        and not _MADE_UP.search(name)
    ]
    return [LabelTable(os.path.join(root, path), split_of(path)) for path in sorted(paths)]


def _files(root: str, folders: Mapping[str, list[str]], tables: list[LabelTable]) -> list[Pictures]:
    """Return the pictures of each folder and each split, and of test folders without rows."""
    groups: dict[tuple[str, str | None], dict[str, str | None]] = collections.defaultdict(dict)
    told: dict[Picture, str | None] = {}
    for table in tables:
        told |= dict.fromkeys(table.words, table.split) | table.splits
    for (folder, name), word in label_tables.merged(tables).items():
        groups[folder, split_of(folder) or told[folder, name]][name] = word
    for folder, held in folders.items():
        if split_of(folder) == "test" and (folder, "test") not in groups:
            groups[folder, "test"] = dict.fromkeys(held)
    return [
        LabelledPictures(os.path.join(root, folder), words, split)
        for (folder, split), words in sorted(groups.items(), key=str)
        if words
    ]


def _folders(root: str, below: str = "", deep: int = _DEEP) -> Iterator[str]:
    """Yield a folder and those in it, as seen from the source."""
    yield below
    for name in storage.listdir(os.path.join(root, below)) if deep else ():
        inner = os.path.join(below, name)
        if name[0] not in "._" and storage.is_folder(os.path.join(root, inner)):
            yield from _folders(root, inner, deep - 1)


def _unread(
    root: str, folders: Mapping[str, list[str]], files: list[Pictures], tables: list[LabelTable]
) -> dict[str, int]:
    """Count what was not read: other files, pictures without a row, and rows without a picture."""
    taken = {file.place(at) for file in files for at in range(len(file.names))}
    taken |= {table.path for table in tables}
    within = {os.path.join(root, each) for each in folders}
    inside = {
        os.path.join(folder, name)
        for folder in (root, *within - {os.path.join(root, "")})
        for name in storage.listdir(folder)
    }
    counts = unread.counted(sorted(inside - taken - within), root)
    for table in tables:
        name = os.path.basename(table.path)
        counts |= {f"column {column!r} of {name}": 1 for column in table.unused}
        for rows, what in ((table.strangers, "a picture"), (table.missing, "a class")):
            if rows:
                counts[f"rows of {name} without {what}, such as {rows[0]!r}"] = len(rows)
    return counts
