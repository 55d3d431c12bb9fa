"""Tells the formats apart by their content, in a file, a folder or a pattern of files."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
import zlib
from collections.abc import Iterator

from quickdraw import storage
from quickdraw.datasets.sources.idx import MAGIC
from quickdraw.datasets.sources.pictures import pictures_in
from quickdraw.errors import QuickdrawError
from quickdraw.records import tfrecord

_ENDINGS = (".npy", ".ndjson", ".bin", ".csv", ".gz")
_WORDS = (".tfrecord", "-idx")
_GZIP = b"\x1f\x8b\x08"


def files_of(path: str) -> list[str]:
    """Return the files that may hold drawings."""
    if not storage.is_folder(path):
        if any(character in path for character in "*?["):
            return storage.expand(path)
        if not storage.exists(path):
            raise QuickdrawError(f"{path}: there is no such file or folder")
        return [path]
    names = [
        os.path.join(path, name)
        for name in storage.listdir(path)
        if not name.startswith(".")
        and (name.endswith(_ENDINGS) or any(word in name for word in _WORDS))
    ]
    return [name for name in names if not name.endswith(".csv") or _is_table(name)]


def _is_table(path: str) -> bool:
    """Return whether a csv file has drawings, unlike the solution file of a test set."""
    with storage.open_binary(path) as file:
        return b"drawing" in file.readline(4096)


def kind_of(path: str) -> str | None:
    """Return the format of a file, by its content or, where that says nothing, by its name."""
    with storage.open_binary(path) as packed:
        start = packed.read(64)
        if start.startswith(_GZIP):
            packed.seek(0)
            with _said(path):
                start = gzip.GzipFile(fileobj=packed).read(64)
    name = os.path.basename(path).removesuffix(".gz")
    if start[:1] == b"\x93" or name.endswith(".npy"):
        return "bitmaps"
    if start[:3] == MAGIC:
        return None if start[3:4] == b"\1" else "idx"
    if ".tfrecord" in name or _holds_records(path):
        return "tfrecords"
    for ending, kind in ((".ndjson", "simplified"), (".csv", "csv"), (".bin", "binary")):
        if name.endswith(ending):
            return kind
    return "simplified" if start.lstrip()[:1] == b"{" else "csv" if b"drawing" in start else None


def _holds_records(path: str) -> bool:
    with storage.open_binary(path) as file:
        return isinstance(next(tfrecord.read(file, path), None), bytes)


def unpacked(path: str, scratch: str) -> str:
    """Return the path of the file or, where it is gzipped, of an unpacked copy.

    Raises:
        QuickdrawError: it is gzipped, and damaged.
    """
    with storage.open_binary(path) as packed:
        if not packed.read(3).startswith(_GZIP):
            return path
        packed.seek(0)
        name = hashlib.sha256(path.encode()).hexdigest()[:16]
        copy = os.path.join(scratch, f"{name}-{os.path.basename(path).removesuffix('.gz')}")
        with _said(path), open(copy, "wb") as file:
            shutil.copyfileobj(gzip.GzipFile(fileobj=packed), file, 1 << 20)
    return copy


@contextlib.contextmanager
def _said(path: str) -> Iterator[None]:
    """Turn the exceptions of a damaged gzip file into one line for the user."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise QuickdrawError(f"{path}: truncated or damaged gzip file ({error})") from None


def folders_of_pictures(path: str) -> list[str]:
    """Return the names of the subfolders that hold pictures."""
    if not storage.is_folder(path):
        return []
    return [
        name
        for name in storage.listdir(path)
        if not name.startswith(".")
        and storage.is_folder(os.path.join(path, name))
        and pictures_in(os.path.join(path, name))
    ]
