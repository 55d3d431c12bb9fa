"""What of a source was not read: said in the log, and kept in dataset.json."""

from __future__ import annotations

import collections
import os
from collections.abc import Iterable

from quickdraw import storage

_EXPECTED = ("readme", "license", "thumbs.db", "desktop.ini", "dataset_info.json", "features.json")
_FROM_A_MAC = "__MACOSX"
_SHOWN = 8


def counted(paths: Iterable[str], source: str) -> dict[str, int]:
    """Count files and folders that were not read; those of one ending are counted together.

    Args:
        paths: of files, and of folders, which count as many as there are files in them.
        source: the folder or pattern that they were found by.

    Returns:
        For each name as seen from the source, such as `notes.txt`, `dog/*.heic` or `plots/`, how
        many files there are. Hidden files, and a README, are left out.
    """
    start = source if storage.is_folder(source) else os.path.dirname(source)
    by_ending: dict[str, list[str]] = collections.defaultdict(list)
    counts: dict[str, int] = {}
    for path in paths:
        name = os.path.basename(path)
        if name[0] == "." or name.lower().startswith(_EXPECTED) or name == _FROM_A_MAC:
            continue
        if storage.is_folder(path):
            counts[f"{_relative(path, start)}/"] = _files_in(path)
        else:
            folder, ending = os.path.dirname(path), os.path.splitext(name)[1]
            by_ending[os.path.join(folder, f"*{ending}")].append(path)
    for pattern, files in by_ending.items():
        counts[_relative(pattern if len(files) > 1 else files[0], start)] = len(files)
    return dict(sorted(counts.items()))


def said(counts: dict[str, int]) -> str:
    """Return in words what was not read."""
    parts = [
        f"{name} ({f'{count:,} {_unit(name)}' if count else 'empty'})" if count != 1 else name
        for name, count in counts.items()
    ]
    more = f", and {len(parts) - _SHOWN:,} more" if len(parts) > _SHOWN else ""
    return f"not read: {', '.join(parts[:_SHOWN])}{more}"


def _unit(name: str) -> str:
    return "rows" if name.startswith("rows of ") else "files"


def _relative(path: str, start: str) -> str:
    return path.removeprefix(start).lstrip("/") if start else path


def _files_in(folder: str) -> int:
    """Return how many files there are in a folder and those in it."""
    if storage.is_remote(folder):
        return len(storage.listdir(folder))
    return sum(not name.startswith(".") for _, _, names in os.walk(folder) for name in names)
