"""What a data set was made of: its files as they were, so that a change of any is noticed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence

from quickdraw import storage
from quickdraw.datasets.sources import Source
from quickdraw.errors import QuickdrawError

HASHES = ("listing", "seen")
"""The fields of `describe` that say nothing to people."""
_MOST_FILES = 1000
_MOST_BYTES = 4e9


def describe(source: Source) -> dict[str, object]:
    """Return what there is to say of a source's files before they are read."""
    listing = [(os.path.basename(file.path), file.size) for file in source.files]
    return {
        "files": len(listing),
        "bytes": sum(size for _, size in listing),
        "listing": _hash([f"{each}" for each in (*listing, source.labels)]),
        "seen": stamp(source.inputs),
    }


def is_same(was: Mapping[str, object], now: Mapping[str, object], inputs: Sequence[str]) -> bool:
    """Return whether the files that a data set was made of are those of today, by their hashes.

    Args:
        was: settings in the data set's description.
        now: `describe` of the source.
        inputs: paths of its files.
    """
    if was.get("listing") != now["listing"]:
        return False
    if was.get("seen") == now["seen"]:
        return True
    return bool(was.get("content")) and was["content"] == content(inputs)


def stamp(paths: Sequence[str]) -> str:
    """Return a hash of the files' names, sizes, times and inodes; of checksums on gs://."""
    return _hash([f"{_name(path)} {_state(path)}" for path in paths])


def _name(path: str) -> str:
    """Return the one path of a file that may be written as `./cat.npy`."""
    return path if storage.is_remote(path) else os.path.normpath(path)


def _state(path: str) -> str:
    if storage.is_remote(path):
        return storage.checksum(path)
    now = os.stat(path)
    # The time of the last change of any kind as well: that of the content can be set by hand.
    return f"{now.st_size} {now.st_mtime_ns} {now.st_ctime_ns} {now.st_ino}"


def content(paths: Sequence[str]) -> str:
    """Return a hash of the files' names and content; "" where that takes too long to be worth it.

    It tells whether files that were copied, or written once more, are still the same.
    """
    if len(paths) > _MOST_FILES or sum(map(storage.file_size, paths)) > _MOST_BYTES:
        return ""
    return _hash([f"{_name(path)} {storage.checksum(path)}" for path in paths])


def check_unchanged(paths: Sequence[str], stamped: str) -> None:
    """Raise QuickdrawError if files are not as they were when they were stamped."""
    if stamp(paths) != stamped:
        raise QuickdrawError(
            f"{os.path.commonpath(paths)}: a file was changed while it was read. Run the same "
            "command again"
        )


def _hash(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
