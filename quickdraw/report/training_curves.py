"""Training curves from metrics.csv."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import ClassVar

from quickdraw.report.evaluated import Evaluated
from quickdraw.report.figure import Figure
from quickdraw.report.plotting import Plot, plot
from quickdraw.runs import history

_CHARTS = (
    ("loss", ("train_loss", "eval_loss")),
    ("top-1", ("train_top1", "eval_top1")),
    ("learning rate", ("learning_rate",)),
)
_MOST_POINTS = 240
_SINGLE = {"train": "training", "eval": "validation", "learning": "learning rate"}


@dataclasses.dataclass
class Line:
    """A line of a chart: its name, and its points in order of x."""

    name: str
    x: list[float]
    y: list[float]


@dataclasses.dataclass
class CurveChart:
    """Lines over epochs.

    Attributes:
        title: of the chart.
        lines: at least one, each with at least one point.
        x_title: the title of the x axis.
    """

    title: str
    lines: list[Line]
    x_title: str = "epoch"

    def plot(self, t: Callable[..., str]) -> Plot:
        """Return the chart for the template; `t` translates."""
        lines = [(t(each.name), each.x, each.y) for each in self.lines]
        return plot(lines, percent=self.title == "top-1")


@dataclasses.dataclass
class Curves(Figure):
    """Charts of loss, top-1 and learning rate; for several runs, of validation alone."""

    macro: ClassVar[str] = "curves"
    charts: list[CurveChart]


def curves(trained: str | Sequence[str] | Evaluated) -> Curves:
    """Return the curves of one run, or of several in the same charts.

    Args:
        trained: a train_dir, a list of such, or an `Evaluated`. A run without metrics.csv is left
            out.
    """
    if isinstance(trained, Evaluated):
        return curves_of(trained.folders, trained.names)
    folders = [trained] if isinstance(trained, str) else list(trained)
    return curves_of(folders, [folder.rstrip("/").split("/")[-1] for folder in folders])


def curves_of(folders: Sequence[str | None], names: Sequence[str]) -> Curves:
    """Return the curves of runs, by their folders and names."""
    rows = {
        name: history.reports(folder) for folder, name in zip(folders, names, strict=True) if folder
    }
    charts = []
    for title, columns in _CHARTS:
        # For several runs validation alone: training figures depend on augmentation and loss.
        shown = columns[-1:] if len(rows) > 1 else columns
        lines = [
            line
            for name, reports in rows.items()
            for column in shown
            if (line := _line(_name(name, column, len(rows) > 1), reports, column))
        ]
        if lines:
            charts.append(CurveChart(title, lines))
    return Curves(charts)


def _name(run: str, column: str, several: bool) -> str:
    return run if several else _SINGLE[column.partition("_")[0]]


def _line(name: str, reports: list[dict[str, float]], column: str) -> Line | None:
    points = [(row.get("epoch", row["step"]), row[column]) for row in reports if column in row]
    step = -(-len(points) // _MOST_POINTS) or 1
    if not points:
        return None
    # The last point is kept when the others are thinned out.
    x, y = zip(*points[:-1:step], points[-1], strict=True)
    return Line(name, list(x), list(y))
