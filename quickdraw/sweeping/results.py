"""What a sweep leaves: a table, results.csv, and results.png."""

from __future__ import annotations

import csv
import dataclasses
import os
from typing import Any

from quickdraw import storage
from quickdraw.sweeping import picture
from quickdraw.sweeping.search import Space


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
    point: dict[str, Any]
    error: str = ""

    def __str__(self) -> str:
        if self.top1 is None:
            return f"{self.trial}: {self.state}: {self.error}"
        return f"{self.trial}: {self.state}, top-1 {self.top1:.2%}, {self.minutes:.1f} minutes"


def described(point: dict[str, Any]) -> str:
    """`base_learning_rate=0.003, optimizer=muon`."""
    return ", ".join(f"{name}={_short(value)}" for name, value in point.items())


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _ranked(rows: list[Row]) -> list[Row]:
    """The best first; then those that were pruned, and those that failed."""
    order = ["done", "pruned", "failed"]
    return sorted(rows, key=lambda row: (order.index(row.state), -(row.top1 or 0)))


def table(space: Space, rows: list[Row]) -> str:
    """The trials in columns, the best first."""
    cells = [["trial", "top-1", "minutes", *space, ""]]
    for row in _ranked(rows):
        top1 = "" if row.top1 is None else f"{row.top1:.2%}"
        values = [_short(row.point.get(name, "")) for name in space]
        note = row.error or (row.state if row.state != "done" else "")
        cells.append([row.trial, top1, f"{row.minutes:.1f}", *values, note])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(f"{cell:>{width}}" for cell, width in zip(line[:-1], widths, strict=False))
        + f"  {line[-1]}"
        for line in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def save(folder: str, space: Space, rows: list[Row]) -> None:
    """Writes results.csv, the best first, and results.png."""
    with storage.write_whole(os.path.join(folder, "results.csv")) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["trial", "state", "eval_top1", "minutes", *space, "error"])
        for row in _ranked(rows):
            values = [row.point.get(name, "") for name in space]
            top1 = "" if row.top1 is None else row.top1
            minutes = f"{row.minutes:.2f}"
            writer.writerow([row.trial, row.state, top1, minutes, *values, row.error])
    points = [
        picture.Point(row.point, row.top1, row.state == "pruned")
        for row in rows
        if row.top1 is not None
    ]
    if points:
        with storage.write_whole(os.path.join(folder, "results.png"), "wb") as file:
            picture.draw(space, points).save(file, "PNG")
