"""At most so many drawings of each category, on Apache Beam: the first by file or by key.

The places of a category's drawings fall into buckets, which are counted. Only the places in the
bucket where the limit is reached are sorted, so that no worker holds those of a whole category.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam

from quickdraw.datasets.writing.entries import NO_WORD

_BUCKET_BYTES = 4 << 20
_BUCKET_KEYS = 1 << 52  # of 2^64

Found = tuple[int, tuple[int, str | None, int, int, bytes, int]]
"""Key; then rank (0 of a test set, 1 of a validation set, 2 of others), word, file, position,
record and the number of the key_id."""

Single = tuple[int, tuple[int, int, int, int, bytes]]
"""Key; then rank, number of the label, file, position and record of a drawing that stays."""

Category = tuple[int, str] | int
"""Rank and word, or the number of a label."""

Place = tuple[int, ...]
"""Of a drawing in an order; all but the last number say which bucket it is in."""

LastBuckets = dict[Category, tuple[Place, int]]
"""By category: the bucket where the limit is reached, and how many of it stay."""

PlaceOf = Callable[[Any], tuple[Category | None, Place]]
"""From a drawing to its category, None where it stays in any case, and its place."""


def at_start(found: beam.PCollection[Found], most: int) -> beam.PCollection[Found]:
    """Return the first `most` drawings of each category in file order, a collection of `Found`.

    Those of a test set or a validation set that was set apart are counted by themselves. Those
    without a word all stay.
    """
    return found | "at the start" >> _first_of_each(_place_in_files, most)


def balanced(
    single: beam.PCollection[Single], labels: beam.pvalue.AsSideInput
) -> tuple[beam.PCollection[Single], beam.PCollection[tuple[tuple[str, str], int]]]:
    """Keep as many drawings of each label as the smallest class has, those with the least keys.

    Those without a label all stay.

    Args:
        single: the drawings.
        labels: the names of the classes, a side input.

    Returns:
        The drawings that stay, and the reason and number of those that do not.
    """
    counts = (
        single
        | "labels of all" >> beam.Map(lambda one: one[1][1])
        | "known labels" >> beam.Filter(lambda label: label != NO_WORD)
        | "count labels" >> beam.combiners.Count.PerElement()
        | "counts as one" >> beam.CombineGlobally(beam.combiners.ToDictCombineFn())
    )
    least = beam.pvalue.AsSingleton(counts | "least" >> beam.Map(_least, labels))
    left_out = counts | "left out" >> beam.FlatMap(_left_out, least)
    return single | "balance" >> _first_of_each(_place_by_key, least), left_out


def _least(counts: dict[int, int], labels: list[str]) -> int:
    return min((counts.get(number, 0) for number in range(len(labels))), default=0)


def _left_out(counts: dict[int, int], least: int) -> Iterator[tuple[tuple[str, str], int]]:
    if count := sum(counts.values()) - least * len(counts):
        yield ("skipped", "left out for balance"), count


def _place_in_files(found: Found) -> tuple[Category | None, Place]:
    _, (rank, word, file, position, *_) = found
    category = None if word is None else (rank, word)
    return category, (file, position // _BUCKET_BYTES, position)


def _place_by_key(single: Single) -> tuple[int | None, Place]:
    key, (_, label, *_) = single
    return None if label == NO_WORD else label, (key // _BUCKET_KEYS, key)


@beam.ptransform_fn
def _first_of_each(drawings: Any, place_of: PlaceOf, most: Any) -> Any:
    """Keep the drawings with the `most` least places of each category.

    Args:
        drawings: a collection.
        place_of: gives a drawing's category and place.
        most: a number, or a side input of one.
    """
    places = (
        drawings
        | "places" >> beam.Map(place_of)
        | "of categories" >> beam.Filter(lambda placed: placed[0] is not None)
    )
    last_buckets = beam.pvalue.AsDict(
        places
        | "buckets" >> beam.Map(lambda placed: (placed[0], placed[1][:-1]))
        | "in each" >> beam.combiners.Count.PerElement()
        | "counts" >> beam.MapTuple(lambda bucket, count: (bucket[0], (bucket[1], count)))
        | "by category" >> beam.GroupByKey()
        | "last bucket" >> beam.FlatMap(_last_bucket, most)
    )
    ends = beam.pvalue.AsDict(
        places
        | "in last bucket" >> beam.Filter(_is_in_last_bucket, last_buckets)
        | "places by category" >> beam.GroupByKey()
        | "end" >> beam.Map(_end, last_buckets)
    )
    return drawings | "first" >> beam.Filter(_is_before_end, place_of, ends)


def _last_bucket(
    counted: tuple[Category, Iterable[tuple[Place, int]]], most: int
) -> Iterator[tuple[Category, tuple[Place, int]]]:
    """Yield the bucket where the limit is reached and how many of it stay; nothing if all do."""
    category, buckets = counted
    for bucket, count in sorted(buckets):
        if count > most:
            yield category, (bucket, most)
            return
        most -= count


def _is_in_last_bucket(placed: tuple[Category, Place], last_buckets: LastBuckets) -> bool:
    category, place = placed
    return category in last_buckets and place[:-1] == last_buckets[category][0]


def _end(
    group: tuple[Category, Iterable[Place]], last_buckets: LastBuckets
) -> tuple[Category, Place]:
    """Return the least place that does not stay."""
    category, places = group
    return category, sorted(places)[last_buckets[category][1]]


def _is_before_end(drawing: object, place_of: PlaceOf, ends: dict[Category, Place]) -> bool:
    category, place = place_of(drawing)
    return category not in ends or place < ends[category]
