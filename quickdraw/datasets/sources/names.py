"""Names of categories: which are asked for, which cannot be, and which are too alike."""

from __future__ import annotations

import collections
import contextlib
import functools
import os
import re
import shlex
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence

from quickdraw import storage
from quickdraw.console import log
from quickdraw.datasets.sources.official import split_of, split_of_path, without_split
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.records.class_names import alike, clean, is_missing, look_alikes, spaced

NO_WORD = "no word: empty, nan, null or None"
"""Why a drawing is left out whose word is missing."""
_COPY = re.compile(r"\s?\(\d+\)$")  # what a browser adds to a name that is taken
_PACKED = re.compile(r"(\.[^.]*?)(\s?\(\d+\))?\.gz$", re.IGNORECASE)
_PART = re.compile(
    r"(.*?[^\W_])([ _.-]+|\s?\(|[ _.-]*(part|chunk|shard)[ _.-]*)\d+\)?", re.IGNORECASE
)
_MANY = 10  # numbers, as of digits, that are rather names than the parts of one class
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_DOWNLOADED = re.compile(
    r"^(full(_|%2F)(simplified|raw|binary|numpy_bitmap)|sketchrnn)(_|%2F)|\.full$"
)


def read_names(values: Sequence[str]) -> list[str]:
    """Return the listed categories, or those in the file (one a line) that is the only value."""
    if len(values) == 1 and os.path.isfile(values[0]):
        with storage.open_binary(values[0]) as file:
            lines = file.read().decode("utf-8-sig", errors="replace").splitlines()
        values = [line for line in lines if not line.startswith("#")]
    return [name for name in map(clean, values) if name]


@functools.lru_cache
def is_usable(name: str) -> bool:
    """Return whether a name is safe in tables and in file names made of it."""
    return bool(name.strip(". ")) and name.isprintable() and not set("/\\") & set(name)


def of_path(path: str, is_folder: bool = False) -> str:
    """Return the class that a file or a folder is named after.

    It is `alarm clock` for `full_simplified_alarm%20clock.ndjson.gz`: what downloading and packing
    added is taken off.
    """
    name = clean(os.path.basename(path))
    if not is_folder:
        name = os.path.splitext(_PACKED.sub(r"\2\1", name))[0]
    name = _DOWNLOADED.sub("", name)
    if _ESCAPED.search(name):
        with contextlib.suppress(UnicodeDecodeError):
            name = urllib.parse.unquote(name, errors="strict")
    return clean(name)


def without_copy(name: str) -> str:
    """Return `cat` for `cat (1)`."""
    return _COPY.sub("", name)


def grouped(paths: Iterable[str], is_folder: bool = False) -> dict[str, list[str]]:
    """Return the files or folders of each class; say what is taken for a copy.

    `cat (1)` is a cat where there is a `cat` too, or no other number; else the number is a name.
    """
    named = {path: of_path(path, is_folder) for path in paths}
    bases = collections.Counter(map(without_copy, named.values()))
    by_name: dict[str, list[str]] = {}
    for path, name in named.items():
        base = without_copy(name)
        is_copy = base in named.values() or bases[base] == 1
        by_name.setdefault(base if is_copy else name, []).append(path)
    for name, several in by_name.items():
        if len(several) > 1 or name != named[several[0]]:
            listed = ", ".join(map(os.path.basename, several))
            log(f"warning: read as the class {name!r}: {listed}")
    return by_name


def parts_of(names: Iterable[str]) -> dict[str, list[str]]:
    """Return of each class, with spaces for underscores, the names that may be its parts.

    `cat 1` and `cat_2` may be parts of `cat`; where there is a `cat`, `cat_2` alone may be one.
    """
    parts: dict[str, list[str]] = {}
    for name in names:
        part = _PART.fullmatch(name)
        parts.setdefault(spaced(part[1] if part else name), []).append(name)
    return parts


def joined(named: Mapping[str, list[str]], wanted: Iterable[str]) -> dict[str, list[str]]:
    """Return the files of each class, and of those that are asked for and are there in parts."""
    parts = parts_of(named)
    known = set(map(spaced, named))
    missing = [name for name in map(clean, wanted) if spaced(name) not in known]
    return {**named} | {
        name: [path for part in parts[spaced(name)] for path in named[part]]
        for name in missing
        if spaced(name) in parts
    }


def check_parts(names: Sequence[str], path: str) -> None:
    """Say that classes may be parts of one.

    Raises:
        QuickdrawError: they nearly must be, as there are other classes beside them.
    """
    parts = parts_of(names)
    several = {name: each for name, each in parts.items() if len(each) > 1}
    if not several:
        return
    name, (one, other, *more) = next(iter(several.items()))
    are = f"{path}: {one!r} and {other!r} are two classes, or parts of one"
    if len(parts) == 1 or (len(several) == 1 and len(more) + 2 >= _MANY):
        log(f"warning: {are}? Taken as {len(more) + 2} classes; --categories={name} joins them")
        return
    joined, apart = (
        shlex.quote(",".join(name.replace(" ", "_") for name in each)) for each in (parts, names)
    )
    raise QuickdrawError(
        f"{are}: --categories={joined} joins parts, --categories={apart} takes each as a class"
    )


def check_folders(named: Mapping[str, Sequence[str]], path: str) -> None:
    """Raise QuickdrawError if files of several folders are all called the same.

    Args:
        named: of the only class, or of each, the files that are called after it.
        path: the pattern that they were found by.
    """
    if len(named) == 1:
        ((name, paths),) = named.items()
        folders = sorted({os.path.dirname(each) for each in paths})
        if len(folders) > 1 and not any(split_of_path(each, path) for each in paths):
            raise QuickdrawError(
                f"{path}: files are named after their classes. Received: {name!r} in "
                f"{len(folders)} folders, such as {folders[0]} and {folders[1]}: if these "
                "are the classes, name the files after them"
            )


def of_cell(word: str) -> str:
    """Return the class that a table, a line or a record names.

    Raises:
        SkippedDrawing: it says that there is none.
    """
    if is_missing(word):
        raise SkippedDrawing(NO_WORD, repr(word)[:80])
    return clean(word)


def choose(wanted: str, found: Iterable[str], path: str) -> str:
    """Return the category that is meant; an underscore and a space are the same.

    Raises:
        QuickdrawError: there is none, with the nearest one.
    """
    found, name = list(found), clean(wanted)
    if name in found:
        return name
    for each in found:
        if spaced(each) == spaced(name):
            return each
    raise QuickdrawError(f"{path}: there is no category {wanted!r}{did_you_mean(name, found)}")


def warn(names: Sequence[str], path: str) -> None:
    """Say which classes may be one that was written in two ways, and which may be none."""
    for one, other in look_alikes(names):
        log(f"warning: {path}: the classes {one!r} and {other!r} look alike: are they one?")
    for name in filter(is_missing, names):
        log(f"warning: {path}: the class {name!r} looks like a value that is missing")


def check(names: Sequence[str], path: str) -> None:
    """Raise QuickdrawError for names that are unsafe or too alike."""
    seen: dict[str, str] = {}
    parts: dict[str, str] = {}
    for name in names:
        if not is_usable(name):
            raise QuickdrawError(f"{path}: {name!r} cannot be the name of a category")
        other = seen.setdefault(alike(name), name)
        if other != name:
            raise QuickdrawError(f"{path}: {other!r} and {name!r} are too alike for two categories")
        if split_of(name):
            other = parts.setdefault(without_split(alike(name)), name)
            if split_of(other) != split_of(name):
                raise QuickdrawError(
                    f"{path}: {other!r} and {name!r} are two splits of the same: folders called "
                    "train, valid and test tell these, with a file or a folder of each class inside"
                )
    if len(set(names)) < len(names):
        raise QuickdrawError(f"a category is named twice. Received: {', '.join(names)}")


def in_order(names: Iterable[str]) -> list[str]:
    """Sort names alphabetically, and numbers by their value."""
    names = list(names)
    if all(name.isascii() and name.isdigit() for name in names):
        return sorted(names, key=int)
    return sorted(names)
