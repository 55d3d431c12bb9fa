"""The geometry of SVG line charts: the positions of points and ticks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

WIDTH, HEIGHT = 480.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 12.0, 10.0, 40.0


@dataclasses.dataclass
class Plot:
    """A chart for the template; positions are in its view box of 480 by 260.

    Attributes:
        lines: (name, points of a polyline) of each line.
        x_ticks: (position, text) of the x axis.
        y_ticks: (position, text) of the y axis.
        dots: (line, x, y, text) of points, if few enough to be marked.
        bands: polygons of the intervals of a line.
    """

    lines: list[tuple[str, str]]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    dots: list[tuple[int, float, float, str]]
    bands: list[str]
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM

    @property
    def names(self) -> list[str]:
        """The names of the lines."""
        return [name for name, _ in self.lines]


def plot(
    lines: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    percent: bool = False,
    band: tuple[Sequence[float], Sequence[float]] | None = None,
) -> Plot:
    """Lay out lines in a chart.

    Args:
        lines: (name, x, y) of each; at least one, with at least one point.
        x_range: of the x axis; None for that of the points.
        y_range: of the y axis; None for that of the points.
        percent: label the y axis in percent, and the x axis, too, if its range is 0…1.
        band: the lower and upper bounds of the first line.
    """
    x_low, x_high = x_range or _range([x for _, xs, _ in lines for x in xs])
    y_low, y_high = y_range or _range([y for _, _, ys in lines for y in ys])

    def place(x: float, y: float) -> tuple[float, float]:
        right = (x - x_low) / (x_high - x_low)
        up = (min(max(y, y_low), y_high) - y_low) / (y_high - y_low)
        return (
            round(_LEFT + right * (WIDTH - _LEFT - _RIGHT), 1),
            round(HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM), 1),
        )

    def joined(xs: Sequence[float], ys: Sequence[float]) -> str:
        pairs = (place(x, y) for x, y in zip(xs, ys, strict=True) if math.isfinite(y))
        return " ".join(f"{x:g},{y:g}" for x, y in pairs)

    x_percent = percent and x_range == (0, 1)
    marked = sum(len(xs) for _, xs, _ in lines) <= 60
    bands = []
    if band:
        _, xs, _ = lines[0]
        bands = [f"{joined(xs, band[0])} {joined(xs[::-1], band[1][::-1])}"]
    return Plot(
        [(name, joined(xs, ys)) for name, xs, ys in lines],
        [(place(x, y_low)[0], text) for x, text in _ticks(x_low, x_high, x_percent)],
        [(place(x_low, y)[1], text) for y, text in _ticks(y_low, y_high, percent)],
        [
            (number, *place(x, y), f"{name}: {_text(y, percent)}")
            for number, (name, xs, ys) in enumerate(lines)
            for x, y in zip(xs, ys, strict=True)
            if marked and math.isfinite(y)
        ],
        bands,
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    if low == high:
        return low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    margin = 0.04 * (high - low)
    return (0.0 if 0 <= low < margin else low - margin), high + margin


def _ticks(low: float, high: float, percent: bool) -> list[tuple[float, str]]:
    """Return three to six round numbers in a range, and their texts."""
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= rough * 0.99)
    first = math.ceil(low / step - 1e-6)
    values = [number * step for number in range(first, math.floor(high / step + 1e-6) + 1)]
    return [(value, _text(value, percent)) for value in values]


def _text(value: float, percent: bool) -> str:
    return f"{round(100 * value, 2):g} %" if percent else f"{round(value, 10):.3g}"
