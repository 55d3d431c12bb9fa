"""The HTML page of `inspect`: the values that `inspect.html.j2` shows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from quickdraw.datasets.inspection.contents import UNLABELLED
from quickdraw.datasets.inspection.overview import Overview
from quickdraw.datasets.inspection.stats import ClassStats, lookalikes
from quickdraw.datasets.inspection.top_k import Thumbnail
from quickdraw.pages import thumbnails
from quickdraw.pages.render import render

_TEMPLATE = Path(__file__).with_name("inspect.html.j2")
_FEW = 12  # classes whose drawings are unfolded
_MANY = 41  # classes whose counts are folded
_PAIRS = 12
_SIZES = 20
_COLUMNS = 8  # of a sheet of drawings
_LEAST_INK_AXIS = 60  # per cent


@dataclasses.dataclass
class Chart:
    """A histogram.

    Attributes:
        title: what is counted.
        counts: drawings in each bin.
        unit: what a bin means, with `{}` for its number from 1.
        low: the label of the axis on the left.
        high: the label of the axis on the right.
    """

    title: str
    counts: list[int]
    unit: str
    low: str
    high: str


@dataclasses.dataclass
class ClassValues:
    """What the page shows of a class.

    Attributes:
        label: its number; `UNLABELLED` for records without one.
        name: its name.
        count: its drawings.
        counts: its drawings in each split.
        shares: the same as shares of the largest class.
        mean: the mean drawing, a data: URL.
        sheet: some drawings, a data: URL.
        charts: histograms of its ink and bounding boxes.
    """

    label: int
    name: str
    count: int
    counts: list[int]
    shares: list[float]
    mean: str
    sheet: str
    charts: list[Chart]


def page(overview: Overview) -> str:
    """Return the page: one file without scripts, in which everything from the records is escaped.

    Args:
        overview: what `look` found.
    """
    largest = max(stats.count for stats in overview.classes.values())
    classes = {
        label: _class_values(overview, label, counts, largest) for label, counts in overview.table()
    }
    pairs = [
        (classes[first], classes[second], correlation)
        for first, second, correlation in _most_alike(overview)
    ]
    by_ink = sorted(classes, key=lambda label: overview.classes[label].mean_ink)
    sections = ["counts", "ink", "lookalikes", "drawings", "suspicious", "records"]
    contents = overview.contents
    return render(
        _TEMPLATE,
        title=overview.title,
        source=overview.source,
        sections=[name for name in sections if pairs or name != "lookalikes"],
        facts=_facts(overview),
        findings=overview.findings,
        splits=overview.splits,
        classes=list(classes.values()),
        few=len(classes) <= _FEW,
        many=len(classes) >= _MANY,
        least_ink=classes[by_ink[0]],
        most_ink=classes[by_ink[-1]],
        charts=_all_charts(list(overview.classes.values())),
        pairs=pairs,
        suspicious=_suspicious(overview),
        duplicates=[
            [_place_of_copy(overview, *copy) for copy in group]
            for group in overview.duplicates.groups
        ],
        features=[
            (name, kind, f"{count:,}") for (name, kind), count in sorted(contents.features.items())
        ],
        sizes=[
            (f"{height} x {width}", str(channels), f"{count:,}")
            for (height, width, channels), count in contents.sizes.most_common(_SIZES)
        ],
        bad_count=contents.bad.count,
        bad_records=[
            (overview.short(error.path), str(error.number), overview.reason(error))
            for error in contents.first_bad
        ],
        files=len(contents.files),
        pattern=overview.pattern,
    )


def _facts(overview: Overview) -> list[tuple[str, int]]:
    """Return (what, how many) of the numbers at the head of the page."""
    return [
        ("drawings", overview.total),
        ("classes", len(overview.classes.keys() - {UNLABELLED})),
        *overview.split_totals().items(),
        ("bad records", overview.contents.bad.count),
    ]


def _class_values(overview: Overview, label: int, counts: list[int], largest: int) -> ClassValues:
    stats = overview.classes[label]
    samples = [thumbnail.image for thumbnail in stats.samples.ranked()]
    return ClassValues(
        label,
        overview.name(label),
        stats.count,
        counts,
        [count / largest for count in counts],
        thumbnails.mean(stats.mean),
        thumbnails.sheet(samples, _COLUMNS),
        _charts(stats.ink, stats.widths, stats.heights),
    )


def _all_charts(classes: list[ClassStats]) -> list[Chart]:
    """Return the histograms of all classes together."""
    return _charts(
        np.sum([stats.ink for stats in classes], axis=0),
        np.sum([stats.widths for stats in classes], axis=0),
        np.sum([stats.heights for stats in classes], axis=0),
    )


def _charts(ink: np.ndarray, widths: np.ndarray, heights: np.ndarray) -> list[Chart]:
    """Return histograms of the ink and of the sides of the bounding box.

    Args:
        ink: int64 `[INK_BINS]`.
        widths: int64 `[SIDE_BINS]`.
        heights: int64 `[SIDE_BINS]`.
    """
    last = max(int(np.flatnonzero(ink)[-1]) + 1, _LEAST_INK_AXIS)
    average = ink @ np.arange(0.5, len(ink)) / max(ink.sum(), 1)
    title = f"Ink: {average:.0f} % of the paper"
    charts = [Chart(title, ink[:last].tolist(), "up to {} % ink", "0 %", f"{last} %")]
    for side, counts in (("Width", widths), ("Height", heights)):
        title, unit = f"{side} of the bounding box", f"up to {{}}/{len(counts)} of the paper"
        charts.append(Chart(title, counts.tolist(), unit, "0", "all the paper"))
    return charts


def _most_alike(overview: Overview) -> list[tuple[int, int, float]]:
    """Return (label, label, correlation of the mean drawings) of the classes most alike."""
    labels, correlations = lookalikes(overview.stats)
    first, second = np.triu_indices(len(labels), 1)
    values = correlations[first, second]
    best = np.argsort(-values, kind="stable")[:_PAIRS]
    return [(labels[first[at]], labels[second[at]], float(values[at])) for at in best]


def _suspicious(overview: Overview) -> list[dict[str, object]]:
    return [
        {
            "title": kind.title,
            "meaning": kind.meaning,
            "count": kind.count,
            "drawings": [_figure(overview, thumbnail) for thumbnail in kind.first],
        }
        for kind in overview.suspicious()
        if kind.count
    ]


def _figure(overview: Overview, thumbnail: Thumbnail) -> dict[str, str]:
    labelled = thumbnail.label != UNLABELLED
    return {
        "image": thumbnails.sheet([thumbnail.image], 1),
        "name": overview.name(thumbnail.label) if labelled else thumbnail.image_id,
        "place": _place(overview, thumbnail.file, thumbnail.number),
    }


def _place_of_copy(overview: Overview, label: int, file: int, number: int) -> str:
    return f"{overview.name(label)}: {_place(overview, file, number)}"


def _place(overview: Overview, file: int, number: int) -> str:
    return f"{overview.file(file)}, record {number}"
