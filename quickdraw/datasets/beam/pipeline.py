"""The same preparation on Apache Beam, for more drawings than one machine should do.

The files are cut into pieces that are read anywhere; drawings with the same key meet, and the first
stays; each shard is sorted and written by one worker. The same code reads, checks and draws as on
one machine, and the shards are the same, byte by byte. No worker holds the keys of all drawings.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.options.pipeline_options import PipelineOptions

from quickdraw.console import log
from quickdraw.datasets import splits
from quickdraw.datasets.beam import copies, limits, sharding
from quickdraw.datasets.recipe import Recipe, key_of
from quickdraw.datasets.sources import DrawingFile, Source
from quickdraw.datasets.summary import warnings
from quickdraw.datasets.writing import output, packing, provenance, record_ids, scanning, writer
from quickdraw.datasets.writing.entries import ENTRY, NO_WORD
from quickdraw.drawings import key_ids
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.errors import QuickdrawError
from quickdraw.records.dataset_info import DatasetInfo

_PIECE = 4 << 20

Unlabelled = tuple[int, int, int]
"""File, position and number of the key_id of a test record without a label."""


def write(
    source: Source,
    output_dir: str,
    recipe: Recipe,
    *,
    description: str,
    runner: str,
    options: str = "",
) -> DatasetInfo:
    """Write a data set as `writer.write` does, on a Beam runner.

    Args:
        source: the drawings; on gs:// for a runner on other machines.
        output_dir: folder, local or gs://; made if need be.
        recipe: which drawings are taken, and what is made of them.
        description: where the drawings come from, in words, for `dataset.json`.
        runner: `DirectRunner` or `DataflowRunner`.
        options: further options of Beam, as on a command line.

    Raises:
        QuickdrawError: as `writer.write`.
    """
    info = writer.describe(source, recipe, description)
    if existing := output.finished(output_dir, info, source.inputs):
        log(f"{output_dir}: already complete, nothing to do")
        return existing
    settings = PipelineOptions(shlex.split(options), runner=runner, save_main_session=False)
    with output.whole(output_dir) as folder:
        info.settings["content"] = provenance.content(source.inputs)
        with beam.Pipeline(options=settings) as pipeline:
            _build(pipeline, source, recipe, info.source, folder)
        sharding.complete(info, folder)
        provenance.check_unchanged(source.inputs, info.settings["seen"])
        for line in warnings(info):
            log(line)
        output.save(info, folder)
    return info


def _build(
    pipeline: beam.Pipeline, source: Source, recipe: Recipe, description: str, folder: str
) -> None:
    """Build the graph: files, drawings, one of each, records, shards."""
    files = source.files
    pieces = list(scanning.pieces(files, recipe, _PIECE))
    read = (
        pipeline
        | "pieces" >> beam.Create(pieces)
        | "spread" >> beam.Reshuffle()
        | "read" >> beam.FlatMap(_read, files, recipe).with_outputs("counts", "words", main="found")
    )
    labels = beam.pvalue.AsSingleton(
        read.words
        | "all words" >> beam.CombineGlobally(_Union())
        | "labels" >> beam.Map(_labels, recipe, source.labels, description)
    )
    found = read.found
    if recipe.per_category:
        found = limits.at_start(found, recipe.per_category)
    found, ids = copies.without_ids_of_others(found)
    first = (
        found
        | "by key" >> beam.GroupByKey()
        | "copies" >> beam.FlatMap(copies.first_of, labels).with_outputs("counts", main="single")
    )
    single, counts = first.single, [read.counts, ids, first.counts]
    if recipe.balance:
        single, left_out = limits.balanced(single, labels)
        counts.append(left_out)
    unlabelled = beam.pvalue.AsList(
        found
        | "unlabelled" >> beam.Filter(lambda one: one[1][1] is None)
        | "their places" >> beam.Map(lambda one: (one[1][2], one[1][3], one[1][5]))
    )
    order = beam.pvalue.AsSingleton(
        pipeline | "all of them" >> beam.Create([None]) | "order" >> beam.Map(_order, unlabelled)
    )
    made = single | "make" >> beam.Map(_make, files, recipe, order)
    counts = (
        counts
        | "all reasons" >> beam.Flatten()
        | "count reasons" >> beam.CombinePerKey(sum)
        | "reasons as one" >> beam.CombineGlobally(beam.combiners.ToDictCombineFn())
    )
    fault = beam.pvalue.AsSingleton(
        pipeline | "ids" >> beam.Create([None]) | "fault" >> beam.Map(_fault, unlabelled, files)
    )
    sharding.write(pipeline, made, labels, (counts, fault), folder, recipe)


def _order(_: None, unlabelled: list[Unlabelled]) -> dict[tuple[int, int], int]:
    """Return the place in a test set without labels of each file and position."""
    return {(file, at): number for number, (file, at, _) in enumerate(sorted(unlabelled))}


def _fault(_: None, unlabelled: list[Unlabelled], files: Sequence[DrawingFile]) -> str:
    """Return what is wrong with the ids of a test set without labels; nothing if all is well."""
    rows = [(0, at, 0, file, NO_WORD, number) for file, at, number in sorted(unlabelled)]
    entries = np.array(rows, ENTRY)

    def place(file: int, position: int) -> str:
        return files[file].place(position)

    try:
        has_id = entries[entries["id"] != 0]
        record_ids.check_once(has_id[np.argsort(has_id["id"], kind="stable")], place)
        record_ids.check_all([entries], place)
    except QuickdrawError as error:
        return str(error)
    return ""


Words = tuple[set[str], set[str]]
"""All words, and those of drawings that were taken."""


class _Union(beam.CombineFn):
    """All words, and those of drawings that were taken."""

    def create_accumulator(self) -> Words:
        return set(), set()

    def add_input(self, both: Words, words: Words) -> Words:
        return both[0] | words[0], both[1] | words[1]

    def merge_accumulators(self, several: Iterable[Words]) -> Words:
        first, second = zip(*several, strict=True)
        return set().union(*first), set().union(*second)

    def extract_output(self, both: Words) -> Words:
        return both


def _labels(words: Words, recipe: Recipe, known: list[str] | None, source: str) -> list[str]:
    return scanning.label_names(sorted(words[0]), sorted(words[1]), recipe, known, source)


def _read(piece: scanning.Piece, files: Sequence[DrawingFile], recipe: Recipe) -> Iterator[Any]:
    """Yield the drawings of a piece, its words, and what is skipped and adjusted in it."""
    words: dict[str, int] = {}
    used = set()
    for position, data, drawing in scanning.wanted(files[piece.file], piece, recipe, words):
        if isinstance(drawing, SkippedDrawing):
            yield beam.pvalue.TaggedOutput("counts", (("skipped", drawing.reason), 1))
            continue
        for what in drawing.adjusted:
            yield beam.pvalue.TaggedOutput("counts", (("adjusted", what), 1))
        if drawing.word is not None:
            used.add(drawing.word)
        split = files[piece.file].split or "train"
        rank = 0 if drawing.word is None else 2 - splits.SPLITS.index(split)
        number = key_ids.number_of(drawing.key_id)
        yield key_of(drawing), (rank, drawing.word, piece.file, position, data, number)
    yield beam.pvalue.TaggedOutput("words", (set(words), used))


def _make(
    single: limits.Single,
    files: Sequence[DrawingFile],
    recipe: Recipe,
    order: dict[tuple[int, int], int],
) -> sharding.Made:
    """Make the record of a drawing; `order` is that of the test records without labels, if any."""
    key, (rank, number, file, position, data) = single
    given = {each.split for each in files if each.split} | ({"test"} if order else set())
    percentages = splits.without(recipe.percentages, given)
    which = 2 - rank or int(splits.assign(np.array([key], np.uint64), percentages)[0])
    label = None if number == NO_WORD else number
    drawing = files[file].drawing(position, data)
    record, answer = packing.framed_record(recipe, drawing, key, label, which == 2)
    place = order[file, position] if label is None else key
    return splits.SPLITS[which], key, place, label, record, answer
