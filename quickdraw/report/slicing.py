"""Slices: the accuracy by the metadata of the drawings, to find weak spots."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from quickdraw.report.beside import UNKNOWN, Beside
from quickdraw.report.estimates import Estimate, wilson
from quickdraw.report.evaluated import Asked, evaluated
from quickdraw.report.figure import Figure

_FEWEST = 20
"""The fewest drawings of a slice: with fewer the interval is too wide to be useful."""
_COUNTRIES = 12


@dataclasses.dataclass
class Slice:
    """A slice of the drawings.

    Attributes:
        by: the property that it is a slice of.
        name: the value or range of the property.
        count: the number of drawings.
        top1: their accuracy, with its interval.
    """

    by: str
    name: str
    count: int
    top1: Estimate


@dataclasses.dataclass
class Slices(Figure):
    """The accuracy of slices of the drawings.

    Attributes:
        slices: the worst first.
        top1: the accuracy on all drawings.
    """

    macro: ClassVar[str] = "slices"
    slices: list[Slice]
    top1: float

    def place(self, share: float) -> float:
        """Return the position of a share on the common scale of all intervals, 0…1."""
        low = min(each.top1.low for each in self.slices)
        high = max(each.top1.high for each in self.slices)
        return (share - low) / max(high - low, 1e-9)


def slices(trained: Asked, data: str | None = None) -> Slices:
    """Return top-1 by ink, size, strokes, points, country and whether Google recognised it.

    Properties that the records do not have, and slices of fewer than 20 drawings, are left out.

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.
    """
    seen = evaluated(trained, data)
    right = seen.answers[seen.best].right
    found = [
        Slice(by, name, int(which.sum()), wilson(int(right[which].sum()), int(which.sum())))
        for by, name, which in _parts(seen.beside)
        if which.sum() >= _FEWEST
    ]
    # A property with a single slice tells nothing.
    several = [each for each in found if sum(other.by == each.by for other in found) > 1]
    return Slices(sorted(several, key=lambda each: each.top1.value), float(right.mean()))


def _parts(beside: Beside) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield (property, name of the slice, mask of the drawings: bool `[n]`)."""
    for by, shares in (("ink", beside.ink), ("size", beside.size)):
        if np.isfinite(shares).all():
            percents = 100 * shares
            for low, high, which in _quarters(percents):
                yield by, f"{low:.0f}–{high:.0f} %", which
    if (beside.strokes != UNKNOWN).all():
        for low, high in ((1, 1), (2, 2), (3, 3), (4, 5), (6, 8)):
            which = (beside.strokes >= low) & (beside.strokes <= high)
            yield "strokes", f"{low}" if low == high else f"{low}–{high}", which
        yield "strokes", "9+", beside.strokes >= 9
        for fewest, most, which in _quarters(beside.points.astype(float)):
            yield "points", f"{fewest:.0f}–{most:.0f}", which
    names, counts = np.unique(beside.countries, return_counts=True)
    for at in np.argsort(-counts, kind="stable")[:_COUNTRIES].tolist():
        if names[at]:
            yield "country", str(names[at]), beside.countries == names[at]
    if (beside.recognised != UNKNOWN).any():
        yield "recognised by Google", "yes", beside.recognised == 1
        yield "recognised by Google", "no", beside.recognised == 0


def _quarters(values: np.ndarray) -> Iterator[tuple[float, float, np.ndarray]]:
    """Yield minimum, maximum and mask, bool `[n]`, of quartiles as equal as ties allow."""
    cuts = np.unique(np.percentile(values, [25, 50, 75]))
    part = np.searchsorted(cuts, values, side="left")
    for number in range(len(cuts) + 1):
        which = part == number
        if which.any():
            yield float(values[which].min()), float(values[which].max()), which
