"""Tells the formats apart by their content, in a file, a folder or a pattern of files."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import gzip
import hashlib
import os
import re
import shlex
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence

from quickdraw import storage
from quickdraw.datasets.sources import unread
from quickdraw.datasets.sources.idx import MAGIC
from quickdraw.datasets.sources.pictures import pictures_in
from quickdraw.errors import QuickdrawError
from quickdraw.records import tfrecord

FORMATS = {
    "bitmaps": "numpy bitmaps",
    "simplified": "ndjson strokes",
    "raw": "raw ndjson strokes",
    "binary": "binary strokes",
    "csv": "csv strokes",
    "idx": "IDX images",
    "npz": "npz arrays",
    "pictures": "pictures",
    "tfrecords": "TFRecords",
}
"""What a format is called on the command line, and in words."""

_ENDINGS = {".ndjson": "simplified", ".jsonl": "simplified", ".csv": "csv", ".bin": "binary"}
_SET = re.compile(r"(?<![a-z])(train|test|t10k|valid|val|images|imgs)(?![a-z])")
_SHARD = re.compile(r"\.tfrec(ord)?s?(\.gz)?(-\d+-of-\d+)?$")
_GZIP = b"\x1f\x8b\x08"
_ZIP = b"PK\3\4"
_LINE = 4096
_SHOWN = 3


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
        raise QuickdrawError(f"{path}: there is no such file or folder")
    kinds = {entry: _kind_of(entry, is_alone) for entry in entries}
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


def _below(found: Found) -> str:
    """Return the end of a message: what there is instead, or one floor below."""
    for folder in filter(storage.is_folder, found.others):
        inner = look(folder)
        if inner.kinds:
            kinds = sorted(set(inner.kinds.values()))
            what = ", ".join(_counted(inner, kind) for kind in kinds)
            return f"; but in {folder}: {what}. Give a folder with files of one format as --source"
    if storage.is_folder(found.path) and pictures_in(found.path):
        return "; but pictures that are in no folder of a class: <class>/*.png expected"
    if any(name.lower().endswith((".zip", ".tar", ".tgz", ".7z", ".rar")) for name in found.others):
        return "; but an archive: unpack it first"
    inside = [
        os.path.join(folder, name)
        for folder in filter(storage.is_folder, found.others)
        for name in storage.listdir(folder)
    ]
    others = unread.counted(inside, found.path)
    return f"; {unread.said(others)}" if others else ""


def _kind_of(path: str, is_alone: bool) -> str | None:
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
    is_table = b"drawing" in start.split(b"\n")[0]
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
