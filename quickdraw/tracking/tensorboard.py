"""TensorBoard: curves, confusion matrices and pictures of a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from quickdraw.drawings import sheet
from quickdraw.tracking import plots

if TYPE_CHECKING:
    from quickdraw.evaluation.metrics import Metrics

# By time: the first evaluation may be far away.
_FLUSH_MILLISECONDS = 30_000


def folder_of(train_dir: str) -> str:
    """Return where a run's events go: train_dir, or the folder in it that Vertex AI watches."""
    watched = os.environ.get("AIP_TENSORBOARD_LOG_DIR", "").rstrip("/")
    return watched if watched.startswith(f"{train_dir.rstrip('/')}/") else train_dir


def event_writer(folder: str, name: str) -> tf.summary.SummaryWriter:
    """Make a writer of TensorBoard events in `folder/name`, a local one (`transfer.mirrored`)."""
    return tf.summary.create_file_writer(
        os.path.join(folder, name), flush_millis=_FLUSH_MILLISECONDS
    )


def write_scalars(writer: tf.summary.SummaryWriter, step: int, values: dict[str, float]) -> None:
    """Write one point to each of these curves."""
    with writer.as_default():
        for name, value in values.items():
            tf.summary.scalar(name, value, step)


def write_images(
    writer: tf.summary.SummaryWriter, images: np.ndarray, labels: np.ndarray, names: list[str]
) -> None:
    """Write a sheet of input images with their labels.

    Args:
        writer: where to.
        images: uint8 `[n, size, size, channels]`.
        labels: int `[n]`.
        names: of the classes.
    """
    picture = sheet.grid(images, [names[label] for label in labels])
    with writer.as_default():
        tf.summary.image("images", picture[None], 0)


def write_evaluation(
    writer: tf.summary.SummaryWriter, step: int, metrics: Metrics, names: list[str]
) -> np.ndarray | None:
    """Write the figures of an evaluation; per class, too, and confused, unless there are many.

    Returns:
        The picture of the confusion matrix, uint8 `[height, width, 3]`, if there is one.
    """
    if not metrics.confusion.size:
        write_scalars(writer, step, metrics.result())
        writer.flush()
        return None
    per_class = {
        f"{kind}/{name}": values[kind]
        for name, values in metrics.per_class(names).items()
        for kind in ("precision", "recall")
    }
    write_scalars(writer, step, {**metrics.result(), **per_class})
    with writer.as_default():
        matrix = plots.confusion_matrix(metrics.confusion, names)
        tf.summary.image("confusion", matrix[None], step)
    writer.flush()
    return matrix
