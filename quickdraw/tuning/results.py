"""What a sweep leaves: a table, results.csv, and results.png, which Optuna draws."""

from __future__ import annotations

import csv
import dataclasses
import os
import signal
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

from quickdraw import storage
from quickdraw.console import columns
from quickdraw.tuning.search import Space

if TYPE_CHECKING:
    import optuna


@dataclasses.dataclass
class Row:
    """A trial that has come to an end.

    Attributes:
        trial: the name of its folder.
        state: "done", "pruned" or "failed".
        top1: the best on the validation records, None for one that failed.
        minutes: how long it took.
        point: a value for each name that is searched.
        error: why it failed.
    """

    trial: str
    state: str
    top1: float | None
    minutes: float
    point: Mapping[str, object]
    error: str = ""

    def __str__(self) -> str:
        if self.top1 is None:
            return f"{self.trial}: {self.state}: {self.error}"
        return f"{self.trial}: {self.state}, top-1 {self.top1:.2%}, {self.minutes:.1f} minutes"


def described(point: Mapping[str, object]) -> str:
    """Return the values of a trial in words: `base_learning_rate=0.003, optimizer=muon`."""
    return ", ".join(f"{name}={_short(value)}" for name, value in point.items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _ranked(rows: list[Row]) -> list[Row]:
    """Return the best first; then those that were pruned, and those that failed."""
    order = ["done", "pruned", "failed"]
    return sorted(rows, key=lambda row: (order.index(row.state), -(row.top1 or 0)))


def table(space: Space, rows: list[Row]) -> str:
    """Return the trials in columns, the best first, each with a note where it is not done."""
    ranked = _ranked(rows)
    cells: list[tuple[str, ...]] = [("trial", "top-1", "minutes", *space)]
    for row in ranked:
        top1 = "" if row.top1 is None else f"{row.top1:.2%}"
        values = [_short(row.point.get(name, "")) for name in space]
        cells.append((row.trial, top1, f"{row.minutes:.1f}", *values))
    notes = ["", *(row.error or (row.state if row.state != "done" else "") for row in ranked)]
    lines = zip(columns(cells), notes, strict=True)
    return "\n".join(f"{line}  {note}".rstrip() for line, note in lines)


def save_table(folder: str, space: Space, rows: list[Row]) -> None:
    """Write results.csv, the best trial first."""
    with storage.write_whole(os.path.join(folder, "results.csv")) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["trial", "state", "eval_top1", "minutes", *space, "error"])
        for row in _ranked(rows):
            values = [row.point.get(name, "") for name in space]
            top1 = "" if row.top1 is None else row.top1
            minutes = f"{row.minutes:.2f}"
            writer.writerow([row.trial, row.state, top1, minutes, *values, row.error])


def save_plot(folder: str, study: optuna.Study) -> None:
    """Write results.png: for each flag, top-1 against its values; the darker, the later the trial.

    Args:
        folder: the sweep's.
        study: at least one of its trials is completed. It shows these only.
    """
    import matplotlib

    matplotlib.use("Agg")  # draws to files, and needs no screen
    from matplotlib import pyplot
    from matplotlib.ticker import PercentFormatter
    from optuna.exceptions import ExperimentalWarning
    from optuna.visualization.matplotlib import plot_slice

    with warnings.catch_warnings(), pyplot.rc_context({"figure.constrained_layout.use": True}):
        warnings.simplefilter("ignore", ExperimentalWarning)  # says that its look may change
        warnings.filterwarnings("ignore", "Attempting to set identical")  # a flag with one value
        plot_slice(study, target_name="validation top-1")
        figure = pyplot.gcf()
        try:
            figure.axes[0].yaxis.set_major_formatter(PercentFormatter(1))
            for axes in figure.axes[:-1]:  # all but the colour bar
                axes.tick_params("x", which="both", labelrotation=45, labelsize="small")
            with storage.write_whole(os.path.join(folder, "results.png"), "wb") as file:
                figure.savefig(file, format="png", dpi=150)
        finally:
            pyplot.close(figure)


def why_it_failed(path: str, code: int) -> str:
    """Return the line of a training's log that tells why it failed."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    with storage.open_binary(path) as file:
        lines = file.read().decode(errors="replace").splitlines()
    told = [line for line in lines if line.strip() and not line.startswith("See ")]
    return told[-1].removeprefix("python -m quickdraw.train: ") if told else f"exit code {code}"
