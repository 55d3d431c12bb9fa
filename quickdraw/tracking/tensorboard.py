"""TensorBoard: curves, confusion matrices, pictures and hyper-parameters of a run."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from quickdraw.drawings import sheet
from quickdraw.storage import transfer
from quickdraw.tracking import plots
from quickdraw.tracking.parameters import parameters
from quickdraw.tracking.tracker import Ending, Report, Tracker

if TYPE_CHECKING:
    from quickdraw.evaluation.metrics import Metrics, OfClass
    from quickdraw.runs.record import Run

# By time: the first evaluation may be hours away.
_FLUSH_MILLISECONDS = 30_000


class TensorBoard(Tracker):
    """Writes TensorBoard's events to the folder of a run, and to train/ and eval/ in it."""

    def begin(self, run: Run, train_dir: str, step: int) -> None:
        """Open the files, and write the parameters, by which TensorBoard compares runs."""
        self._names = run.labels
        self._open = contextlib.ExitStack()
        folder = self._open.enter_context(transfer.mirrored(folder_of(train_dir)))
        self._writers = {}
        for name in ("", "train", "eval"):
            writer = self._writers[name] = event_writer(folder, name)
            self._open.callback(writer.close)
        write_parameters(self._writers[""], run, train_dir)

    def drawings(self, images: np.ndarray, labels: np.ndarray) -> None:
        """Write some drawings as a sheet: uint8 `[n, size, size, channels]`, and int `[n]`."""
        write_images(self._writers["train"], images, labels, self._names)

    def report(self, report: Report) -> None:
        """Write a point of each curve."""
        write_scalars(self._writers["train"], report.step, report.training)
        if report.evaluation:
            write_evaluation(self._writers["eval"], report.step, report.evaluation, self._names)
            if report.is_best:
                # The HPARAMS page initially shows five metrics, in alphabetical order.
                best = {f"best/{name}": of for name, of in report.evaluation.result().items()}
                write_scalars(self._writers[""], report.step, best)

    def end(self, ending: Ending) -> None:
        """Close the files."""
        self._open.close()


def folder_of(train_dir: str) -> str:
    """Return the folder of a run's events: train_dir, or the folder that Vertex AI watches."""
    watched = os.environ.get("AIP_TENSORBOARD_LOG_DIR", "").rstrip("/")
    return watched if watched.startswith(f"{train_dir.rstrip('/')}/") else train_dir


def event_writer(folder: str, name: str) -> tf.summary.SummaryWriter:
    """Create a writer of events in `folder/name`, a local folder (see `transfer.mirrored`)."""
    return tf.summary.create_file_writer(
        os.path.join(folder, name), flush_millis=_FLUSH_MILLISECONDS
    )


def write_scalars(writer: tf.summary.SummaryWriter, step: int, values: dict[str, float]) -> None:
    """Write a point of each of these curves."""
    with writer.as_default():
        for name, value in values.items():
            tf.summary.scalar(name, value, step)


def write_parameters(writer: tf.summary.SummaryWriter, run: Run, name: str) -> None:
    """Write the parameters of a run for the HPARAMS page, a table of runs.

    The page takes runs of the same name for repetitions, and averages their figures.
    """
    from tensorboard.plugins.hparams import summary_v2 as hparams

    with writer.as_default():
        hparams.hparams(dict(parameters(run)), name, run.started_at.timestamp())
    writer.flush()


def write_images(
    writer: tf.summary.SummaryWriter, images: np.ndarray, labels: np.ndarray, names: list[str]
) -> None:
    """Write a sheet of input images with their labels.

    Args:
        writer: the writer.
        images: uint8 `[n, size, size, channels]`.
        labels: int `[n]`.
        names: of the classes, in label order.
    """
    picture = sheet.grid(images, [names[label] for label in labels])
    with writer.as_default():
        tf.summary.image("images", picture[None], 0)


def write_evaluation(
    writer: tf.summary.SummaryWriter, step: int, metrics: Metrics, names: list[str]
) -> None:
    """Write the figures of an evaluation; for few classes, also per class and confusions."""
    means = {f"{kind}/{of} mean": x for of, m in metrics.means().items() for kind, x in m.items()}
    write_scalars(writer, step, {**metrics.result(), **means})
    if metrics.confusion.size:
        classes = metrics.per_class(names)
        per_class = {
            f"{kind}/{name}": values[kind]
            for name, values in classes.items()
            for kind in ("precision", "recall", "f1")
        }
        write_scalars(writer, step, per_class)
        with writer.as_default():
            matrix = plots.confusion_matrix(metrics.confusion, names)
            tf.summary.image("confusion", matrix[None], step)
            tf.summary.text("classification report", _table(classes), step)
            tf.summary.text("worst pairs", _pairs(metrics.most_confused(names)), step)
    with writer.as_default():
        counts, _, right = metrics.reliability()
        diagram = plots.reliability_diagram(counts, right)
        tf.summary.image("reliability", diagram[None], step)
    writer.flush()


def write_pictures(
    writer: tf.summary.SummaryWriter, step: int, pictures: dict[str, np.ndarray]
) -> None:
    """Write images by name, uint8 `[height, width, 3]` each."""
    with writer.as_default():
        for name, picture in pictures.items():
            tf.summary.image(name, picture[None], step)
    writer.flush()


def _table(classes: dict[str, OfClass]) -> str:
    """Return the figures per class as a Markdown table, for TensorBoard's TEXT page."""
    lines = ["| class | precision | recall | F1 | drawings |", "|---|--:|--:|--:|--:|"]
    for name, of in classes.items():
        shares = " | ".join(f"{of[kind]:.2%}" for kind in ("precision", "recall", "f1"))
        lines.append(f"| {_cell(name)} | {shares} | {of['examples']:,} |")
    return "\n".join(lines)


def _pairs(pairs: list[tuple[str, str, int, float]]) -> str:
    """Return the most confused classes as a Markdown table."""
    lines = ["| class | taken for | drawings | of the class |", "|---|---|--:|--:|"]
    for label, guess, count, share in pairs:
        lines.append(f"| {_cell(label)} | {_cell(guess)} | {count:,} | {share:.1%} |")
    return "\n".join(lines)


def _cell(name: str) -> str:
    return name.replace("|", "/")
