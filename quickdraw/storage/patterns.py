"""Patterns of files, as on a command line: several between commas, with `*`, `?` and `[…]`."""

from __future__ import annotations

import glob
import os
import re

from quickdraw.errors import QuickdrawError
from quickdraw.storage import foreign, objects, paths

_COMMA = ". A comma separates patterns: [,] stands for one in a name"


def patterns_in(text: str) -> list[str]:
    """Return the patterns between the commas of a text; a comma in brackets is part of a name."""
    parts = re.findall(r"(?:\[[^\]]*\]|[^,])+", text)
    return list(filter(None, map(str.strip, parts)))


def pattern_of(path: str) -> str:
    """Return the pattern that this path alone matches."""
    return glob.escape(path).replace(",", "[,]")


def folders_in(text: str) -> list[str]:
    """Return the folders between the commas of a text, or the one whose name has the commas."""
    is_one = "," not in text or paths.is_folder(text)
    return [text] if is_one else [each.strip() for each in text.split(",")]


def expand(patterns: str) -> list[str]:
    """Return the files that a comma-separated list of glob patterns names, sorted, each once.

    A folder stands for the `*.tfrecord*` files in it.

    Raises:
        QuickdrawError: a pattern that matches no file, with what there is instead.
    """
    files: dict[str, None] = {}
    for pattern in patterns_in(patterns):
        searched, matches = pattern, objects.matching(pattern) if paths.is_remote(pattern) else []
        if not matches:  # one listing is enough for most patterns on gs://
            if paths.is_folder(pattern):
                searched = os.path.join(glob.escape(pattern), "*.tfrecord*")
            elif paths.exists(pattern):
                searched = glob.escape(pattern)
            elif paths.is_folder(folder := os.path.dirname(pattern)):
                searched = os.path.join(glob.escape(folder), os.path.basename(pattern))
            remote = paths.is_remote(pattern)
            matches = objects.matching(searched) if remote else glob.glob(searched)
        matches = sorted(path for path in matches if not path.endswith(".tmp"))
        if not matches:
            hint = _hint(patterns)
            raise QuickdrawError(f"no file matches {searched!r}{_what_is_there(searched)}{hint}")
        files.update(dict.fromkeys(matches))
    if not files:
        raise QuickdrawError(f"no file pattern given. Received: {patterns!r}")
    return list(files)


def _hint(patterns: str) -> str:
    if re.match("[\"'‘’“”„«]", patterns):
        return ". The quotation marks are part of it here: plain ones, '…', once, are for the shell"
    if drive := foreign.on_a_drive(patterns):
        return f". It {drive}"
    if re.search(r"[;\s]", patterns):
        return ". Several patterns are separated by commas"
    return _COMMA if "," in patterns else ""


def _what_is_there(pattern: str) -> str:
    folder = os.path.dirname(pattern) or "."
    if any(character in folder for character in "*?["):
        return ""
    if not paths.is_folder(folder):
        return f": there is no folder {folder}"
    names = paths.listdir(folder)
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f": {folder} holds {shown or 'nothing'}"
