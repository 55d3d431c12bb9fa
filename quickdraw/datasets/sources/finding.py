"""Finds the files with drawings in a folder or by a pattern, of one format and one data set."""

from __future__ import annotations

import collections
import dataclasses
import os
import re
import shlex
from collections.abc import Callable, Sequence

from quickdraw import storage
from quickdraw.datasets.sources import unread
from quickdraw.datasets.sources.formats import FORMATS, kind_of
from quickdraw.datasets.sources.pictures import pictures_in
from quickdraw.drawings import greyscale
from quickdraw.errors import QuickdrawError

_SET = re.compile(r"(?<![a-z])(train|test|t10k|valid|val|images|imgs)(?![a-z])")
_SHOWN = 3
_FLOORS = 3
_WAYS = {
    (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar"): "an archive: unpack it first",
    (".bz2", ".xz", ".zst", ".lz4"): "packed, and only gzip is read as it is: unpack it first",
    (".parquet", ".arrow"): "a table of Hugging Face's: write its pictures as <class>/<number>.png "
    "(row['image']['bytes']), or its strokes as ndjson, which are read",
    (".h5", ".hdf5", ".mat", ".pkl", ".pickle", ".pt", ".pth"): "files that are not read: save the "
    "arrays by np.savez('data.npz', images=…, labels=…), images in uint8",
    (
        ".csv",
        ".tsv",
    ): "a csv file has a column 'drawing' of strokes, or a label and 784 pixels a "
    "row (df['pixels'].str.split(expand=True) makes such of one); or it names pictures in the same "
    "folder",
    (".json", ".txt"): "drawings are {'word': …, 'drawing': …}, one a line or in a list, in a file "
    "NAME.ndjson or NAME.json",
}
"""Endings of files that are not read → what they are, and what to do."""


@dataclasses.dataclass
class Found:
    """What lies at a path.

    Attributes:
        path: the file, folder or pattern.
        kinds: the files with drawings, and the folders with pictures, and the format of each.
        others: the files and folders that are neither; hidden ones are left out.
    """

    path: str
    kinds: dict[str, str]
    others: list[str]


def look(path: str) -> Found:
    """Return what lies at a path.

    Raises:
        QuickdrawError: nothing does.
    """
    is_alone = False
    if storage.is_folder(path):
        entries = [os.path.join(path, name) for name in storage.listdir(path) if name[0] != "."]
    elif any(character in path for character in "*?["):
        entries = storage.expand(path)
    elif storage.exists(path):
        entries, is_alone = [path], True
    else:
        hint = ""
        if "," in path and all(storage.exists(each.strip()) for each in path.split(",")):
            hint = ". One is expected: a folder of them, or a pattern such as 'folder/*.ndjson'"
        raise QuickdrawError(f"{path}: there is no such file or folder{hint}")
    kinds = {entry: kind_of(entry, is_alone) for entry in entries}
    # Beside what it unpacks to, as torchvision leaves MNIST: a test set would be there twice.
    for entry in [each for each in kinds if each.endswith(".gz")]:
        if kinds[entry] == kinds.get(entry.removesuffix(".gz")):
            kinds[entry] = None
    return Found(
        path,
        {entry: kind for entry, kind in kinds.items() if kind},
        [entry for entry, kind in kinds.items() if not kind],
    )


def of_one_format(found: Found, told: str | None) -> tuple[list[str], str]:
    """Return the files, or the folders of pictures, of the format that is told or the only one.

    Raises:
        QuickdrawError: there are none, or of several formats.
    """
    kinds = collections.Counter(found.kinds.values())
    if told and not kinds[told] and not storage.is_folder(found.path) and told != "pictures":
        return [*found.kinds, *found.others], told  # whoever names a file may name its format
    if told or len(kinds) == 1:
        kind = told or next(iter(kinds))
        if chosen := [path for path, each in found.kinds.items() if each == kind]:
            return chosen, kind
    if kinds and not told:
        several = ", ".join(_counted(found, kind) for kind in sorted(kinds))
        ways = " or ".join(f"--format={kind}" for kind in sorted(kinds))
        raise QuickdrawError(f"{found.path}: one format expected. Received: {several}; {ways}")
    what = f"files of {FORMATS[told]}" if told else f"one of {', '.join(FORMATS)}"
    if told == "pictures":
        what = "folders <category>/ of pictures"
    holds = ", ".join(_counted(found, kind) for kind in sorted(kinds)) or "none of them"
    raise QuickdrawError(f"{found.path}: {what} expected. Received: {holds}{_below(found)}")


def of_one_set(path: str, files: Sequence[str], set_of: Callable[[str], str]) -> None:
    """Raise QuickdrawError if files belong to several data sets, whose labels mean other things.

    Args:
        path: where they were found, for the message.
        files: their paths.
        set_of: returns what the names of all files of one set begin with.
    """
    sets = {set_of(os.path.basename(each)): os.path.basename(each) for each in files}
    if len(sets) > 1:
        folder = path if storage.is_folder(path) else os.path.dirname(path)
        one = shlex.quote(os.path.join(folder, f"{max(sets)}*"))
        raise QuickdrawError(
            f"{path}: several data sets, whose labels mean other things: those of "
            f"{', '.join(sets.values())}. Take one, such as --source={one}, or give each a folder"
        )


def set_of_images(name: str) -> str:
    """Return what the files of one data set begin with, `kmnist-` for `kmnist-train-imgs.npz`."""
    return _SET.split(name.lower())[0] if _SET.search(name.lower()) else name


def _counted(found: Found, kind: str) -> str:
    names = [os.path.basename(path) for path, each in found.kinds.items() if each == kind]
    more = ", …" if len(names) > _SHOWN else ""
    return f"{len(names)} {FORMATS[kind]} ({', '.join(names[:_SHOWN])}{more})"


def _nearest(found: Found, floors: int) -> Found | None:
    """Return the first folder with drawings that lies so many floors below, or fewer."""
    folders = map(look, filter(storage.is_folder, found.others)) if floors else ()
    for inner in folders:
        if nearest := inner if inner.kinds else _nearest(inner, floors - 1):
            return nearest
    return None


def _below(found: Found) -> str:
    """Return the end of a message: what there is instead, or some floors below."""
    if inner := _nearest(found, _FLOORS):
        kinds = sorted(set(inner.kinds.values()))
        what = ", ".join(_counted(inner, kind) for kind in kinds)
        return f"; but in {inner.path}: {what}. Give a folder with files of one format as --source"
    if storage.is_folder(found.path) and pictures_in(found.path):
        return "; but pictures that are in no folder of a class: <class>/*.png expected"
    if any(path.lower().endswith(greyscale.ENDINGS) for path in found.others):
        return "; but pictures: the folder that holds the folders of their classes is the --source"
    for endings, way in _WAYS.items():
        if named := [path for path in found.others if path.lower().endswith(endings)]:
            return f"; but {os.path.basename(named[0])}: {way}"
    inside = [
        os.path.join(folder, name)
        for folder in filter(storage.is_folder, found.others)
        for name in storage.listdir(folder)
    ]
    files = [path for path in found.others if not storage.is_folder(path)]
    others = unread.counted([*files, *inside], found.path)
    return f"; {unread.said(others)}" if others and storage.is_folder(found.path) else ""
