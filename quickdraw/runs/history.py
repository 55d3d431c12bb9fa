"""`metrics.csv`: the figures of a run, one row a report."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping
from typing import Any, TypedDict

from quickdraw import storage
from quickdraw.errors import QuickdrawError

FILE_NAME = "metrics.csv"
_COLUMNS = (
    "step",
    "epoch",
    "learning_rate",
    "images_per_second",
    "feed_share",
    "train_loss",
    "train_top1",
    "eval_loss",
    "eval_top1",
    "eval_top3",
    "eval_map3",
)


class Figures(TypedDict, total=False):
    """The figures in eval.json and best.json: step, number of drawings, and metrics."""

    step: int
    examples: int
    top1: float
    top3: float
    map3: float
    loss: float
    ece: float
    eval_data_pattern: str


def reports(train_dir: str) -> list[dict[str, float]]:
    """Read the reports of metrics.csv, without empty cells; an empty list without a file."""
    path = os.path.join(train_dir, FILE_NAME)
    if not storage.exists(path):
        return []
    with storage.open_binary(path) as file:
        found = csv.DictReader(file.read().decode(errors="replace").splitlines())
    try:
        return [
            {name: float(row[name]) for name in _COLUMNS if row.get(name)}
            for row in found
            if math.isfinite(_step_of(row))
        ]
    except ValueError as error:
        raise QuickdrawError(f"{path}: damaged ({error})") from None


def evaluations(train_dir: str, figure: str = "top1") -> dict[int, float]:
    """Read a validation figure by evaluated step from metrics.csv; empty without any."""
    column = f"eval_{figure}"
    return {int(row["step"]): row[column] for row in reports(train_dir) if column in row}


class MetricsCsv:
    """Writes `metrics.csv`, one row a report, atomically, so that no row is ever incomplete.

    Args:
        train_dir: the folder of the run.
        step: later rows of an earlier attempt are dropped, since they will be repeated.
    """

    def __init__(self, train_dir: str, step: int):
        self._path = os.path.join(train_dir, FILE_NAME)
        self._rows: list[dict[str, object]] = []
        if storage.exists(self._path):
            with storage.open_binary(self._path) as file:
                found = csv.DictReader(file.read().decode(errors="replace").splitlines())
                self._rows = [row for row in found if _step_of(row) <= step]

    def add(self, row: Mapping[str, object]) -> None:
        """Add a row; columns without a value stay empty."""
        self._rows.append(
            {key: f"{of:.6g}" if isinstance(of, float) else of for key, of in row.items()}
        )

    def save(self) -> None:
        """Write the file."""
        with storage.write_whole(self._path) as file:
            writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self._rows)


def _step_of(row: Mapping[str, str | None]) -> float:
    """Return the step of a row; infinity for a damaged row."""
    text = row.get("step") or ""
    return int(text) if text.isdecimal() else math.inf


def training_seconds(train_dir: str, settings: Mapping[str, Any]) -> float:
    """Return the training time of a run in seconds, from the speeds in metrics.csv; 0 if unknown.

    Time spent compiling, evaluating and waiting is not counted.

    Args:
        train_dir: the folder of the run.
        settings: of the run.
    """
    seconds, before = 0.0, 0.0
    for row in reports(train_dir):
        if speed := row.get("images_per_second"):
            seconds += (row["step"] - before) * settings.get("batch_size", 0) / speed
            before = row["step"]
    return seconds
