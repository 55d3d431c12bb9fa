"""Evaluations while a model is trained, and what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

from quickdraw import checkpoints, vertex_job
from quickdraw.losses import BaseLoss
from quickdraw.progress import log
from quickdraw.settings import Settings
from quickdraw.training import logs
from quickdraw.training.cache import Drawings
from quickdraw.training.distribution import Distribution
from quickdraw.training.evaluation import batches_of, make_evaluate

if TYPE_CHECKING:
    import keras


class Validation:
    """Evaluates the model now and then: keeps the best, halves the rate, ends the training.

    To be made under the strategy's scope.

    Args:
        drawings: what to evaluate on, or nothing: then there are no evaluations.
        labels: names of the classes.
        model: what is evaluated.
        loss: what it is trained for.
        settings: what the evaluations decide.
        distribution: the devices.
        rate_factor: variable that the learning rate is multiplied by.
        train_dir: the folder of the run.

    Attributes:
        drawings: see above.
        best: variable: the highest top-1 so far.
        no_better: variable: how many evaluations in a row were not the best.
    """

    def __init__(
        self,
        drawings: Drawings | None,
        labels: list[str],
        model: keras.Model,
        loss: BaseLoss,
        settings: Settings,
        distribution: Distribution,
        rate_factor: tf.Variable,
        train_dir: str,
    ):
        self.drawings = drawings
        self._labels, self._model, self._settings = labels, model, settings
        self._distribution, self._rate_factor = distribution, rate_factor
        self._train_dir = train_dir
        self._evaluate = make_evaluate(model, loss, len(labels), distribution)
        self.best = tf.Variable(-1.0, name="best_top1")
        self.no_better = tf.Variable(0, name="evaluations_without_a_better_top1")

    @property
    def gave_up(self) -> bool:
        """Whether the training is to end early."""
        patience = self._settings.early_stopping
        return patience is not None and int(self.no_better.numpy()) >= patience

    def __call__(
        self, step: int, training: str, events: tf.summary.SummaryWriter
    ) -> dict[str, float]:
        """Evaluates the model as it is after a step; returns the figures.

        Args:
            step: how many steps were taken.
            training: how the training does, for the log.
            events: where the curves are drawn.
        """
        assert self.drawings is not None
        share = self._distribution.local_share(len(self.drawings))
        metrics = self._evaluate(batches_of(self.drawings, share))
        result = metrics.result()
        blind = self._settings.use_valid_as_train
        better = blind or result["top1"] > float(self.best.numpy())
        remark = "  (trained on: means nothing)" if blind else "  (best so far)" * better
        log(
            f"step {step:,}  {training}  |  validation loss {result['loss']:.4f}  "
            f"top-1 {result['top1']:.2%}  top-3 {result['top3']:.2%}{remark}"
        )
        logs.write_evaluation(events, step, metrics, self._labels)
        if better:
            self._keep(step, result)
        else:
            self._bear_no_better()
        if self._distribution.is_chief:
            vertex_job.report_trial(step, result)
        return result

    def _keep(self, step: int, result: dict[str, float]) -> None:
        self.best.assign(result["top1"])
        self.no_better.assign(0)
        if self._distribution.is_chief:
            checkpoints.save_best(self._model, self._train_dir, step, result)

    def _bear_no_better(self) -> None:
        """Notes an evaluation that was no better; the rate or the end may depend on it."""
        settings = self._settings
        times = int(self.no_better.assign_add(1).numpy())
        if settings.schedule == "plateau" and times % settings.plateau_patience == 0:
            self._rate_factor.assign(self._rate_factor / 2)
            log(f"no better top-1 for {times} evaluations: the learning rate is halved")
        if times == settings.early_stopping:
            log(f"no better top-1 for {times} evaluations: this is the end")
