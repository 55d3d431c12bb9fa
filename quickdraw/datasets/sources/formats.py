"""What format a file has, seen in its content or, where that says nothing, in its name."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import hashlib
import os
import re
import shutil
import zlib
from collections.abc import Iterator

from quickdraw import storage
from quickdraw.datasets.sources.idx import MAGIC
from quickdraw.datasets.sources.pictures import pictures_in
from quickdraw.datasets.sources.pixel_tables import is_table_of_images
from quickdraw.errors import QuickdrawError
from quickdraw.records import tfrecord

FORMATS = {
    "bitmaps": "numpy bitmaps",
    "simplified": "ndjson strokes",
    "raw": "raw ndjson strokes",
    "binary": "binary strokes",
    "csv": "csv strokes",
    "pixels": "csv images",
    "idx": "IDX images",
    "npz": "npz arrays",
    "pictures": "pictures",
    "tfrecords": "TFRecords",
}
"""What a format is called on the command line, and in words."""

_ENDINGS = {".ndjson": "simplified", ".jsonl": "simplified", ".csv": "csv", ".bin": "binary"}
_SHARD = re.compile(r"\.tfrec(ord)?s?(\.gz)?(-\d+-of-\d+)?$")
_GZIP = b"\x1f\x8b\x08"
_ZIP = b"PK\3\4"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LINE = 4096


def kind_of(path: str, is_alone: bool) -> str | None:
    """Return the format of a file, by its content or, where that says nothing, by its name.

    Args:
        path: a file, or a folder.
        is_alone: whether it is what the user named: then even text without an ending is looked at.
    """
    if storage.is_folder(path):
        return "pictures" if pictures_in(path) else None
    name = os.path.basename(path).lower()
    if not is_alone and not _is_worth_opening(path, name):
        return None
    start = _start_of(path)
    name = name.removesuffix(".gz")
    if start[:1] == b"\x93" or name.endswith(".npy"):
        return "bitmaps"
    if start.startswith(_ZIP):
        return "npz" if name.endswith(".npz") else None
    if start[:3] == MAGIC:
        return None if start[3:4] == b"\1" else "idx"
    if _SHARD.search(name) or _holds_records(path):
        return "tfrecords"
    return _kind_of_text(path, name, start, is_alone)


def _kind_of_text(path: str, name: str, start: bytes, is_alone: bool) -> str | None:
    """Return the format of a file that is none of the binary ones, by its first bytes and name."""
    if start.startswith(_UTF16) and name.endswith(tuple(_ENDINGS)):
        raise QuickdrawError(
            f"{path}: UTF-8 text expected. Received: UTF-16, as Excel's 'Unicode text' and "
            "PowerShell's > are: save it as UTF-8"
        )
    is_table = b"drawing" in start.split(b"\n")[0]
    if not is_table and is_table_of_images(start) and (is_alone or name.endswith(".csv")):
        return "pixels"
    for ending, kind in _ENDINGS.items():
        if name.endswith(ending):
            return kind if is_alone or (start and (kind != "csv" or is_table)) else None
    if not is_alone:
        return None
    return "simplified" if start.lstrip()[:1] == b"{" else "csv" if is_table else None


def _is_worth_opening(path: str, name: str) -> bool:
    """Return whether a file of a folder may hold drawings; one on gs:// is fetched to be seen."""
    if storage.is_remote(path):
        known = (".npy", ".npz", ".gz", *_ENDINGS)
        return name.endswith(known) or bool(_SHARD.search(name)) or "idx" in name
    return os.path.isfile(path) and ".tfevents." not in name  # which have the frame of TFRecords


def _start_of(path: str) -> bytes:
    """Return the first bytes of a file, unpacked."""
    with storage.open_binary(path) as packed:
        start = packed.read(_LINE)
        if start.startswith(_GZIP):
            packed.seek(0)
            with _said(path):
                start = gzip.GzipFile(fileobj=packed).read(_LINE)
    return start


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
