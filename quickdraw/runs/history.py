"""`metrics.csv`: the figures of a run, report by report."""

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
    """What eval.json and best.json say of a model: its step, on how many drawings, how good."""

    step: int
    examples: int
    top1: float
    top3: float
    map3: float
    loss: float
    ece: float
    eval_data_pattern: str


def reports(train_dir: str) -> list[dict[str, float]]:
    """Read metrics.csv: a report each, without what is empty there; none without it."""
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
    """Read a validation figure after each evaluated step from metrics.csv; empty without one."""
    column = f"eval_{figure}"
    return {int(row["step"]): row[column] for row in reports(train_dir) if column in row}


class MetricsCsv:
    """`metrics.csv`: a row a report; written whole each time, so it is never half a row.

    Args:
        train_dir: the folder of the run.
        step: rows of an earlier attempt behind this step are dropped: they are made again.
    """

    def __init__(self, train_dir: str, step: int):
        self._path = os.path.join(train_dir, FILE_NAME)
        self._rows: list[dict[str, object]] = []
        if storage.exists(self._path):
            with storage.open_binary(self._path) as file:
                found = csv.DictReader(file.read().decode(errors="replace").splitlines())
                self._rows = [row for row in found if _step_of(row) <= step]

    def add(self, row: Mapping[str, object]) -> None:
        """Add a row; what it has no value for stays empty."""
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
    """Return the step of a row; infinite where the row is damaged."""
    text = row.get("step") or ""
    return int(text) if text.isdecimal() else math.inf


def training_seconds(train_dir: str, settings: Mapping[str, Any]) -> float:
    """Return how long a run was trained, from the speeds in metrics.csv; 0 where none are known.

    Time spent compiling, evaluating and waiting is not counted.

    Args:
        train_dir: the folder of the run.
        settings: the run's.
    """
    seconds, before = 0.0, 0.0
    for row in reports(train_dir):
        if speed := row.get("images_per_second"):
            seconds += (row["step"] - before) * settings.get("batch_size", 0) / speed
            before = row["step"]
    return seconds
