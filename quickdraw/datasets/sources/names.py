"""Names of categories: which are asked for, which cannot be, and which are too alike."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from quickdraw import storage
from quickdraw.errors import QuickdrawError, did_you_mean


def read_names(values: Sequence[str]) -> list[str]:
    """Return the listed categories, or those in the file (one a line) that is the only value."""
    if len(values) == 1 and os.path.isfile(values[0]):
        with storage.open_binary(values[0]) as file:
            lines = file.read().decode("utf-8-sig", errors="replace").splitlines()
        values = [line for line in lines if not line.startswith("#")]
    return [name.strip() for name in values if name.strip()]


def is_usable(name: str) -> bool:
    """Return whether a name is safe in tables and in file names made of it."""
    return bool(name.strip(". ")) and name.isprintable() and not set("/\\") & set(name)


def alike(name: str) -> str:
    """Return a form that is equal for names a file system, a reader or a person may confuse."""
    return name.replace("_", " ").casefold()


def choose(wanted: str, found: Iterable[str], path: str) -> str:
    """Return the category that is meant; an underscore may stand for a space.

    Raises:
        QuickdrawError: there is none, with the nearest one.
    """
    found = list(found)
    for name in (wanted, wanted.replace("_", " ")):
        if name in found:
            return name
    raise QuickdrawError(f"{path}: there is no category {wanted!r}{did_you_mean(wanted, found)}")


def check(names: Sequence[str], path: str) -> None:
    """Raise QuickdrawError for names that are unsafe or too alike."""
    seen: dict[str, str] = {}
    for name in names:
        if not is_usable(name):
            raise QuickdrawError(f"{path}: {name!r} cannot be the name of a category")
        other = seen.setdefault(alike(name), name)
        if other != name:
            raise QuickdrawError(f"{path}: {other!r} and {name!r} are too alike for two categories")
    if len(set(names)) < len(names):
        raise QuickdrawError(f"a category is named twice. Received: {', '.join(names)}")


def in_order(names: Iterable[str]) -> list[str]:
    """Sort names alphabetically, and numbers by their value."""
    names = list(names)
    if all(name.isascii() and name.isdigit() for name in names):
        return sorted(names, key=int)
    return sorted(names)
