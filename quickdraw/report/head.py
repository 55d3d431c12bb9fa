"""The head of a report: accuracy, size and speed of a run, and its settings."""

from __future__ import annotations

import dataclasses
import os
import statistics
import time
from typing import ClassVar

from quickdraw import storage
from quickdraw.report.estimates import Estimate, wilson
from quickdraw.report.evaluated import Asked, Evaluated, evaluated
from quickdraw.report.figure import Figure
from quickdraw.report.intervals import bootstrap
from quickdraw.runs import history
from quickdraw.runs.settings_of import plain_text
from quickdraw.runs.trained import TrainedModel

_TIMED = 20
_SETTINGS = (
    *("batch_size", "num_epochs", "max_steps", "optimizer", "base_learning_rate", "schedule"),
    *("weight_decay", "ema_decay", "augment", "class_weights", "balanced_sampling", "precision"),
    *("init_from", "seed"),
)
"""The most important settings; run.json has all."""


@dataclasses.dataclass
class Headline(Figure):
    """The main figures of a run.

    Attributes:
        run: its name.
        drawings: the number of drawings.
        source: the records, in words.
        top1: the share of drawings whose first prediction is right.
        top3: the share whose label is among the first three.
        map3: mean average precision at 3: the mean of 1, 1/2 or 1/3 by the rank of the label.
        loss: the mean of the run's own loss.
        nll: negative log-likelihood, comparable between runs with different losses.
        ece: expected calibration error.
        temperature: the divisor of the logits; 1 for an uncalibrated run.
        step: the training step of the model.
        weights: the number of parameters.
        bytes: the size of the model's file; None without one.
        milliseconds: the median latency of one drawing on this machine.
        made: (name, value) of the main settings, the data and versions.
    """

    macro: ClassVar[str] = "headline"
    run: str
    drawings: int
    source: str
    top1: Estimate
    top3: Estimate
    map3: Estimate
    loss: Estimate
    nll: Estimate
    ece: Estimate
    temperature: float
    step: int
    weights: int
    bytes: int | None
    milliseconds: float
    made: list[tuple[str, str]]

    @property
    def figures(self) -> list[tuple[str, Estimate, bool]]:
        """(name, estimate, whether it is a share) of the figures shown in large type."""
        return [
            ("top-1", self.top1, True),
            ("top-3", self.top3, True),
            ("MAP@3", self.map3, False),
            ("loss", self.loss, False),
            ("calibration error (ECE)", self.ece, False),
        ]


def headline(trained: Asked, data: str | None = None, which: int | None = None) -> Headline:
    """Return the main figures of a run, with 95 % intervals.

    Args:
        trained: see `evaluate`.
        data: see `evaluate`.
        which: the index of a run; None for the best.
    """
    seen = evaluated(trained, data)
    which = seen.best if which is None else which
    answers, model, folder = seen.answers[which], seen.ensemble.models[which], seen.folders[which]
    count = len(seen)
    return Headline(
        seen.names[which],
        count,
        seen.source,
        wilson(int((answers.ranks == 0).sum()), count),
        wilson(int((answers.ranks < 3).sum()), count),
        **bootstrap(answers),
        temperature=model.temperature,
        step=model.step,
        weights=model.model.count_params(),
        bytes=model_bytes(folder),
        milliseconds=milliseconds(seen, which),
        made=made_of(model, folder),
    )


def milliseconds(seen: Evaluated, which: int) -> float:
    """Measure a model's median latency in milliseconds on single drawings."""
    inputs = seen.ensemble.inputs_of(which, seen.inputs([0]))
    model, seconds = seen.ensemble.models[which], []
    for _ in range(_TIMED + 3):
        start = time.perf_counter()
        model.probabilities(inputs)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds[3:])  # the first calls trace the graph


def model_bytes(folder: str | None) -> int | None:
    """Return the size in bytes of a run's best model; None without one."""
    for name in ("best.weights.h5", "best.keras"):
        if folder and storage.exists(path := os.path.join(folder, name)):
            return storage.file_size(path)
    return None


def made_of(model: TrainedModel, folder: str | None) -> list[tuple[str, str]]:
    """Return (name, value) of the main settings, the data, time and versions."""
    run = model.run
    rows = [
        ("model", _called(run.model, run.model_params)),
        ("loss", _called(run.label_loss, run.loss_params)),
        *((name, plain_text(run.settings[name])) for name in _SETTINGS if run.settings.get(name)),
        ("train_data_pattern", plain_text(run.settings.get("train_data_pattern"))),
        ("data fingerprint", run.data_fingerprint),
        ("classes", str(len(run.labels))),
        ("started", run.started),
    ]
    if folder and (seconds := history.training_seconds(folder, run.settings)):
        rows.append(("training took", f"{seconds:,.0f} s"))
    rows += [(name, value) for name, value in run.versions.items() if value]
    return rows


def _called(name: str, params: dict[str, object]) -> str:
    return f"{name}({', '.join(f'{key}={plain_text(value)}' for key, value in params.items())})"
