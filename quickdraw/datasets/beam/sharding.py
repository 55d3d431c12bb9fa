"""The shards of a preparation on Apache Beam: each is sorted and written by one worker."""

from __future__ import annotations

import collections
import csv
import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam

from quickdraw import storage
from quickdraw.datasets import splits
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.writing import output, packing
from quickdraw.errors import QuickdrawError
from quickdraw.records import labels as names_of_labels
from quickdraw.records.dataset_info import DatasetInfo

_REPORTS = "reports"

Made = tuple[str, int, int | None, bytes, tuple[str, int] | None]
"""Split, key, label, framed record, and the id and label of a test record with an answer."""


def write(
    pipeline: beam.Pipeline, made: Any, labels: Any, counts: Any, folder: str, recipe: Recipe
) -> None:
    """Add to a graph the steps that write the shards and a report of them for `complete`.

    Args:
        pipeline: the graph.
        made: its records, a collection of `Made`.
        labels: the names of the classes, a side input.
        counts: how many drawings were skipped, or adjusted, for each reason: a collection of one
            dict with keys such as `("skipped", reason)`.
        folder: where the shards go.
        recipe: what they are to be like.
    """
    names = beam.pvalue.AsSingleton(_names(made, recipe))
    parts = made | "shard" >> beam.Map(_shard_of, names)
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
            _report,
            folder,
            labels,
            names,
            beam.pvalue.AsSingleton(counts),
            beam.pvalue.AsList(written),
        )
    )


def _names(made: Any, recipe: Recipe) -> Any:
    """Return the names of the shards of each split, as one dict."""
    counts = beam.pvalue.AsDict(
        made | "splits" >> beam.Map(lambda one: one[0]) | beam.combiners.Count.PerElement()
    )
    return (
        made
        | "records" >> beam.Map(lambda one: (one[1], one[3]))
        | "sample" >> beam.combiners.Top.Smallest(packing.SAMPLE)
        | "sizes" >> beam.Map(_shard_names, recipe, counts)
    )


def _shard_names(sample: list, recipe: Recipe, counts: dict[str, int]) -> dict[str, list[str]]:
    size = packing.mean_size([data for _, data in sorted(sample)], recipe) if sample else 0
    return {
        split: packing.shard_names(split, counts.get(split, 0), size, recipe)
        for split in splits.SPLITS
    }


def _shard_of(made: Made, names: dict[str, list[str]]) -> tuple[str, Made | None]:
    split, key = made[0], made[1]
    return names[split][key * len(names[split]) >> 64], made


def _every(_: None, names: dict[str, list[str]]) -> Iterator[tuple[str, Made | None]]:
    for of_split in names.values():
        yield from ((name, None) for name in of_split)


def _write_shard(
    group: tuple[str, Iterable[Made | None]], folder: str, recipe: Recipe
) -> dict[str, Any]:
    """Write a shard; return its name, its checksum and the number of drawings of each label."""
    name, parts = group
    ordered = sorted((part for part in parts if part is not None), key=lambda part: part[1])
    digest = hashlib.sha256()
    with storage.write_whole(os.path.join(folder, name), "wb") as file:
        for first in range(0, max(len(ordered), 1), packing.AT_ONCE):
            chunk = ordered[first : first + packing.AT_ONCE]
            data = packing.pack([part[3] for part in chunk], recipe)
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
    counts: dict[tuple[str, str], int],
    written: list[dict[str, Any]],
) -> None:
    report: dict[str, Any] = {"labels": labels, "names": names, "written": written}
    report |= {"skipped": {}, "adjusted": {}}
    for (kind, reason), count in sorted(counts.items()):
        report[kind][reason] = count
    storage.write_json(os.path.join(folder, _REPORTS, "report.json"), report)


def complete(info: DatasetInfo, folder: str) -> None:
    """Combine the workers' reports into the description and the solution."""
    reports = os.path.join(folder, _REPORTS)
    report = storage.read_json(os.path.join(reports, "report.json"))
    written = {shard["name"]: shard for shard in report["written"]}
    if not written:
        raise QuickdrawError(f"{info.source}: no usable drawing. Skipped: {report['skipped']}")
    info.labels = report["labels"]
    info.skipped, info.adjusted = report["skipped"], report["adjusted"]
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
    _write_solution(os.path.join(folder, output.SOLUTION), answers, info.labels)
    storage.delete(reports)


def _write_solution(path: str, answers: list[str], names: list[str]) -> None:
    if not answers:
        return
    names_of_labels.write(names_of_labels.beside(path), names)
    with storage.write_whole(path) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("image_id", "label"))
        for part in answers:
            rows.writerows(storage.read_json(part))
