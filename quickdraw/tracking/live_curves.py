"""Live training curves in a notebook."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence

from quickdraw.console import Screen
from quickdraw.runs import history
from quickdraw.runs.record import Run
from quickdraw.tracking.tracker import Ending, Report, Tracker

_SECONDS = 1.0
_WIDTH, _HEIGHT, _LEFT, _BELOW = 320, 170, 44, 20
_COLOURS = ("#1f77b4", "#d62728")
_ENDS = {
    "finished": "trained",
    "stopped": "stopped: run the cell again to go on from here",
    "failed": "failed",
}

Points = list[tuple[float, float]]


class LiveCurves(Tracker):
    """Shows loss and top-1 over epochs, of training and validation, below the cell that trains."""

    def begin(self, run: Run, train_dir: str, step: int) -> None:
        """Load the curves so far of a resumed run."""
        self._points: dict[str, Points] = {}
        self._screen, self._shown_at, self._step = Screen(), 0.0, step
        for row in history.reports(train_dir):
            if row["step"] <= step:
                self._add(row["epoch"], {name: row[name] for name in row if "_" in name})

    def report(self, report: Report) -> None:
        """Redraw with the new points, at most once in a few seconds."""
        epoch, self._step = report.training["epoch"], report.step
        self._add(epoch, {f"train_{name}": of for name, of in report.training.items()})
        if report.evaluation:
            figures = report.evaluation.result()
            self._add(epoch, {f"eval_{name}": of for name, of in figures.items()})
        if time.monotonic() - self._shown_at > _SECONDS:
            self._shown_at = time.monotonic()
            self._show("")

    def end(self, ending: Ending) -> None:
        """Redraw a last time, with how the training ended."""
        self._show(_ENDS[ending])

    def _add(self, epoch: float, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self._points.setdefault(name, []).append((epoch, value))

    def _show(self, ending: str) -> None:
        title = f"step {self._step:,}{', ' * bool(ending)}{ending}"
        charts = [
            chart(name, [self._points.get(f"{part}_{key}", []) for part in ("train", "eval")])
            for name, key in (("loss", "loss"), ("top-1", "top1"))
        ]
        last = {key: points[-1][1] for key, points in self._points.items()}
        figures = [
            f"validation {name} {last[key]:{form}}"
            for name, key, form in (("loss", "eval_loss", ".4f"), ("top-1", "eval_top1", ".2%"))
            if key in last
        ]
        text = "  ".join([title, *figures])
        self._screen.show(
            text, f"<div style='white-space:pre-wrap'>{html.escape(text)}</div>{''.join(charts)}"
        )


def chart(title: str, lines: Sequence[Points]) -> str:
    """Return two lines over epochs, training and validation, as SVG; empty without a point.

    Args:
        title: of the chart.
        lines: (epoch, value) of each.
    """
    every = [point for line in lines for point in line]
    if not every:
        return ""
    (left, right), (low, high) = (_range([point[axis] for point in every]) for axis in (0, 1))

    def place(epoch: float, value: float) -> str:
        x = _LEFT + (_WIDTH - _LEFT - 8) * (epoch - left) / (right - left)
        y = 24 + (_HEIGHT - 24 - _BELOW) * (high - value) / (high - low)
        return f"{x:.1f},{y:.1f}"

    form = ".0%" if title == "top-1" else ".3g"
    parts = [
        f'<polyline points="{" ".join(place(*point) for point in line)}" fill="none" '
        f'stroke="{colour}" stroke-width="2"/>'
        for line, colour in zip(lines, _COLOURS, strict=True)
    ]
    parts += [
        _text(_LEFT - 4, 28, f"{high:{form}}", "end"),
        _text(_LEFT - 4, _HEIGHT - _BELOW, f"{low:{form}}", "end"),
        _text(_LEFT, _HEIGHT - 4, f"{left:.3g}", "start"),
        _text(_WIDTH - 8, _HEIGHT - 4, f"epoch {right:.3g}", "end"),
        _text(_LEFT, 14, title, "start"),
        _text(_WIDTH - 78, 14, "training", "end", _COLOURS[0]),
        _text(_WIDTH - 8, 14, "validation", "end", _COLOURS[1]),
    ]
    return (
        f'<svg role="img" aria-label="{title}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'style="max-width:100%">{"".join(parts)}</svg>'
    )


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _text(x: float, y: float, text: str, anchor: str, colour: str = "currentColor") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}" font-size="12" '
        f'font-family="sans-serif">{html.escape(text)}</text>'
    )
