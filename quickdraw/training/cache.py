"""Decoded drawings on local disk: records are decoded once, not once an epoch or once a run.

A set is a folder `<key>/` with `image` (uint8), `ink` (int16), or both, `labels` (int32) and
`set.json`. The key is a hash of the records' names, sizes and checksums and of the code and
settings that decode them. A set is made under another name and renamed, so it is whole or not
there, and two runs may make it at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from typing import Any, BinaryIO

import google_crc32c
import numpy as np

from quickdraw import readers, storage
from quickdraw.errors import QuickdrawError
from quickdraw.formats import features, ink, png, records, shard_reader
from quickdraw.inputs import Specs, on_each, unwrapped, wrapped
from quickdraw.progress import log
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.training.decode import decode

_SET = "set.json"
_UNFINISHED = "unfinished-"
_UNFINISHED_SECONDS = 24 * 3600.0
_CHUNK = 8 << 20


@dataclasses.dataclass
class Drawings:
    """Decoded records.

    Attributes:
        images: what a model takes of them: uint8 `[n, size, size, channels]`, in memory or mapped
            from the cache; or ink, int16 `[n, max_points, 3]`; or a dictionary of both.
        labels: int32 `[n]`.
        fingerprint: hash of the records' names, sizes and checksums.
    """

    images: Any
    labels: np.ndarray
    fingerprint: str

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Any) -> tuple[Any, np.ndarray]:
        """Images and labels of some rows, any index of an array."""
        return on_each(lambda array: array[rows], self.images), self.labels[rows]

    @property
    def nbytes(self) -> int:
        """How large the images are."""
        return sum(array.nbytes for array in wrapped(self.images, ("",)).values())


def folder() -> str:
    """Where decoded sets are kept: $XDG_CACHE_HOME/quickdraw, by default ~/.cache/quickdraw."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "quickdraw")


def load(
    reader: QuickDrawFeatureReader, patterns: str, title: str, cache_megabytes: float
) -> Drawings:
    """The decoded drawings of every record that the patterns name.

    Args:
        reader: how to decode; tells afterwards which records were skipped.
        patterns: comma-separated patterns of the records.
        title: what to call it while it is going on.
        cache_megabytes: how large the cache may become. A set that is larger, or a cache that
            cannot be written, means decoding into memory.

    Raises:
        QuickdrawError: see `BaseReader.batches`.
    """
    files = storage.expand(patterns)
    info = reader.describe(patterns)
    specs = reader.specs(info)
    fingerprint = fingerprint_of(files)
    reader.num_classes = reader.num_classes or len(info.labels) or None
    path = os.path.join(folder(), _key(reader, fingerprint, specs))
    drawings = _open(path, reader, specs, fingerprint)
    if drawings is not None:
        return drawings
    try:
        with _unfinished() as temporary:
            parts = decode(reader, files, info, temporary, title)
            total = _join(parts, temporary, reader)
            if total > cache_megabytes * 1e6:
                mapped = Drawings(*_map(temporary, specs), fingerprint)
                log(f"not cached: {total / 1e6:,.0f} MB, --cache_megabytes={cache_megabytes:g}")
                return Drawings(*mapped.take(np.arange(len(mapped))), fingerprint)
            _make_room(cache_megabytes * 1e6 - total)
            with contextlib.suppress(OSError):  # another run was faster
                os.rename(temporary, path)
    except OSError as error:
        log(f"warning: {folder()} cannot be written ({error.strerror}): decoding into memory")
        return in_memory(reader, patterns, fingerprint)
    drawings = _open(path, reader, specs, fingerprint)
    assert drawings is not None
    return drawings


def fingerprint_of(files: list[str]) -> str:
    """Hash of the files' names, sizes and checksums."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        digest.update(f"{os.path.basename(path)} {storage.checksum(path)}\n".encode())
    return digest.hexdigest()


def _key(reader: QuickDrawFeatureReader, fingerprint: str, specs: Specs) -> str:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{fingerprint} {specs} {reader.num_classes}".encode())
    for module in (readers, shard_reader, features, ink, png, records):
        with open(str(module.__file__), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def _open(
    path: str, reader: QuickDrawFeatureReader, specs: Specs, fingerprint: str
) -> Drawings | None:
    """A set of the cache; None if it is not there, is damaged, or lacks records that must not be
    left out."""
    try:
        with open(os.path.join(path, _SET), encoding="utf-8") as file:
            content = json.load(file)
        if any(_checksum(os.path.join(path, name)) != content[name] for name in (*specs, "labels")):
            raise ValueError("its checksum does not match")
        images, labels = _map(path, specs)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError) as error:
        log(f"warning: the cached set {path} is damaged ({error}): decoding again")
        shutil.rmtree(path, ignore_errors=True)
        return None
    if content["bad_records"] and reader.on_bad_record == "error":
        return None
    reader.bad_records = content["bad_records"]
    reader.first_bad_records = [QuickdrawError(text) for text in content["first_bad_records"]]
    with contextlib.suppress(OSError):
        os.utime(path)
    return Drawings(images, labels, fingerprint)


def _map(path: str, specs: Specs) -> tuple[Any, np.ndarray]:
    labels = np.fromfile(os.path.join(path, "labels"), "<i4")
    # Copy on write: nobody writes, but TensorFlow takes no memory that is read-only.
    arrays = {
        name: np.memmap(os.path.join(path, name), dtype, "c", shape=(len(labels), *shape))
        for name, (shape, dtype) in specs.items()
    }
    return unwrapped(arrays), labels


def _checksum(path: str) -> int:
    with open(path, "rb") as file:
        return _copy(file, None)


def _copy(source: BinaryIO, target: BinaryIO | None, crc: int = 0) -> int:
    """Copies a file, if there is a target; returns the CRC-32C that goes on from `crc`."""
    while chunk := source.read(_CHUNK):
        crc = google_crc32c.extend(crc, chunk)
        if target:
            target.write(chunk)
    return crc


@contextlib.contextmanager
def _unfinished() -> Iterator[str]:
    """A new folder beside the sets; it is gone at the end, unless it was renamed to be one."""
    os.makedirs(folder(), exist_ok=True)
    path = tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder())
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _join(parts: list[str], path: str, reader: QuickDrawFeatureReader) -> int:
    """Makes one file of each input of all parts and one of their labels, and describes them.

    Returns:
        How many bytes there are.
    """
    content: dict[str, object] = {
        "bad_records": reader.bad_records,
        "first_bad_records": [str(error) for error in reader.first_bad_records],
    }
    total = 0
    for name in (*reader.inputs, "labels"):
        crc = 0
        with open(os.path.join(path, name), "wb") as target:
            for part in parts:
                with open(f"{part}.{name}", "rb") as source:
                    crc = _copy(source, target, crc)
                os.remove(f"{part}.{name}")
            total += target.tell()
        content[name] = crc
    if not total:
        raise QuickdrawError(f"no usable record in {len(parts)} file(s)")
    with open(os.path.join(path, _SET), "w", encoding="utf-8") as file:
        json.dump(content, file)
    return total


def _make_room(limit: float) -> None:
    """Deletes what killed runs left, and the longest unused sets until the rest is small enough."""
    sets = []
    for entry in os.scandir(folder()):
        age = time.time() - entry.stat().st_mtime
        if entry.name.startswith(_UNFINISHED):
            if age > _UNFINISHED_SECONDS:
                shutil.rmtree(entry.path, ignore_errors=True)
        elif entry.is_dir():
            sizes = sum(file.stat().st_size for file in os.scandir(entry.path))
            sets.append((age, sizes, entry.path))
    kept = 0.0
    for _, size, path in sorted(sets):
        kept += size
        if kept > limit:
            shutil.rmtree(path, ignore_errors=True)


def in_memory(reader: QuickDrawFeatureReader, patterns: str, fingerprint: str) -> Drawings:
    """Decodes without the cache.

    Raises:
        QuickdrawError: see `BaseReader.batches`.
    """
    reader.bad_records, reader.first_bad_records = 0, []
    parts, labels = zip(*reader.batches(patterns, 4096), strict=True)
    columns = [wrapped(part, reader.inputs) for part in parts]
    images = {name: np.concatenate([column[name] for column in columns]) for name in columns[0]}
    return Drawings(unwrapped(images), np.concatenate(labels).astype(np.int32), fingerprint)
