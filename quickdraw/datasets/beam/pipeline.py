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
from quickdraw.datasets.beam import limits, sharding
from quickdraw.datasets.recipe import Recipe, key_of
from quickdraw.datasets.sources import DrawingFile, Source
from quickdraw.datasets.writing import output, packing, provenance, scanning, writer
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.records.dataset_info import DatasetInfo

_PIECE = 4 << 20


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
        info.save(folder)
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
    first = (
        found
        | "by key" >> beam.GroupByKey()
        | "first of copies" >> beam.FlatMap(_first, labels).with_outputs("counts", main="single")
    )
    single, counts = first.single, [read.counts, first.counts]
    if recipe.balance:
        single, left_out = limits.balanced(single, labels)
        counts.append(left_out)
    apart = any(file.is_test for file in files)
    made = single | "make" >> beam.Map(_make, files, recipe, apart)
    counts = (
        counts
        | "all reasons" >> beam.Flatten()
        | "count reasons" >> beam.CombinePerKey(sum)
        | "reasons as one" >> beam.CombineGlobally(beam.combiners.ToDictCombineFn())
    )
    sharding.write(pipeline, made, labels, counts, folder, recipe)


class _Union(beam.CombineFn):
    """All words, and those of drawings that were taken."""

    def create_accumulator(self) -> tuple[set, set]:
        return set(), set()

    def add_input(self, both: tuple[set, set], words: tuple[set, set]) -> tuple[set, set]:
        return both[0] | words[0], both[1] | words[1]

    def merge_accumulators(self, several: Iterable[tuple[set, set]]) -> tuple[set, set]:
        first, second = zip(*several, strict=True)
        return set().union(*first), set().union(*second)

    def extract_output(self, both: tuple[set, set]) -> tuple[set, set]:
        return both


def _labels(
    words: tuple[set[str], set[str]], recipe: Recipe, known: list[str] | None, source: str
) -> list[str]:
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
        set_apart = files[piece.file].is_test or drawing.word is None
        yield key_of(drawing), (not set_apart, drawing.word, piece.file, position, data)
    yield beam.pvalue.TaggedOutput("words", (set(words), used))


def _first(found: tuple[int, Iterable[tuple]], labels: list[str]) -> Iterator[Any]:
    """Yield the first of the drawings with the same key."""
    key, copies = found
    numbers = {label: number for number, label in enumerate(labels)}
    ordered = sorted(
        (not_test, numbers.get(word, scanning.NO_WORD), file, position, data)
        for not_test, word, file, position, data in copies
    )
    if len(ordered) > 1:
        yield beam.pvalue.TaggedOutput("counts", (("skipped", "duplicate"), len(ordered) - 1))
    yield key, ordered[0]


def _make(
    single: limits.Single, files: Sequence[DrawingFile], recipe: Recipe, apart: bool
) -> sharding.Made:
    """Make the record of a drawing."""
    key, (not_test, number, file, position, data) = single
    percentages = splits.without_test(recipe.percentages) if apart else recipe.percentages
    which = int(splits.assign(np.array([key], np.uint64), percentages)[0]) if not_test else 2
    label = None if number == scanning.NO_WORD else number
    drawing = files[file].parse(position, data)
    record, answer = packing.framed_record(recipe, drawing, key, label, which == 2)
    return splits.SPLITS[which], key, label, record, answer
