"""Evaluations while a model is trained, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from quickdraw.components.inputs import Batch
from quickdraw.console import SparseLog, log
from quickdraw.evaluation.evaluate import BATCH, make_evaluate
from quickdraw.evaluation.metrics import Metrics
from quickdraw.runs import best_model
from quickdraw.training.data.cache import Drawings
from quickdraw.training.setup import Setup
from quickdraw.training.step import TrainSteps


class Validation:
    """Evaluates the model now and then: keeps the best, lowers the rate, ends the training.

    To be made under the strategy's scope.

    Args:
        setup: the drawings to evaluate on, if any; what the evaluations decide; the devices.
        train_steps: the model, and the learning rate that evaluations may lower.
        train_dir: the folder of the run.

    Attributes:
        best: variable: the highest top-1 so far, or minus the lowest loss: see `--monitor`.
        no_better: variable: how many evaluations in a row were not the best.
    """

    def __init__(self, setup: Setup, train_steps: TrainSteps, train_dir: str):
        state = train_steps.state
        self._drawings = setup.validation
        self._settings, self._devices = setup.settings, setup.devices
        self._model, self._rate_factor = state.predicts, train_steps.rate_factor
        self._train_dir, self._labels = train_dir, setup.run.labels
        self._evaluate = make_evaluate(
            state.predicts, state.loss, len(setup.run.labels), setup.devices
        )
        self._lines = SparseLog(1.0, first=20)
        self._last: Metrics | None = None
        # Minus the loss, so that more is better; below any there is.
        self.best = tf.Variable(-1.0 if self._by_top1 else -math.inf, name="best_top1")
        self.no_better = tf.Variable(0, name="evaluations_without_a_better_top1")

    @property
    def evaluates(self) -> bool:
        """Whether there is anything to evaluate on."""
        return self._drawings is not None

    @property
    def gave_up(self) -> bool:
        """Whether the training is to end early."""
        patience = self._settings.early_stopping
        return patience is not None and int(self.no_better.numpy()) >= patience

    def __call__(self, step: int, training: str) -> tuple[Metrics, bool]:
        """Evaluate the model as it is after a step; return the figures, and if they are the best.

        Args:
            step: how many steps were taken.
            training: how the training does, for the log.
        """
        assert self._drawings is not None
        share = self._devices.local_share(len(self._drawings))
        self._last = metrics = self._evaluate(batches_of(self._drawings, share))
        result = metrics.result()
        blind = self._settings.use_valid_as_train
        better = blind or self._score(result) > float(self.best.numpy())
        remark = "  (trained on: means nothing)" if blind else "  (best so far)" * better
        self._lines.log(
            f"step {step:,}  {training}  |  validation loss {result['loss']:.4f}  "
            f"top-1 {result['top1']:.2%}  top-3 {result['top3']:.2%}{remark}"
        )
        if better:
            self._keep(step, result)
        else:
            self._bear_no_better()
        return metrics, better

    @property
    def _by_top1(self) -> bool:
        return self._settings.monitor == "top1"

    def _score(self, result: dict[str, float]) -> float:
        """Return the figure that the training goes by; more is better."""
        return result["top1"] if self._by_top1 else -result["loss"]

    def close(self) -> None:
        """Log the last evaluation, if it came too soon after another for that, and its answers."""
        self._lines.close()
        if self._last:
            self._last.tell_one_answer(self._labels)

    def _keep(self, step: int, result: dict[str, float]) -> None:
        self.best.assign(self._score(result))
        self.no_better.assign(0)
        if self._devices.is_chief:
            best_model.save(self._model, self._train_dir, step, result)

    def _bear_no_better(self) -> None:
        """Note an evaluation that was no better; the rate or the end may depend on it."""
        settings = self._settings
        times = int(self.no_better.assign_add(1).numpy())
        unless = f"no better {'top-1' if self._by_top1 else 'loss'} for {times} evaluations"
        if settings.schedule == "plateau" and times % settings.plateau_patience == 0:
            self._rate_factor.assign(self._rate_factor * settings.plateau_factor)
            log(f"{unless}: the learning rate is multiplied by {settings.plateau_factor:g}")
        if times == settings.early_stopping:
            log(f"{unless}: this is the end")


def batches_of(drawings: Drawings, share: slice) -> Iterator[Batch]:
    """Yield (inputs, labels) of a share of some drawings, in order.

    Inputs are a dictionary: `image`, uint8 `[batch, size, size, channels]`; `ink`, int16 `[batch,
    max_points, 3]`; or both. Labels are int32 `[batch]`.
    """
    rows = np.arange(len(drawings))[share]
    for start in range(0, len(rows), BATCH):
        yield drawings.take(rows[start : start + BATCH])
