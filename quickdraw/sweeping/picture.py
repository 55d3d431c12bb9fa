"""A picture of a sweep: for each flag, what its values led to. Drawn with Pillow."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageDraw

from quickdraw.pictures import fitting, font
from quickdraw.sweeping.search import Choice, Range, Space

# Drawn at twice the size and halved, so that circles are smooth.
_SCALE = 2
_WIDTH, _HEIGHT = 420 * _SCALE, 320 * _SCALE
_LEFT, _RIGHT, _TOP, _BOTTOM = 66 * _SCALE, 18 * _SCALE, 42 * _SCALE, 40 * _SCALE
_RADIUS = 5 * _SCALE
_MOST_COLUMNS = 3
_INK, _GRID, _GREY = "#333333", "#e4e4e4", "#9a9a9a"
_BLUE, _ORANGE = "#1f77b4", "#ff7f0e"


@dataclasses.dataclass
class Point:
    """A trial: a value for each flag, its top-1, and whether it was ended early."""

    point: dict[str, Any]
    top1: float
    pruned: bool


def draw(space: Space, points: list[Point]) -> Image.Image:
    """A panel for each flag with top-1 against its values; the best trial is marked in each.

    Trials so far below the others that these would be squeezed together lie on the lower edge, as
    triangles.

    Args:
        space: what was searched.
        points: the trials, at least one.
    """
    rows = math.ceil(len(space) / _MOST_COLUMNS)
    columns = math.ceil(len(space) / rows)
    low, high = _limits([point.top1 for point in points])
    legend = _legend(points, low, "\n" if columns == 1 else "; ")
    below = (14 + 18 * (legend.count("\n") + 1)) * _SCALE
    sheet = Image.new("RGB", (columns * _WIDTH, rows * _HEIGHT + below), "white")
    best = max(points, key=lambda point: (not point.pruned, point.top1))
    for number, (name, of) in enumerate(space.items()):
        panel = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
        axes = _Axes(ImageDraw.Draw(panel), name, of, low, high)
        axes.draw_frame()
        for index, point in enumerate(points):
            axes.draw_point(index, point, point is best)
        axes.draw_point(points.index(best), best, True)
        sheet.paste(panel, (number % columns * _WIDTH, number // columns * _HEIGHT))
    ImageDraw.Draw(sheet).text((_LEFT, rows * _HEIGHT), legend, _INK, font(13 * _SCALE))
    return sheet.resize((sheet.width // _SCALE, sheet.height // _SCALE), Image.Resampling.LANCZOS)


def _limits(values: list[float]) -> tuple[float, float]:
    """The lowest and highest top-1 shown."""
    best, median = max(values), sorted(values)[len(values) // 2]
    low = min(value for value in values if value >= best - 3 * max(best - median, 0.005))
    margin = 0.06 * max(best - low, 0.005)
    return low - margin, best + margin


class _Axes:
    """The panel of one flag; positions are pixels."""

    def __init__(
        self, pen: ImageDraw.ImageDraw, name: str, of: Range | Choice, low: float, high: float
    ):
        self._pen, self._name, self._of, self._low, self._high = pen, name, of, low, high

    def _x(self, share: float) -> float:
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def _y(self, top1: float) -> float:
        share = (top1 - self._low) / (self._high - self._low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def _share(self, value: Any, index: int) -> float:
        """Where on the axis a value lies; equal choices are spread a little, by their index."""
        of = self._of
        if isinstance(of, Range):
            return (_scaled(value, of) - _scaled(of.low, of)) / (
                _scaled(of.high, of) - _scaled(of.low, of)
            )
        spread = 0.3 * (index * 0.618 % 1 - 0.5)
        return (of.values.index(value) + 0.5 + spread) / len(of.values)

    def draw_frame(self) -> None:
        """The title, the grid and its figures."""
        pen, small = self._pen, font(12 * _SCALE)
        title = fitting(self._name, _WIDTH - _LEFT - _RIGHT, 15 * _SCALE)
        pen.text((self._x(0.5), _TOP / 2), title, _INK, font(15 * _SCALE), anchor="mm")
        left, right, top, bottom = self._x(0), self._x(1), _TOP, _HEIGHT - _BOTTOM
        step = _step(self._high - self._low)
        digits = max(0, -math.floor(math.log10(step * 100) + 1e-9))
        for top1 in _multiples(step, self._low, self._high):
            y = self._y(top1)
            pen.line((left, y, right, y), _GRID, _SCALE)
            pen.text((left - 6 * _SCALE, y), f"{top1:.{digits}%}", _INK, small, anchor="rm")
        for share, label in self._ticks():
            x = self._x(share)
            pen.line((x, top, x, bottom), _GRID, _SCALE)
            pen.text((x, bottom + 18 * _SCALE), label, _INK, small, anchor="ms")
        pen.line((left, top, left, bottom, right, bottom), _GREY, _SCALE)

    def _ticks(self) -> Iterator[tuple[float, str]]:
        of = self._of
        if isinstance(of, Choice):
            width = int((_WIDTH - _LEFT - _RIGHT) / len(of.values))
            for number, text in enumerate(of.values):
                yield (number + 0.5) / len(of.values), fitting(text, width, 12 * _SCALE)
            return
        for value in _logarithmic(of) if of.log else _linear(of):
            yield self._share(value, 0), f"{value:g}"

    def draw_point(self, index: int, point: Point, best: bool) -> None:
        x, y = self._x(self._share(point.point[self._name], index)), self._y(point.top1)
        fill, edge = (_ORANGE if best else _BLUE), "white"
        if point.pruned:
            fill, edge = "white", _GREY
        if point.top1 < self._low:
            self._pen.regular_polygon(
                (x, self._y(self._low) - _RADIUS, _RADIUS), 3, 180, fill=fill, outline=edge
            )
            return
        radius = _RADIUS * (1.5 if best else 1)
        self._pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill, edge, _SCALE)


def _scaled(value: float, of: Range) -> float:
    return math.log(value) if of.log else value


def _step(width: float) -> float:
    """The distance of some four to eight round figures in an interval: 1, 2 or 5 times 10^n."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (0.1, 0.2, 0.5, 1, 2) if width / (step * power) <= 7)


def _multiples(step: float, low: float, high: float) -> Iterator[float]:
    for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        yield number * step


def _linear(of: Range) -> Iterator[float]:
    step = _step(of.high - of.low)
    return _multiples(max(step, 1) if isinstance(of.low, int) else step, of.low, of.high)


def _logarithmic(of: Range) -> Iterator[float]:
    """Powers of ten, with some times them where there are few."""
    first, last = math.floor(math.log10(of.low)), math.ceil(math.log10(of.high))
    decades = math.log10(of.high / of.low)
    digits = (1, 2, 3, 5) if decades < 1 else (1, 3) if decades < 3 else (1,)
    for power in range(first, last + 1, math.ceil((last - first) / 6)):
        for digit in digits:
            if of.low * (1 - 1e-9) <= (value := digit * 10.0**power) <= of.high * (1 + 1e-9):
                yield value


def _legend(points: list[Point], low: float, separator: str) -> str:
    parts = [f"validation top-1 of {len(points)} trials", "orange: the best"]
    parts += ["hollow: ended early"] * any(point.pruned for point in points)
    parts += ["triangle: lower than shown"] * any(point.top1 < low for point in points)
    return separator.join(parts)
