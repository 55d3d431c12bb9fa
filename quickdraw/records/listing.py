"""Which of the files that patterns name are records: a whole folder may be given."""

from __future__ import annotations

import os
import re

from quickdraw import storage
from quickdraw.errors import QuickdrawError
from quickdraw.records import example, tfrecord

# What lies beside records: descriptions, answers, pages, pictures, indices, checksums.
_OTHERS = (
    *(".json", ".csv", ".tsv", ".txt", ".md", ".html", ".pdf", ".yaml", ".yml", ".log"),
    *(".png", ".jpg", ".jpeg", ".gif", ".py", ".ipynb", ".npy", ".npz", ".ndjson", ".zip"),
    *(".idx", ".index", ".sha256", ".md5"),
)
_MOST_KINDS = 4  # train, valid, test and another; more are no splits
_SHOWN = 5


def find(patterns: str, target: str) -> tuple[list[str], str]:
    """Return the files of records that comma-separated patterns name.

    A pattern that names several kinds of files, such as train-…, valid-… and test-…, stands for
    those that have what is read; the first record of each kind tells.

    Args:
        patterns: see `storage.expand`.
        target: the feature that is read beside the drawing; "" for any records.

    Returns:
        The paths, each once; and a line for the log about what was passed over, or "".

    Raises:
        QuickdrawError: a pattern that matches no file, or none of records.
    """
    files: list[str] = []
    others: list[str] = []
    without: list[str] = []
    for pattern in storage.patterns_in(patterns):
        found = storage.expand(pattern)
        records = [path for path in found if not _is_other(path)]
        if not records:
            raise QuickdrawError(f"{pattern}: no records, only {_listed(found)}")
        wanted = _with(target, records)
        files += wanted
        others += [path for path in found if path not in records]
        without += [path for path in records if path not in wanted]
    told = [f"{_listed(others)} (no records)"] * bool(others)
    told += [f"{_listed(without)} (records without {target})"] * bool(without)
    line = f"{patterns}: passing over {' and '.join(told)}" if told else ""
    return list(dict.fromkeys(files)) or storage.expand(patterns), line


def _is_other(path: str) -> bool:
    name = path.lower().removesuffix(".gz")
    return name.endswith(_OTHERS) or (not storage.is_remote(path) and os.path.isdir(path))


def _with(target: str, files: list[str]) -> list[str]:
    """Return the files of those kinds that have a feature; all of them where none has."""
    kinds: dict[str, list[str]] = {}
    for path in files:
        kinds.setdefault(re.split(r"[-_.\d]", os.path.basename(path))[0], []).append(path)
    if not target or not 1 < len(kinds) <= _MOST_KINDS:
        return files
    having = [path for kind in kinds.values() if _has(target, kind[0]) for path in kind]
    return sorted(having) or files


def _has(target: str, path: str) -> bool:
    """Return whether the first record has a feature; one that is damaged may have it."""
    with storage.open_binary(path) as file:
        data = next(tfrecord.read(file, path), None)
    try:
        parsed = example.Example.FromString(data) if isinstance(data, bytes) else None
    except example.DecodeError:
        return True
    return parsed is None or target in parsed.features.feature


def _listed(paths: list[str]) -> str:
    names = [os.path.basename(path) for path in paths]
    return ", ".join(names[:_SHOWN]) + f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN)
