"""What format a file has, seen in its content or, where that says nothing, in its name."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterator

import numpy as np

from quickdraw import storage
from quickdraw.datasets.sources.idx import MAGIC
from quickdraw.datasets.sources.pictures import pictures_in
from quickdraw.datasets.sources.pixel_tables import is_table_of_images
from quickdraw.errors import QuickdrawError
from quickdraw.records import packed, tfrecord

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

_ENDINGS = {
    **dict.fromkeys((".ndjson", ".jsonl", ".json"), "simplified"),
    **{".csv": "csv", ".bin": "binary"},
}
METADATA = "metadata.jsonl"
"""Where Hugging Face's folders of images say what each is of."""
_SHARD = re.compile(r"\.tfrec(ord)?s?(\.gz)?(-\d+-of-\d+)?$")
_OTHER_IDX = re.compile(rb"\0\0[\x09\x0b-\x0e]\x03")  # images of other numbers than uint8
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
    start = start_of(path)
    name = name.removesuffix(".gz")
    if tfrecord.begins_record(start):
        return "tfrecords"
    if start.startswith(np.lib.format.MAGIC_PREFIX) or name.endswith(".npy"):
        return "bitmaps"
    if start.startswith(_ZIP):
        return "npz" if name.endswith(".npz") else None
    if start[:3] == MAGIC:
        return None if start[3:4] == b"\1" else "idx"
    if _OTHER_IDX.match(start) and "idx" in name:
        return "idx"  # which says what is expected
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
    is_table = b"drawing" in start.split(b"\n")[0].lower()
    if name.endswith((".json", METADATA)) and b'"drawing"' not in start and not is_alone:
        return None  # as dataset.json and many others
    if not is_table and is_table_of_images(start) and (is_alone or name.endswith((".csv", ".tsv"))):
        return "pixels"
    if is_table and name.endswith(".tsv"):
        return "csv"
    for ending, kind in _ENDINGS.items():
        if name.endswith(ending):
            return kind if is_alone or (start and (kind != "csv" or is_table)) else None
    if not is_alone:
        return None
    return "simplified" if start.lstrip()[:1] in (b"{", b"[") else "csv" if is_table else None


def _is_worth_opening(path: str, name: str) -> bool:
    """Return whether a file of a folder may hold drawings; one on gs:// is fetched to be seen."""
    if storage.is_remote(path):
        known = (".npy", ".npz", ".gz", *_ENDINGS)
        return name.endswith(known) or bool(_SHARD.search(name)) or "idx" in name
    return os.path.isfile(path) and ".tfevents." not in name  # which have the frame of TFRecords


def start_of(path: str) -> bytes:
    """Return the first bytes of a file, unpacked."""
    with storage.open_binary(path) as file:
        start = file.read(_LINE)
        if start.startswith(packed.GZIP) and not tfrecord.begins_record(start):
            file.seek(0)
            with _said(path):
                start = packed.unpacked(file, start).read(_LINE)
    storage.refuse_pointer(path, start)
    return start


def _holds_records(path: str) -> bool:
    with storage.open_binary(path) as file:
        return isinstance(next(tfrecord.read(file, path), None), bytes)


def unpacked(path: str, scratch: str) -> str:
    """Return the path of the file or, where it is packed by gzip or zlib, of an unpacked copy.

    Raises:
        QuickdrawError: it is packed, and damaged.
    """
    with storage.open_binary(path) as file:
        start = file.read(_LINE)
        storage.refuse_pointer(path, start)
        if tfrecord.begins_record(start) or not packed.is_packed(start):
            return path
        file.seek(0)
        name = hashlib.sha256(path.encode()).hexdigest()[:16]
        copy = os.path.join(scratch, f"{name}-{os.path.basename(path).removesuffix('.gz')}")
        with _said(path), open(copy, "wb") as plain:
            shutil.copyfileobj(packed.unpacked(file, start), plain, 1 << 20)
    return copy


@contextlib.contextmanager
def _said(path: str) -> Iterator[None]:
    """Turn the exceptions of a damaged packed file into one line for the user."""
    try:
        yield
    except packed.DAMAGE as error:
        raise QuickdrawError(f"{path}: truncated or damaged gzip or zlib file ({error})") from None
