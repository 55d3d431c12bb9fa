"""What a run leaves for people to look at: TensorBoard events and metrics.csv."""

from __future__ import annotations

import csv
import math
import os
from typing import Any

import numpy as np
import tensorflow as tf

from quickdraw import pictures, storage
from quickdraw.metrics import Metrics

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
# By time: the first evaluation may be far away.
_FLUSH_MILLISECONDS = 30_000


class MetricsCsv:
    """`metrics.csv`: a row a report; written whole each time, so it is never half a row.

    Args:
        train_dir: the folder of the run.
        step: rows of an earlier attempt behind this step are dropped: they are made again.
    """

    def __init__(self, train_dir: str, step: int):
        self._path = os.path.join(train_dir, FILE_NAME)
        self._rows: list[dict[str, Any]] = []
        if storage.exists(self._path):
            with storage.open_binary(self._path) as file:
                rows = csv.DictReader(file.read().decode(errors="replace").splitlines())
                self._rows = [row for row in rows if _step_of(row) <= step]

    def add(self, row: dict[str, Any]) -> None:
        """Adds a row; what it has no value for stays empty."""
        self._rows.append(
            {key: f"{of:.6g}" if isinstance(of, float) else of for key, of in row.items()}
        )

    def save(self) -> None:
        """Writes the file."""
        with storage.write_whole(self._path) as file:
            writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self._rows)


def _step_of(row: dict[str, Any]) -> float:
    """The step of a row; infinite where the row is damaged."""
    text = row.get("step") or ""
    return int(text) if text.isdecimal() else math.inf


def folder_of(train_dir: str) -> str:
    """Where the events of a run go: train_dir, or the folder in it that Vertex AI watches."""
    watched = os.environ.get("AIP_TENSORBOARD_LOG_DIR", "").rstrip("/")
    return watched if watched.startswith(f"{train_dir.rstrip('/')}/") else train_dir


def event_writer(folder: str, name: str) -> tf.summary.SummaryWriter:
    """A writer of TensorBoard events into `folder/name`, a local one: see `transfer.mirrored`."""
    return tf.summary.create_file_writer(
        os.path.join(folder, name), flush_millis=_FLUSH_MILLISECONDS
    )


def write_scalars(writer: tf.summary.SummaryWriter, step: int, values: dict[str, float]) -> None:
    """Writes one point to each of these curves."""
    with writer.as_default():
        for name, value in values.items():
            tf.summary.scalar(name, value, step)


def write_images(
    writer: tf.summary.SummaryWriter, images: np.ndarray, labels: np.ndarray, names: list[str]
) -> None:
    """Writes a sheet of input images, uint8 `[n, size, size, channels]`, with their labels."""
    sheet = pictures.grid(images, [names[label] for label in labels])
    with writer.as_default():
        tf.summary.image("images", sheet[None], 0)


def write_evaluation(
    writer: tf.summary.SummaryWriter, step: int, metrics: Metrics, names: list[str]
) -> None:
    """Writes the figures of an evaluation, per class too, and its confusion matrix."""
    per_class = {
        f"{kind}/{name}": values[kind]
        for name, values in metrics.per_class(names).items()
        for kind in ("precision", "recall")
    }
    write_scalars(writer, step, {**metrics.result(), **per_class})
    with writer.as_default():
        matrix = pictures.confusion_matrix(metrics.confusion, names)
        tf.summary.image("confusion", matrix[None], step)
    writer.flush()
