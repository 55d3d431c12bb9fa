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
from collections.abc import Callable, Iterator

import numpy as np

from quickdraw import environment, readers
from quickdraw.components import record_reader
from quickdraw.components.code_digest import digests_of
from quickdraw.components.inputs import Batch, Specs
from quickdraw.console import log
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records import example, ink, png, tfrecord
from quickdraw.records import shards as shards_module
from quickdraw.records.shards import BadRecords, Shards
from quickdraw.storage.checksums import crc32c
from quickdraw.training.data.decode import decode

_SET = "set.json"
_UNFINISHED = "unfinished-"
_UNFINISHED_SECONDS = 24 * 3600.0
_BATCH = 4096


@dataclasses.dataclass
class Drawings:
    """Decoded records.

    Attributes:
        inputs: by name, in memory or mapped from the cache; see `RecordReader.read`.
        labels: int32 `[n]`.
        fingerprint: hash of the records' names, sizes and checksums.
        bad: the records that could not be used.
        sampled_from: of how many records these are some; None where they are all.
    """

    inputs: dict[str, np.ndarray]
    labels: np.ndarray
    fingerprint: str
    bad: BadRecords
    sampled_from: int | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray | slice) -> Batch:
        """Return inputs and labels of some rows; of int `[a, b]` they are `[a, b, …]`."""
        return {name: array[rows] for name, array in self.inputs.items()}, self.labels[rows]

    @property
    def total(self) -> int:
        """How many drawings there are, decoded or not."""
        return self.sampled_from or len(self)

    @property
    def nbytes(self) -> int:
        """The size of the inputs, in bytes."""
        return sum(array.nbytes for array in self.inputs.values())


def folder() -> str:
    """Return the folder of decoded sets."""
    return environment.cache_folder()


def load(
    reader: QuickDrawFeatureReader, shards: Shards, title: str, cache_megabytes: float
) -> Drawings:
    """Decode every record of some shards, or find them decoded in the cache.

    Args:
        reader: how to decode.
        shards: the records.
        title: what the progress bar calls it.
        cache_megabytes: how large the cache may become. A set that is larger, or a cache that
            cannot be written, means decoding into memory.

    Raises:
        QuickdrawError: see `BaseReader.batches`.
    """
    specs = reader.specs(shards.info)
    path = os.path.join(folder(), _key(reader, shards, specs))
    drawings = _open(path, reader, shards, specs)
    if drawings is not None:
        return drawings
    try:
        with _unfinished() as temporary:
            parts, bad = decode(reader, shards, temporary, title)
            total = _join(parts, temporary, reader.inputs, bad)
            if not total:
                raise shards.nothing_usable()
            if total > cache_megabytes * 1e6:
                # Copied into memory, as the mapped files are about to be deleted.
                mapped = Drawings(*_map(temporary, specs), shards.fingerprint, bad)
                log(f"not cached: {total / 1e6:,.0f} MB, --cache_megabytes={cache_megabytes:g}")
                return Drawings(*mapped.take(np.arange(len(mapped))), shards.fingerprint, bad)
            _make_room(cache_megabytes * 1e6 - total)
            with contextlib.suppress(OSError):  # another run was faster
                os.rename(temporary, path)
    except OSError as error:
        log(f"warning: {folder()} cannot be written ({error.strerror}): decoding into memory")
        return in_memory(reader, shards)
    drawings = _open(path, reader, shards, specs)
    assert drawings is not None
    return drawings


def _key(reader: QuickDrawFeatureReader, shards: Shards, specs: Specs) -> str:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{shards.fingerprint} {shards.part} {specs} {reader.classes(shards)}".encode())
    # The code is part of the key: whoever edits `preprocess` must not train on what was before.
    for module in (readers, record_reader, shards_module, example, ink, png, tfrecord):
        with open(str(module.__file__), "rb") as file:
            digest.update(file.read())
    digest.update(repr(digests_of(type(reader))).encode())  # and what it calls of one's own
    return digest.hexdigest()


def _open(
    path: str, reader: QuickDrawFeatureReader, shards: Shards, specs: Specs
) -> Drawings | None:
    """Open a set of the cache.

    Returns:
        None if it is not there, is damaged, or lacks records that must not be left out.
    """
    try:
        with open(os.path.join(path, _SET), encoding="utf-8") as file:
            content = json.load(file)
        if any(_checksum(os.path.join(path, name)) != content[name] for name in (*specs, "labels")):
            raise ValueError("its checksum does not match")
        inputs, labels = _map(path, specs)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError) as error:
        log(f"warning: the cached set {path} is damaged ({error}): decoding again")
        shutil.rmtree(path, ignore_errors=True)
        return None
    if content["bad_records"] and reader.on_bad_record == "error":
        return None
    bad = BadRecords("skip")
    bad.extend(content)
    with contextlib.suppress(OSError):
        os.utime(path)  # _make_room deletes what was not used for longest
    return Drawings(inputs, labels, shards.fingerprint, bad)


def _map(path: str, specs: Specs) -> Batch:
    # Copy on write: nobody writes, but TensorFlow takes no memory that is read-only.
    labels = np.memmap(os.path.join(path, "labels"), "<i4", "c")
    arrays: dict[str, np.ndarray] = {
        name: np.memmap(os.path.join(path, name), dtype, "c", shape=(len(labels), *shape))
        for name, (shape, dtype) in specs.items()
    }
    return arrays, labels


def _checksum(path: str) -> int:
    with open(path, "rb") as file:
        return crc32c(file)


@contextlib.contextmanager
def _unfinished() -> Iterator[str]:
    """Yield a new folder beside the sets; it is deleted at the end unless it was renamed."""
    os.makedirs(folder(), exist_ok=True)
    path = tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder())
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _join(parts: list[str], path: str, inputs: tuple[str, ...], bad: BadRecords) -> int:
    """Make one file of each input of all parts and one of their labels, and describe them.

    Returns:
        How many bytes there are.
    """
    content = bad.noted()
    total = 0
    for name in (*inputs, "labels"):
        crc = 0
        with open(os.path.join(path, name), "wb") as target:
            # Each part is deleted once it is copied, so the disk never holds the set twice.
            for part in parts:
                with open(f"{part}.{name}", "rb") as source:
                    crc = crc32c(source, target, crc)
                os.remove(f"{part}.{name}")
            total += target.tell()
        content[name] = crc
    with open(os.path.join(path, _SET), "w", encoding="utf-8") as file:
        json.dump(content, file)
    return total


def _make_room(limit: float) -> None:
    """Delete what killed runs left, then the longest unused sets until the rest is small enough."""
    sets = []
    for entry in os.scandir(folder()):
        age = time.time() - entry.stat().st_mtime
        # A young one may belong to a run that is still decoding.
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


def in_memory(
    reader: QuickDrawFeatureReader,
    shards: Shards,
    chosen: Callable[[int], bool] = lambda number: True,
) -> Drawings:
    """Decode without the cache; see `RecordReader.read` for `chosen`.

    Raises:
        QuickdrawError: see `BaseReader.batches`.
    """
    bad = BadRecords(reader.on_bad_record)
    batches = list(reader.read(shards, _BATCH, bad, chosen))
    if not batches:
        raise shards.nothing_usable()
    parts, labels = zip(*batches, strict=True)
    inputs = {name: np.concatenate([part[name] for part in parts]) for name in reader.inputs}
    return Drawings(inputs, np.concatenate(labels).astype(np.int32), shards.fingerprint, bad)
