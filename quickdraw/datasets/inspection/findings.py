"""What somebody should know about the data, in sentences."""

from __future__ import annotations

import os

from quickdraw.datasets.inspection.contents import UNLABELLED
from quickdraw.datasets.inspection.overview import Finding, Overview
from quickdraw.records import labels
from quickdraw.records.dataset_info import DatasetInfo

_IMBALANCED = 3  # times as many drawings as the smallest class
_DARK_ON_LIGHT = 0.5  # share of ink


def find(overview: Overview, infos: list[DatasetInfo]) -> list[Finding]:
    """Return the findings, warnings first.

    Args:
        overview: the numbers; its `findings` are not looked at.
        infos: the dataset.json of the folders.
    """
    found = [
        *_about_records(overview, infos),
        *_about_classes(overview),
        *_about_drawings(overview),
    ]
    return sorted(found, key=lambda finding: ("warning", "note", "good").index(finding.level))


def number_of(count: int, what: str, plural: str = "") -> str:
    """Return a count with its noun: `1 drawing`, `1,200 drawings`."""
    return f"{count:,} {what if count == 1 else plural or what + 's'}"


def _about_records(overview: Overview, infos: list[DatasetInfo]) -> list[Finding]:
    found = [Finding("Every record can be read.", "good")]
    if count := overview.contents.bad.count:
        first = overview.contents.first_bad[0]
        where = f"{overview.short(first.path)}, record {first.number}"
        text = f"Bad records: {count:,}. The first: {where}: {overview.reason(first)}"
        found = [Finding(text, "warning")]
    if len(sizes := overview.contents.sizes) > 1:
        text = ", ".join(f"{h}x{w}x{c}" for (h, w, c), _ in sizes.most_common(5))
        found.append(
            Finding(f"Images of {len(sizes)} sizes; a reader wants one: {text}", "warning")
        )
    if not infos:
        found.append(Finding("There is no dataset.json: classes are shown by number."))
    named = [info.labels for info in infos if info.labels]
    if any(not labels.same_classes(names, named[0]) for names in named):
        found.append(Finding("The folders' dataset.json name the classes differently.", "warning"))
    elif any(not labels.same(names, named[0]) for names in named):
        text = "The folders' dataset.json name the classes in another order; names decide."
        found.append(Finding(text, "warning"))
    return found + _against_info(overview)


def _against_info(overview: Overview) -> list[Finding]:
    """Compare what is there with what dataset.json says of the shards that were read."""
    names = {os.path.basename(path) for path in overview.contents.files}
    found = []
    for split, content in (overview.info.splits if overview.info else {}).items():
        there, said = overview.split_totals().get(split, 0), content.get("records")
        read = split in overview.splits and names.issuperset(content.get("shards", ()))
        if read and isinstance(said, int) and there != said:
            text = f"dataset.json says that {split} has {said:,} drawings; there are {there:,}."
            found.append(Finding(text, "warning"))
    return found


def _about_classes(overview: Overview) -> list[Finding]:
    counts = {label: s.count for label, s in overview.classes.items() if label != UNLABELLED}
    if not counts:
        return []
    found = []
    names = overview.info.labels if overview.info else []
    if missing := [name for label, name in enumerate(names) if label not in counts]:
        shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        count = number_of(len(missing), "class", "classes")
        found.append(Finding(f"{count} without a labelled drawing: {shown}", "warning"))
    few, many = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    text = (
        f"A class has {counts[few]:,} ({overview.name(few)}) to {counts[many]:,} "
        f"({overview.name(many)}) drawings with a label."
    )
    imbalanced = counts[many] > _IMBALANCED * counts[few]
    return [*found, Finding(text, "warning" if imbalanced else "note")]


def _about_drawings(overview: Overview) -> list[Finding]:
    same = overview.duplicates
    found = [
        Finding(
            f"{overview.splits[first]} and {overview.splits[second]} share "
            f"{number_of(count, 'drawing')}, pixel by pixel: a score on them says little.",
            "warning",
        )
        for (first, second), count in same.across.items()
    ]
    if not same.across and len(overview.splits) > 1:
        found.append(Finding("No drawing is in two splits.", "good"))
    for split, count in same.within.items():
        drawings = number_of(count, "drawing")
        text = f"{overview.splits[split]}: {drawings} with the pixels of another one."
        found.append(Finding(text))
    if same.conflicting:
        found.append(
            Finding(
                f"{number_of(same.conflicting, 'drawing')} under more than one label.", "warning"
            )
        )
    odd = [f"{kind.title.lower()}: {kind.count:,}" for kind in overview.suspicious() if kind.count]
    if odd:
        found.append(Finding(f"Suspicious drawings: {', '.join(odd)}."))
    ink = sum(s.mean_ink * s.count for s in overview.classes.values()) / overview.total
    if ink > _DARK_ON_LIGHT:
        text = f"{ink:.0%} of the paper is ink: are these dark strokes on light? 255 on 0 expected."
        found.append(Finding(text, "warning"))
    return found
