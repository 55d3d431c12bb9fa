"""The same preparation on Apache Beam, for more drawings than one machine should do.

The files are cut into pieces that are read anywhere; drawings with the same key meet, and the first
stays; each shard is sorted and written by one worker. The same code reads, checks and draws as on
one machine, and the shards are the same, byte by byte.
"""

from __future__ import annotations

import collections
import csv
import hashlib
import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.options.pipeline_options import PipelineOptions

from quickdraw import storage
from quickdraw.dataset_info import DatasetInfo
from quickdraw.datasets import output, scanning, shards, splits, writer
from quickdraw.datasets.drawing import SkippedDrawing
from quickdraw.datasets.recipe import Recipe, key_of
from quickdraw.datasets.sources import DrawingFile, Source
from quickdraw.errors import QuickdrawError
from quickdraw.progress import log

_PIECE = 4 << 20
_REPORTS = "reports"

Found = tuple[int, tuple[bool, str | None, int, int, bytes]]
"""Key; then whether it is no test drawing, word, file, position and record."""

Made = tuple[str, int, int | None, bytes, tuple[str, int] | None]
"""Split, key, label, framed record, and the id and label of a test record with an answer."""


def write(
    source: Source,
    output_dir: str,
    recipe: Recipe,
    *,
    description: str,
    runner: str,
    options: str = "",
) -> DatasetInfo:
    """Does what `writer.write` does, on a runner of Beam.

    Args:
        source: the drawings; on gs:// for a runner on other machines.
        output_dir: folder, local or gs://; made if need be.
        recipe: which drawings are taken, and what is made of them.
        description: where the drawings come from, in words, for `dataset.json`.
        runner: `DirectRunner` or `DataflowRunner`.
        options: further options of Beam, as on a command line.

    Raises:
        QuickdrawError: as `writer.write`; or a setting that needs all drawings in one place.
    """
    for name in ("per_category", "balance"):
        if getattr(recipe, name):
            raise QuickdrawError(f"{name} is for one machine: leave --runner or --{name} out")
    info = writer.describe(source, recipe, description)
    if existing := output.finished(output_dir, info):
        log(f"{output_dir}: already complete, nothing to do")
        return existing
    settings = PipelineOptions(shlex.split(options), runner=runner, save_main_session=False)
    with output.whole(output_dir) as folder:
        with beam.Pipeline(options=settings) as pipeline:
            _build(pipeline, source, recipe, info.source, folder)
        _complete(info, folder)
        info.save(folder)
    return info


def _build(
    pipeline: beam.Pipeline, source: Source, recipe: Recipe, description: str, folder: str
) -> None:
    """The graph: files, drawings, one of each, records, shards."""
    files = source.files
    pieces = list(scanning.pieces(files, recipe, _PIECE))
    read = (
        pipeline
        | "pieces" >> beam.Create(pieces)
        | "spread" >> beam.Reshuffle()
        | "read"
        >> beam.FlatMap(_read, files, recipe).with_outputs("skipped", "words", main="found")
    )
    labels = beam.pvalue.AsSingleton(
        read.words
        | "all words" >> beam.CombineGlobally(_Union())
        | "labels" >> beam.Map(_labels, recipe, source.labels, description)
    )
    apart = any(file.is_test for file in files)
    made = (
        read.found
        | "by key" >> beam.GroupByKey()
        | "make"
        >> beam.FlatMap(_make, files, recipe, apart, labels).with_outputs("skipped", main="made")
    )
    skipped = (
        (read.skipped, made.skipped)
        | "all skipped" >> beam.Flatten()
        | "count skipped" >> beam.CombinePerKey(sum)
        | "skipped as one" >> beam.CombineGlobally(beam.combiners.ToDictCombineFn())
    )
    names = beam.pvalue.AsSingleton(_names(made.made, recipe))
    parts = made.made | "shard" >> beam.Map(_shard_of, names)
    # A shard that no key falls into is written too.
    empty = pipeline | "once" >> beam.Create([None]) | "shards" >> beam.FlatMap(_every, names)
    written = (
        (parts, empty)
        | "parts" >> beam.Flatten()
        | "by shard" >> beam.GroupByKey()
        | "write" >> beam.Map(_write_shard, folder, recipe)
    )
    _ = (
        pipeline
        | "end" >> beam.Create([None])
        | "report"
        >> beam.Map(
            _report, folder, labels, names, beam.pvalue.AsSingleton(skipped), _list(written)
        )
    )


def _list(collection: Any) -> Any:
    return beam.pvalue.AsList(collection)


def _names(made: Any, recipe: Recipe) -> Any:
    """The names of the shards of each split, as one dict."""
    counts = beam.pvalue.AsDict(
        made | "splits" >> beam.Map(lambda one: one[0]) | beam.combiners.Count.PerElement()
    )
    return (
        made
        | "records" >> beam.Map(lambda one: (one[1], one[3]))
        | "sample" >> beam.combiners.Top.Smallest(shards.SAMPLE)
        | "sizes" >> beam.Map(_shard_names, recipe, counts)
    )


def _shard_names(sample: list, recipe: Recipe, counts: dict[str, int]) -> dict[str, list[str]]:
    size = shards.mean_size([data for _, data in sorted(sample)], recipe) if sample else 0
    return {
        split: shards.shard_names(split, counts.get(split, 0), size, recipe)
        for split in splits.SPLITS
    }


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
    """The drawings of a piece, its words, and what is skipped in it."""
    words, used = set(), set()
    for position, data, drawing in scanning.usable(files[piece.file], piece, recipe):
        if isinstance(drawing, SkippedDrawing):
            yield beam.pvalue.TaggedOutput("skipped", (drawing.reason, 1))
            continue
        if drawing.word is not None:
            words.add(drawing.word)
            if not scanning.is_wanted(drawing.word, recipe):
                continue
            used.add(drawing.word)
        set_apart = files[piece.file].is_test or drawing.word is None
        yield key_of(drawing), (not set_apart, drawing.word, piece.file, position, data)
    yield beam.pvalue.TaggedOutput("words", (words, used))


def _make(
    found: tuple[int, Iterable[tuple]],
    files: Sequence[DrawingFile],
    recipe: Recipe,
    apart: bool,
    labels: list[str],
) -> Iterator[Any]:
    """The record of the first of the drawings with one key."""
    key, copies = found
    numbers = {label: number for number, label in enumerate(labels)}
    ordered = sorted(
        (not_test, numbers.get(word, scanning.NO_WORD), file, position, data)
        for not_test, word, file, position, data in copies
    )
    if len(ordered) > 1:
        yield beam.pvalue.TaggedOutput("skipped", ("duplicate", len(ordered) - 1))
    not_test, number, file, position, data = ordered[0]
    percentages = splits.without_test(recipe.percentages) if apart else recipe.percentages
    which = int(splits.assign(np.array([key], np.uint64), percentages)[0]) if not_test else 2
    label = None if number == scanning.NO_WORD else number
    drawing = files[file].parse(position, data)
    record, answer = shards.framed_record(recipe, drawing, key, label, which == 2)
    yield splits.SPLITS[which], key, label, record, answer


def _shard_of(made: Made, names: dict[str, list[str]]) -> tuple[str, Made | None]:
    split, key = made[0], made[1]
    return names[split][key * len(names[split]) >> 64], made


def _every(_: None, names: dict[str, list[str]]) -> Iterator[tuple[str, Made | None]]:
    for of_split in names.values():
        yield from ((name, None) for name in of_split)


def _write_shard(
    group: tuple[str, Iterable[Made | None]], folder: str, recipe: Recipe
) -> dict[str, Any]:
    """Writes a shard; returns its name, its checksum, and how many drawings of each label."""
    name, parts = group
    ordered = sorted((part for part in parts if part is not None), key=lambda part: part[1])
    digest = hashlib.sha256()
    with storage.write_whole(os.path.join(folder, name), "wb") as file:
        for first in range(0, max(len(ordered), 1), shards.AT_ONCE):
            chunk = ordered[first : first + shards.AT_ONCE]
            data = shards.pack([part[3] for part in chunk], recipe)
            digest.update(data)
            file.write(data)
    answers = [part[4] for part in ordered if part[4]]
    if answers:
        storage.write_json(os.path.join(folder, _REPORTS, f"{name}.json"), answers)
    counts = collections.Counter(part[2] for part in ordered if part[2] is not None)
    return {
        "name": name,
        "digest": digest.hexdigest(),
        "records": len(ordered),
        "counts": sorted(counts.items()),
        "answers": bool(answers),
    }


def _report(
    _: None,
    folder: str,
    labels: list[str],
    names: dict[str, list[str]],
    skipped: dict[str, int],
    written: list[dict[str, Any]],
) -> None:
    report = {"labels": labels, "names": names, "skipped": skipped, "written": written}
    storage.write_json(os.path.join(folder, _REPORTS, "report.json"), report)


def _complete(info: DatasetInfo, folder: str) -> None:
    """Puts what the workers reported together: the description and the solution."""
    reports = os.path.join(folder, _REPORTS)
    report = storage.read_json(os.path.join(reports, "report.json"))
    written = {shard["name"]: shard for shard in report["written"]}
    if not written:
        raise QuickdrawError(f"{info.source}: no usable drawing. Skipped: {report['skipped']}")
    info.labels = report["labels"]
    info.skipped = dict(sorted(report["skipped"].items()))
    fingerprint, answers = hashlib.sha256(), []
    for split, names in report["names"].items():
        counts = collections.Counter[int]()
        for name in names:
            fingerprint.update(written[name]["digest"].encode())
            counts.update(dict(written[name]["counts"]))
            if written[name]["answers"]:
                answers.append(os.path.join(reports, f"{name}.json"))
        info.splits[split] = {
            "records": sum(written[name]["records"] for name in names),
            "per_class": {label: counts[number] for number, label in enumerate(info.labels)},
            "shards": names,
        }
    info.fingerprint = fingerprint.hexdigest()
    _write_solution(folder, answers)
    storage.delete(reports)


def _write_solution(folder: str, answers: list[str]) -> None:
    if not answers:
        return
    with storage.write_whole(os.path.join(folder, output.SOLUTION)) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("image_id", "label"))
        for path in answers:
            rows.writerows(storage.read_json(path))
