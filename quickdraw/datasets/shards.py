"""The second reading of the files: drawings become records, in the order of their shards."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from quickdraw import records
from quickdraw.dataset_info import DatasetInfo
from quickdraw.datasets import splits
from quickdraw.datasets.drawing import Drawing, SkippedDrawing
from quickdraw.datasets.index import Index
from quickdraw.datasets.recipe import Recipe, id_of
from quickdraw.datasets.scanning import NO_WORD
from quickdraw.datasets.sources import DrawingFile
from quickdraw.errors import QuickdrawError

AT_ONCE = 1000
SAMPLE = 100

Shared = tuple[Sequence[DrawingFile], Recipe]
"""What the processes know: the files, and what is made of them."""


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Some consecutive drawings of a shard."""

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


def chunks(index: Index, info: DatasetInfo) -> Iterator[Chunk]:
    """All shards in pieces, in order; a shard without a drawing is one empty piece."""
    for split, content in info.splits.items():
        if not content["shards"]:
            continue
        edges = index.edges(split, len(content["shards"]))
        for name, (start, stop) in zip(content["shards"], itertools.pairwise(edges), strict=True):
            for first in range(start, max(stop, start + 1), AT_ONCE):
                entries = index.entries(split, first, min(first + AT_ONCE, stop))
                yield Chunk(name, entries, split == "test")


def write_chunk(shared: Shared, chunk: Chunk) -> Part:
    """Reads drawings for the second time, and makes their records."""
    answers, framed = [], []
    for entry in chunk.entries.tolist():
        data, answer = _record(shared, entry, chunk.is_test)
        framed.append(data)
        answers += answer
    return Part(chunk.shard, pack(framed, shared[1]), answers, len(framed))


def pack(framed: Sequence[bytes], recipe: Recipe) -> bytes:
    """Some records of a shard as they are written; packed one by one, by several processes."""
    data = b"".join(framed)
    return gzip.compress(data, mtime=0) if recipe.gzip else data


def _record(
    shared: Shared, entry: tuple[int, int, int, int, int], is_test: bool
) -> tuple[bytes, list[tuple[str, int]]]:
    files, recipe = shared
    key, position, size, number, word = entry
    file = files[number]
    try:
        drawing = file.parse(position, file.read(position, size))
    except SkippedDrawing:
        raise QuickdrawError(f"{file.place(position)}: the file changed meanwhile") from None
    return framed_record(recipe, drawing, key, None if word == NO_WORD else word, is_test)


def framed_record(
    recipe: Recipe, drawing: Drawing, key: int, label: int | None, is_test: bool
) -> tuple[bytes, list[tuple[str, int]]]:
    """A record as it stands in a shard, and the right answer where it is a test record."""
    if not is_test:
        return records.frame(recipe.record(drawing, label, "")), []
    image_id = id_of(drawing, key, label is not None)
    answers = [] if label is None else [(image_id, label)]
    return records.frame(recipe.record(drawing, None, image_id)), answers


def mean_record_size(index: Index, shared: Shared) -> float:
    """Bytes of a record in a shard, from the hundred with the least keys."""
    first = []
    for split in splits.SPLITS:
        count = min(index.length(split), SAMPLE)
        entries = index.entries(split, 0, count).tolist() if count else []
        first += [(entry, split == "test") for entry in entries]
    sample = [_record(shared, entry, is_test)[0] for entry, is_test in sorted(first)[:SAMPLE]]
    return mean_size(sample, shared[1])


def mean_size(framed: Sequence[bytes], recipe: Recipe) -> float:
    """Bytes that a record takes in a shard."""
    return len(pack(framed, recipe)) / len(framed)


def shard_names(split: str, count: int, size: float, recipe: Recipe) -> list[str]:
    """The names of a split's shards, for that many records of that many bytes."""
    shards = math.ceil(count * size / (recipe.shard_megabytes * 1e6))
    if split == "train" and count >= 1000:
        shards = max(shards, 4)  # so that they can be shuffled, and read in parallel
    ending = ".tfrecords.gz" if recipe.gzip else ".tfrecords"
    return [f"{split}-{shard:05}-of-{shards:05}{ending}" for shard in range(shards)]
