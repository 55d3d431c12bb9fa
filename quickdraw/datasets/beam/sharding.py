"""The shards of a preparation on Apache Beam: each is sorted and written by one worker."""

from __future__ import annotations

import bisect
import collections
import csv
import hashlib
import os
from collections.abc import Iterable
from typing import Any

import apache_beam as beam

from quickdraw import storage
from quickdraw.datasets import splits
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.writing import output, packing, record_ids
from quickdraw.datasets.writing.packing import equal_edges
from quickdraw.datasets.writing.record_ids import OTHERS_ID
from quickdraw.errors import QuickdrawError
from quickdraw.records import labels as names_of_labels
from quickdraw.records.dataset_info import DatasetInfo

_REPORTS = "reports"

Made = tuple[str, int, int, int | None, bytes, tuple[str, int] | None]
"""Split, key, place (the key once more, but in a test set without labels the number of the record),
label, framed record, and the id and label of a test record with an answer."""

Names = dict[str, dict[int, str]]
"""Of each split the names of the shards, by the number of the range that holds their places."""


def write(
    pipeline: beam.Pipeline,
    made: beam.PCollection[Made],
    labels: beam.pvalue.AsSideInput,
    findings: tuple[beam.PCollection[dict[tuple[str, str], int]], beam.pvalue.AsSideInput],
    folder: str,
    recipe: Recipe,
) -> None:
    """Add to a graph the steps that write the shards and a report of them for `complete`.

    Args:
        pipeline: the graph.
        made: its records.
        labels: the names of the classes, a side input.
        findings: how many drawings were skipped, or adjusted, for each reason: a collection of one
            dict with keys such as `("skipped", reason)`; and what is wrong, a side input of text.
        folder: where the shards go.
        recipe: what they are to be like.
    """
    counts, fault = findings
    sizes = beam.pvalue.AsSingleton(_sizes(made, recipe))
    ranges = made | "ranges" >> beam.Map(_range_of, sizes) | "used" >> beam.Distinct()
    names = beam.pvalue.AsSingleton(
        pipeline
        | "once" >> beam.Create([None])
        | "names" >> beam.Map(_names, beam.pvalue.AsList(ranges), recipe)
    )
    written = (
        made
        | "shard" >> beam.Map(_shard_of, sizes, names)
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
            fault,
            beam.pvalue.AsList(written),
        )
    )


def _sizes(
    made: beam.PCollection[Made], recipe: Recipe
) -> beam.PCollection[dict[str, tuple[int, int]]]:
    """Return by split how many records and how many shards there should be, as one dict."""
    counts = beam.pvalue.AsDict(
        made | "splits" >> beam.Map(lambda one: one[0]) | beam.combiners.Count.PerElement()
    )
    return (
        made
        | "records" >> beam.Map(lambda one: (one[1], one[4]))
        | "sample" >> beam.combiners.Top.Smallest(packing.SAMPLE)
        | "sizes" >> beam.Map(_sizes_of, recipe, counts)
    )


def _sizes_of(
    sample: list[tuple[int, bytes]], recipe: Recipe, counts: dict[str, int]
) -> dict[str, tuple[int, int]]:
    size = packing.mean_size([data for _, data in sorted(sample)], recipe) if sample else 0
    return {
        split: (count, packing.shard_count(split, count, size, recipe))
        for split, count in counts.items()
    }


def _range_of(made: Made, sizes: dict[str, tuple[int, int]]) -> tuple[str, int]:
    """Return the split and the range of a record: shards that no key falls into are not written."""
    split, _, place, label, *_ = made
    count, shards = sizes[split]
    if label is None:
        return split, bisect.bisect_right(equal_edges(count, shards), place) - 1
    return split, place * shards >> 64


def _names(_: None, ranges: list[tuple[str, int]], recipe: Recipe) -> Names:
    names = {}
    for split in splits.SPLITS:
        numbers = sorted(number for of, number in ranges if of == split)
        called = packing.shard_names(split, len(numbers), recipe)
        names[split] = dict(zip(numbers, called, strict=True))
    return names


def _shard_of(made: Made, sizes: dict[str, tuple[int, int]], names: Names) -> tuple[str, Made]:
    split, number = _range_of(made, sizes)
    return names[split][number], made


def _write_shard(group: tuple[str, Iterable[Made]], folder: str, recipe: Recipe) -> dict[str, Any]:
    """Write a shard; return its name, its checksum and the number of drawings of each label."""
    name, parts = group
    ordered = sorted(parts, key=lambda part: part[2])
    digest = hashlib.sha256()
    with storage.write_whole(os.path.join(folder, name), "wb") as file:
        for first in range(0, len(ordered), packing.AT_ONCE):
            chunk = ordered[first : first + packing.AT_ONCE]
            data = packing.pack([part[4] for part in chunk], recipe)
            digest.update(data)
            file.write(data)
    answers = [part[5] for part in ordered if part[5]]
    if answers:
        storage.write_json(os.path.join(folder, _REPORTS, f"{name}.json"), answers)
    counts = collections.Counter(part[3] for part in ordered if part[3] is not None)
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
    names: Names,
    counts: dict[tuple[str, str], int],
    fault: str,
    written: list[dict[str, Any]],
) -> None:
    report: dict[str, Any] = {"labels": labels, "written": written, "fault": fault}
    report["names"] = {split: list(of_split.values()) for split, of_split in names.items()}
    report |= {"skipped": {}, "adjusted": {}, "ids": {}}
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
    if report["fault"]:
        raise QuickdrawError(report["fault"])
    record_ids.check_different(report["skipped"].get(OTHERS_ID, 0), report["ids"].get("all", 0))
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
    test = info.splits["test"]
    if 0 < sum(test["per_class"].values()) < test["records"]:
        raise QuickdrawError(
            f"{info.source}: some test records have labels and others none: give one of the two "
            "test sets"
        )
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
