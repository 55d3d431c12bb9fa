"""Early recognition: predictions on the first part of each drawing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import numpy as np

from quickdraw.components.inputs import preprocessed, unwrapped
from quickdraw.drawings import Strokes
from quickdraw.drawings.rasterise import rasterise
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records import labels
from quickdraw.report.beside import UNKNOWN
from quickdraw.report.estimates import Estimate, wilson
from quickdraw.report.evaluated import Asked, Evaluated, evaluated
from quickdraw.report.figure import Figure
from quickdraw.report.one_pass import BATCH
from quickdraw.report.plotting import Plot, plot
from quickdraw.report.shown import inputs_of
from quickdraw.runs import factory

Clock = Literal["time", "line"]
_SHARES = tuple(tenth / 10 for tenth in range(1, 11))
_DRAWINGS = 500


@dataclasses.dataclass
class Early(Figure):
    """Accuracy on the first parts of drawings.

    Attributes:
        by: how drawings are cut: by "time", or by "line", the length of the line.
        shares: the shares that are drawn, 0…1.
        top1: the accuracy at each share.
        drawings_tried: the number of drawings, evenly spaced over all with ink.
        stays_right: the mean share from which the prediction is right and stays so, over drawings
            that are recognised in the end.
        at_half: the share of drawings that are recognised at one half, and stay so.
        names: the classes, those recognised earliest first.
        stays_right_by_class: `stays_right` of each of them.
    """

    macro: ClassVar[str] = "early"
    by: Clock
    shares: list[float]
    top1: list[Estimate]
    drawings_tried: int
    stays_right: float
    at_half: float
    names: list[str]
    stays_right_by_class: list[float]

    def plot(self, t: Callable[..., str]) -> Plot:
        """Return the curve for the template; `t` translates."""
        lines = [(t("top-1"), self.shares, [each.value for each in self.top1])]
        band = ([each.low for each in self.top1], [each.high for each in self.top1])
        return plot(lines, (0, 1), (0, 1), percent=True, band=band)


def early(trained: Asked, data: str | None = None) -> Early | None:
    """Return the accuracy when only the first 10, 20 … 100 % of a drawing is drawn.

    Drawings are cut by time, pauses included, as in the game or, if not all records keep `times`,
    by the length of the line. The first part is scaled like a whole drawing, and rasterised for a
    model of images.

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.

    Returns:
        None if the records have no ink.
    """
    seen = evaluated(trained, data)
    chosen = chosen_for_early(seen)
    if not chosen:
        return None
    strokes = [shown.strokes or [] for shown in seen.shown(chosen)]
    truth = seen.truth[chosen]
    by: Clock = "time" if seen.beside.timed[chosen].all() else "line"
    right = np.stack(
        [
            _predicted(seen, [beginning(each, share, by) for each in strokes]) == truth
            for share in _SHARES
        ]
    )
    stays = np.logical_and.accumulate(right[::-1], axis=0)[::-1]
    known = stays[-1]
    since = np.where(known, np.array(_SHARES)[stays.argmax(axis=0)], np.nan)
    of_class = {
        seen.labels[label]: float(since[(truth == label) & known].mean())
        for label in np.unique(truth[known]).tolist()
    }
    names = sorted(of_class, key=lambda name: of_class[name])
    return Early(
        by,
        list(_SHARES),
        [wilson(int(row.sum()), len(chosen)) for row in right],
        len(chosen),
        float(since[known].mean()) if known.any() else 1.0,
        float(stays[_SHARES.index(0.5)].mean()),
        names,
        [of_class[name] for name in names],
    )


def chosen_for_early(seen: Evaluated) -> list[int]:
    """Return the indices of the drawings to try, evenly spaced over those with ink."""
    with_ink = np.flatnonzero(seen.beside.points != UNKNOWN)
    count = min(len(with_ink), _DRAWINGS)
    return with_ink[np.linspace(0, len(with_ink) - 1, count).astype(int)].tolist()


def beginning(strokes: Strokes, share: float, by: Clock = "line") -> Strokes:
    """Return the first part of a drawing.

    Args:
        strokes: `[[x0, x1, ...], [y0, y1, ...]]` each, with a third list of times, in milliseconds,
            if cut by time; not changed.
        share: of the drawing, 0…1.
        by: "line" is the length of the line, "time" the time, pauses included. If the total is 0,
            the share of the strokes.
    """
    clock = _time_of(strokes) if by == "time" else _length_of(strokes)
    start, whole = clock[0][0], clock[-1][-1] - clock[0][0]
    if whole <= 0 or share >= 1:
        return strokes if share >= 1 else strokes[: max(round(share * len(strokes)), 1)]
    cut = start + share * whole
    kept: list[Sequence[Sequence[float]]] = []
    for stroke, at in zip(strokes, clock, strict=True):
        if at[0] >= cut and kept:
            break
        if at[-1] <= cut:
            kept.append(stroke)
        else:
            # Up to the interpolated position of the pen at the cut.
            first = np.array(stroke, float)[:, at < cut]
            end = [[np.interp(cut, at, axis)] for axis in stroke]
            kept.append(np.concatenate([first, end], axis=1).tolist())
    return kept


def _length_of(strokes: Strokes) -> list[np.ndarray]:
    """Return the cumulative length of the line at each point, float64 `[points]` a stroke."""
    steps = [np.hypot(*np.diff(np.array(stroke[:2], float), axis=1)) for stroke in strokes]
    ends = np.cumsum([0.0, *(each.sum() for each in steps)])
    return [
        before + np.concatenate(([0.0], np.cumsum(each)))
        for before, each in zip(ends[:-1], steps, strict=True)
    ]


def _time_of(strokes: Strokes) -> list[np.ndarray]:
    """Return the time of each point in milliseconds, made monotonic, `[points]` a stroke."""
    times = np.maximum.accumulate(np.concatenate([np.array(each[2], float) for each in strokes]))
    return np.split(times, np.cumsum([len(each[2]) for each in strokes])[:-1])


def _predicted(seen: Evaluated, drawings: list[Strokes]) -> np.ndarray:
    """Return the predicted labels of drawings, int64 `[n]`."""
    model = seen.trained
    takes, run = factory.create_model(model.run), model.run
    order = np.array(labels.numbers_in(model.labels, seen.labels))
    reader = seen.ensemble.reader(QuickDrawFeatureReader, "skip")
    found = []
    for start in range(0, len(drawings), BATCH):
        batch = drawings[start : start + BATCH]
        arrays = {}
        if "ink" in takes.inputs:
            arrays["ink"] = np.stack([inputs_of(each, takes.max_points) for each in batch])
        if "image" in takes.inputs:
            size = seen.shards.info.image_size
            images = [rasterise(_scaled(each), size, channels=run.channels) for each in batch]
            every = np.stack(images).reshape(len(batch), size, size, run.channels)
            arrays["image"] = preprocessed(reader.preprocess, every, run.image_size)
        found.append(order[model.logits(unwrapped(arrays)).argmax(axis=1)])
    return np.concatenate(found)


def _scaled(strokes: Strokes) -> Strokes:
    """Return strokes whose longer side is 255, as a whole drawing has it."""
    points = np.concatenate([np.array(stroke[:2], float) for stroke in strokes], axis=1)
    low = points.min(axis=1, keepdims=True)
    longest = float(np.ptp(points, axis=1).max()) or 1.0
    return [
        [*((np.array(stroke[:2], float) - low) * (255 / longest)).tolist(), *stroke[2:]]
        for stroke in strokes
    ]
