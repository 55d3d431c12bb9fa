"""The second reading of the files: drawings become records, in the order of their shards."""

from __future__ import annotations

import bisect
import dataclasses
import gzip
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from quickdraw.datasets import splits
from quickdraw.datasets.recipe import Recipe, id_of
from quickdraw.datasets.sources import DrawingFile
from quickdraw.datasets.sources.base import Read
from quickdraw.datasets.writing.entries import NO_WORD
from quickdraw.datasets.writing.index import Index
from quickdraw.drawings.drawing import Drawing, SkippedDrawing
from quickdraw.errors import QuickdrawError
from quickdraw.records import tfrecord
from quickdraw.records.dataset_info import DatasetInfo

AT_ONCE = 1000
SAMPLE = 100

Shared = tuple[Sequence[DrawingFile], Recipe]
"""What the processes know: the files, and what is made of them."""

Entry = tuple[int, int, int, int, int, int]
"""Of the index: a drawing's key, position, size, numbers of its file, its word and its key_id."""

Framed = tuple[bytes, tuple[str, int] | None]
"""A record as it stands in a shard, and (id, label) where it is a test record with an answer."""


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Some consecutive drawings of a shard; `entries` is `ENTRY` `[n]`."""

    shard: str
    entries: np.ndarray
    is_test: bool


@dataclasses.dataclass(frozen=True)
class Part:
    """Framed records, and the (id, label) of those that are test records."""

    shard: str
    data: bytes
    answers: list[tuple[str, int]]
    count: int


def chunks(index: Index, info: DatasetInfo, edges: Mapping[str, list[int]]) -> Iterator[Chunk]:
    """Yield all shards in chunks, in order; `edges` are where those of each split begin."""
    for split, content in info.splits.items():
        ranges = itertools.pairwise(edges[split])
        for name, (start, stop) in zip(content["shards"], ranges, strict=True):
            for first in range(start, stop, AT_ONCE):
                entries = index.entries(split, first, min(first + AT_ONCE, stop))
                yield Chunk(name, entries, split == "test")


def write_chunk(shared: Shared, chunk: Chunk) -> Part:
    """Read the drawings of a chunk again and make their records."""
    files, recipe = shared
    made: dict[int, Framed] = {}
    for number, entries in _by_file(chunk.entries.tolist()):
        with files[number].opened() as read:
            for at, entry in entries:
                made[at] = _record(shared, entry, read, chunk.is_test)
    in_order = [made[at] for at in range(len(made))]
    data = pack([framed for framed, _ in in_order], recipe)
    return Part(chunk.shard, data, [each for _, each in in_order if each], len(in_order))


def _by_file(entries: list[Entry]) -> Iterator[tuple[int, Iterator[tuple[int, Entry]]]]:
    """Group entries by file, with their places in the list."""

    def file_of(numbered: tuple[int, Entry]) -> int:
        return numbered[1][3]

    return itertools.groupby(sorted(enumerate(entries), key=file_of), file_of)


def pack(framed: Sequence[bytes], recipe: Recipe) -> bytes:
    """Return framed records as they are written to a shard, gzipped if the recipe says so."""
    data = b"".join(framed)
    return gzip.compress(data, mtime=0) if recipe.gzip else data


def _record(shared: Shared, entry: Entry, read: Read, is_test: bool) -> Framed:
    files, recipe = shared
    key, position, size, number, word, _ = entry
    file = files[number]
    try:
        drawing = file.drawing(position, read(position, size))
    except SkippedDrawing:
        raise QuickdrawError(f"{file.place(position)}: the file changed meanwhile") from None
    return framed_record(recipe, drawing, key, None if word == NO_WORD else word, is_test)


def framed_record(
    recipe: Recipe, drawing: Drawing, key: int, label: int | None, is_test: bool
) -> Framed:
    """Make the record of a drawing."""
    if not is_test:
        return tfrecord.frame(recipe.record(drawing, label, "")), None
    image_id = id_of(drawing, key, label is not None)
    answer = None if label is None else (image_id, label)
    return tfrecord.frame(recipe.record(drawing, None, image_id)), answer


def mean_record_size(index: Index, shared: Shared) -> float:
    """Return the mean bytes of a record in a shard, from the hundred with the least keys."""
    files, recipe = shared
    first, sample = [], []
    for split in splits.SPLITS:
        first += [(entry, split == "test") for entry in index.least(split, SAMPLE).tolist()]
    for entry, is_test in sorted(first)[:SAMPLE]:
        with files[entry[3]].opened() as read:
            sample.append(_record(shared, entry, read, is_test)[0])
    return mean_size(sample, recipe)


def mean_size(framed: Sequence[bytes], recipe: Recipe) -> float:
    """Return the mean bytes that a record takes in a shard."""
    return len(pack(framed, recipe)) / len(framed)


def shard_count(split: str, count: int, size: float, recipe: Recipe) -> int:
    """Return how many shards a split should have, for `count` records of `size` bytes."""
    shards = math.ceil(count * size / (recipe.shard_megabytes * 1e6))
    # So that they can be shuffled, and read in parallel.
    return max(shards, 4) if split == "train" and count >= 1000 else shards


def shard_names(split: str, shards: int, recipe: Recipe) -> list[str]:
    """Return the names of a split's shards."""
    ending = ".tfrecords.gz" if recipe.gzip else ".tfrecords"
    return [f"{split}-{shard:05}-of-{shards:05}{ending}" for shard in range(shards)]


def edges(index: Index, split: str, shards: int) -> list[int]:
    """Return where each shard begins, then the end; none is empty, so there may be fewer.

    Shard i of n has keys from 2^64·i/n on; without labels, it has as many as the others.
    """
    length = index.length(split)
    if split == "test" and index.unlabelled:
        return equal_edges(length, shards)

    def key(at: int) -> int:
        return int(index.entries(split, at, at + 1)["key"][0])

    # Keys are evenly spread, so shards are of about equal size; bisection reads one entry at a
    # time, since a split may not fit into memory.
    inner = [
        bisect.bisect_left(range(length), first_key(shard, shards), key=key)
        for shard in range(1, shards)
    ]
    return sorted({0, *inner, length})


def equal_edges(length: int, shards: int) -> list[int]:
    """Return where each of some equally long shards begins, then the end; none is empty."""
    return sorted({length * shard // shards for shard in range(shards + 1)})


def first_key(shard: int, shards: int) -> int:
    """Return the least key that a shard may hold."""
    return -(-(shard << 64) // shards)  # rounded up, in Python's integers: 2^64 overflows uint64
