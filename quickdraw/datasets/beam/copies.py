"""Drawings that are there more than once, by their key_id or their content, on Apache Beam."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import apache_beam as beam

from quickdraw.datasets.beam.limits import Found, Single
from quickdraw.datasets.writing.entries import NO_WORD, OF_ANOTHER_CLASS
from quickdraw.datasets.writing.record_ids import OTHERS_ID

Placed = tuple[int, int, int, int]
"""Rank, file, position and key of a drawing."""

Copy = tuple[int, str, int, int, bytes, int]
"""What `Found` says of a drawing beside its key."""


def without_ids_of_others(
    found: beam.PCollection[Found],
) -> tuple[beam.PCollection[Found], beam.PCollection[tuple[tuple[str, str], int]]]:
    """Drop drawings for training and validation that have the key_id of another.

    Args:
        found: the drawings.
    Returns:
        Those that stay; and counts, of those that do not and of all that have an id.
    """
    with_id = found | "with an id" >> beam.Filter(lambda one: one[1][5])
    dropped = (
        with_id
        | "by id" >> beam.Map(_by_id)
        | "of one id" >> beam.GroupByKey()
        | "others" >> beam.FlatMap(_others)
    )
    counts = (
        dropped | "count others" >> beam.Map(lambda _: (("skipped", OTHERS_ID), 1)),
        with_id | "count ids" >> beam.Map(lambda _: (("ids", "all"), 1)),
    ) | "counts of ids" >> beam.Flatten()
    places = beam.pvalue.AsDict(dropped | "places" >> beam.Map(lambda place: (place, True)))
    return found | "own id" >> beam.Filter(_is_not_in, places), counts


def _by_id(found: Found) -> tuple[int, Placed]:
    key, (rank, _, file, position, _, number) = found
    return number, (rank, file, position, key)


def _others(group: tuple[int, Iterable[Placed]]) -> Iterator[tuple[int, int]]:
    """Yield file and position of those with another content than the first with their key_id."""
    first, *others = sorted(group[1])
    yield from (
        (file, position) for rank, file, position, key in others if rank and key != first[3]
    )


def _is_not_in(found: Found, places: dict[tuple[int, int], bool]) -> bool:
    _, (_, _, file, position, *_) = found
    return (file, position) not in places


def first_of(
    found: tuple[int, Iterable[Copy]], labels: list[str]
) -> Iterator[Single | beam.pvalue.TaggedOutput]:
    """Yield as `Single` the first of the drawings with the same key, and all of a test set.

    Copies that stay get keys of their own.
    """
    key, copies = found
    numbers = {label: number for number, label in enumerate(labels)}
    ordered = sorted(
        (rank, numbers.get(word, NO_WORD), file, position, data)
        for rank, word, file, position, data, _ in copies
    )
    stay = [one for at, one in enumerate(ordered) if at == 0 or one[0] == 0]
    if len(stay) < len(ordered):
        label = ordered[0][1]
        for rank, other, *_ in ordered[1:]:
            if rank:
                is_disputed = other != label and NO_WORD not in (other, label)
                reason = OF_ANOTHER_CLASS if is_disputed else "duplicate"
                yield beam.pvalue.TaggedOutput("counts", (("skipped", reason), 1))
    yield from ((key + at, one) for at, one in enumerate(stay))
