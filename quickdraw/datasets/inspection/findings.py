"""What somebody should know about the data, in sentences."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Literal

from quickdraw.datasets.inspection.records import UNLABELLED
from quickdraw.formats.dataset_info import DatasetInfo

if TYPE_CHECKING:
    from quickdraw.datasets.inspection.report import Report

_UNBALANCED = 3
_DARK_ON_LIGHT = 0.5


@dataclasses.dataclass(frozen=True)
class Finding:
    """A sentence about the data; a warning is something to do something about."""

    text: str
    level: Literal["warning", "note", "good"] = "note"


def find(report: Report, infos: list[DatasetInfo]) -> list[Finding]:
    """The findings, warnings first; `infos` are the dataset.json of the folders."""
    found = [*_about_records(report, infos), *_about_classes(report), *_about_drawings(report)]
    return sorted(found, key=lambda finding: ("warning", "note", "good").index(finding.level))


def number_of(count: int, what: str, plural: str = "") -> str:
    """`1 drawing`, `1,200 drawings`."""
    return f"{count:,} {what if count == 1 else plural or what + 's'}"


def _about_records(report: Report, infos: list[DatasetInfo]) -> list[Finding]:
    found = [Finding("Every record can be read.", "good")]
    if report.records.bad:
        first = report.records.first_bad[0]
        where = f"{report.short(first.path)}, record {first.number}"
        text = f"Bad records: {report.records.bad:,}. The first: {where}: {report.reason(first)}"
        found = [Finding(text, "warning")]
    if len(sizes := report.records.sizes) > 1:
        text = ", ".join(f"{h}x{w}x{c}" for (h, w, c), _ in sizes.most_common(5))
        found.append(
            Finding(f"Images of {len(sizes)} sizes; a reader wants one: {text}", "warning")
        )
    if not infos:
        found.append(Finding("There is no dataset.json: classes are shown by number."))
    if any(info.labels != infos[0].labels for info in infos):
        found.append(Finding("The folders' dataset.json name the classes differently.", "warning"))
    return found + _against_info(report)


def _against_info(report: Report) -> list[Finding]:
    """Compares what is there with what dataset.json says of the shards that were read."""
    names = {os.path.basename(path) for path in report.records.files}
    found = []
    for split, content in (report.info.splits if report.info else {}).items():
        there, said = report.split_totals().get(split, 0), content.get("records")
        read = split in report.splits and names.issuperset(content.get("shards", ()))
        if read and isinstance(said, int) and there != said:
            text = f"dataset.json says that {split} has {said:,} drawings; there are {there:,}."
            found.append(Finding(text, "warning"))
    return found


def _about_classes(report: Report) -> list[Finding]:
    counts = {label: s.count for label, s in report.classes.items() if label != UNLABELLED}
    if not counts:
        return []
    found = []
    labels = report.info.labels if report.info else []
    if missing := [name for label, name in enumerate(labels) if label not in counts]:
        shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        count = number_of(len(missing), "class", "classes")
        found.append(Finding(f"{count} without a labelled drawing: {shown}", "warning"))
    few, many = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    text = (
        f"A class has {counts[few]:,} ({report.name(few)}) to {counts[many]:,} "
        f"({report.name(many)}) drawings with a label."
    )
    unbalanced = counts[many] > _UNBALANCED * counts[few]
    return [*found, Finding(text, "warning" if unbalanced else "note")]


def _about_drawings(report: Report) -> list[Finding]:
    same = report.duplicates
    found = [
        Finding(
            f"{report.splits[first]} and {report.splits[second]} share "
            f"{number_of(count, 'drawing')}, pixel by pixel: a score on them says little.",
            "warning",
        )
        for (first, second), count in same.across.items()
    ]
    if not same.across and len(report.splits) > 1:
        found.append(Finding("No drawing is in two splits.", "good"))
    found += [
        Finding(
            f"{report.splits[split]}: {number_of(count, 'drawing')} with the pixels of another one."
        )
        for split, count in same.within.items()
    ]
    if same.conflicting:
        found.append(
            Finding(
                f"{number_of(same.conflicting, 'drawing')} under more than one label.", "warning"
            )
        )
    odd = [f"{title.lower()}: {count:,}" for title, _, count, _ in report.suspicious() if count]
    if odd:
        found.append(Finding(f"Suspicious drawings: {', '.join(odd)}."))
    ink = sum(s.mean_ink * s.count for s in report.classes.values()) / report.total
    if ink > _DARK_ON_LIGHT:
        text = f"{ink:.0%} of the paper is ink: are these dark strokes on light? 255 on 0 expected."
        found.append(Finding(text, "warning"))
    return found
