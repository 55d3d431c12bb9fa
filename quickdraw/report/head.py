"""The head of a report: how good a run is, how large and how fast, and what made it."""

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
"""Those that people ask about first; run.json has all."""


@dataclasses.dataclass
class Headline(Figure):
    """How good a run is.

    Attributes:
        run: its name.
        drawings: on how many.
        source: on which.
        top1: share of drawings whose first guess is right.
        top3: whose first three are.
        map3: mean of 1, 1/2 or 1/3 for a label among the first three.
        loss: the run's own.
        nll: negative log-likelihood, which compares runs of other losses.
        ece: expected calibration error.
        temperature: what the logits are divided by; 1 where the run was not calibrated.
        step: at which the model was kept.
        weights: how many numbers the model learned.
        bytes: of the model's file; None where there is none.
        milliseconds: for one drawing on this machine, the median.
        made: (what, value) of the settings that matter, the data, the versions.
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
        """(name, estimate, whether it is a share) of what the page shows in large."""
        return [
            ("top-1", self.top1, True),
            ("top-3", self.top3, True),
            ("MAP@3", self.map3, False),
            ("loss", self.loss, False),
            ("calibration error (ECE)", self.ece, False),
        ]


def headline(trained: Asked, data: str | None = None, which: int | None = None) -> Headline:
    """Return how good a run is, with intervals of 95 %.

    Args:
        trained: see `evaluate`.
        data: see `evaluate`.
        which: of several runs; the best where None.
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
    """Time one of the models on one drawing after the other, as a game would call it."""
    inputs = seen.ensemble.inputs_of(which, seen.inputs([0]))
    model, seconds = seen.ensemble.models[which], []
    for _ in range(_TIMED + 3):
        start = time.perf_counter()
        model.probabilities(inputs)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds[3:])  # the first ones trace the graph


def model_bytes(folder: str | None) -> int | None:
    """Return the size of the file of a run's best model; None where there is none."""
    for name in ("best.weights.h5", "best.keras"):
        if folder and storage.exists(path := os.path.join(folder, name)):
            return storage.file_size(path)
    return None


def made_of(model: TrainedModel, folder: str | None) -> list[tuple[str, str]]:
    """Return (what, value) of the settings that matter, the data, time and versions."""
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
