"""The training loop: steps, reports, evaluations and checkpoints, each when it is due."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from quickdraw import checkpoints, runs, transfer
from quickdraw.errors import QuickdrawError, StoppedError
from quickdraw.inputs import wrapped
from quickdraw.progress import Progress, log
from quickdraw.settings import Settings
from quickdraw.training import feed, logs
from quickdraw.training.augmentation import Augmentation
from quickdraw.training.cache import Drawings
from quickdraw.training.distribution import Distribution
from quickdraw.training.objective import Objective
from quickdraw.training.optimizers import make_optimizer
from quickdraw.training.plan import plan_of
from quickdraw.training.schedules import share_of_rate
from quickdraw.training.step import Totals, TrainSteps
from quickdraw.training.validation import Validation
from quickdraw.training.window import Window

_SECONDS_A_CALL = 0.5


class Loop:
    """One training, from its newest checkpoint to the end of its plan.

    Args:
        run: what is trained.
        settings: how.
        augmentation: what may happen to the drawings.
        distribution: where.
        drawings: what it is trained on.
        validation: what it is evaluated on, or nothing.
        train_dir: the folder of the run.

    Attributes:
        images_per_second: in training, at the last report.
    """

    def __init__(
        self,
        run: runs.Run,
        settings: Settings,
        augmentation: Augmentation,
        distribution: Distribution,
        drawings: Drawings,
        validation: Drawings | None,
        train_dir: str,
    ):
        self._settings, self._distribution = settings, distribution
        self._plan = plan_of(settings, len(drawings))
        self._records = len(drawings)
        first, self._first_labels = drawings.take(slice(40))
        self._first_images = wrapped(first, run.create_model().inputs).get("image")
        self._labels, self._train_dir = run.labels, train_dir
        self._feed = feed.create(drawings, settings, distribution)
        with distribution.strategy.scope():
            self._build(run, augmentation, drawings.labels, validation)
        self._step = self._checkpoints.restore()
        self._csv = logs.MetricsCsv(train_dir, self._step)
        self.images_per_second = 0.0
        self._saved_at = time.monotonic()
        self._window = Window()
        self._steps_before = 1

    @property
    def step(self) -> int:
        """How many steps were taken so far."""
        return self._step

    @property
    def _over(self) -> bool:
        return self._validation.gave_up or self._step >= self._plan.total

    def _build(
        self,
        run: runs.Run,
        augmentation: Augmentation,
        labels: np.ndarray,
        validation: Drawings | None,
    ) -> None:
        settings, distribution = self._settings, self._distribution
        # Not earlier: reading and writing gs:// draws random numbers, too.
        keras.utils.set_random_seed(settings.seed)
        trained, loss = run.build_model(), run.create_loss()
        average = None
        if settings.ema_decay:
            average = run.build_model()
            average.set_weights(trained.get_weights())
        if settings.sync_batch_norm:
            _synchronise_batch_norm(trained)
        model = average or trained  # what predicts
        optimizer = make_optimizer(settings, distribution.replicas)
        optimizer.build(trained.trainable_variables)
        objective = Objective(loss, trained, settings, run.labels, labels)
        self._train_steps = TrainSteps(
            distribution,
            trained,
            objective,
            optimizer,
            self._rate,
            self._feed,
            augmentation,
            settings,
            average,
        )
        rate_factor = self._train_steps.rate_factor
        self._validation = Validation(
            validation,
            run.labels,
            model,
            loss,
            settings,
            distribution,
            rate_factor,
            self._train_dir,
        )
        self._checkpoints = checkpoints.Checkpoints(
            self._train_dir,
            settings.keep_checkpoints,
            model=model,
            trained=trained,
            optimizer=optimizer,
            loss=objective.variables,
            best=self._validation.best,
            no_better=self._validation.no_better,
            rate_factor=rate_factor,
            random_state=_random_state(trained),
        )

    def _rate(self, step: tf.Tensor) -> tf.Tensor:
        settings = self._settings
        return settings.base_learning_rate * share_of_rate(
            settings.schedule, step, self._plan.total
        )

    def run(self, may_write: Callable[[], None]) -> None:
        """Trains to the end.

        Args:
            may_write: raises an error where this process may write to train_dir no more.

        Raises:
            QuickdrawError: the loss or a weight is no longer a number.
            StoppedError: SIGTERM came, and a checkpoint was written; or another process died.
        """
        total = self._plan.total * self._settings.batch_size
        with (
            _sigterm() as stop,
            self._distribution.watch(),
            transfer.mirrored(logs.folder_of(self._train_dir)) as events,
        ):
            self._events = {name: self._event_writer(events, name) for name in ("train", "eval")}
            if self._step:
                log(f"going on from the checkpoint at step {self._step:,}")
            elif self._first_images is not None:
                logs.write_images(
                    self._events["train"], self._first_images, self._first_labels, self._labels
                )
            self._progress = Progress("training", total, "images")
            try:
                self._run_until(stop, may_write)
            except KeyboardInterrupt:
                self._save()
                raise
            finally:
                self._progress.close()
                for writer in self._events.values():
                    writer.close()

    def _event_writer(self, folder: str, name: str) -> tf.summary.SummaryWriter:
        if self._distribution.is_chief:
            return logs.event_writer(folder, name)
        return tf.summary.create_noop_writer()

    def _run_until(self, stop: threading.Event, may_write: Callable[[], None]) -> None:
        most, seconds = 1, 0.0
        while not self._over:
            until_event = self._plan.next_event(self._step) - self._step
            steps = min(most, until_event, self._feed.most_steps)
            totals, seconds = self._train(steps, stop.is_set(), seconds)
            # All processes must agree on the length of calls, so they go by what all of them told.
            if totals.seconds and self._window.calls > 2:
                fitting = max(1, int(_SECONDS_A_CALL * self._steps_before / totals.seconds))
                most = min(fitting, 2 * most)
            self._steps_before = steps
            may_write()
            self._do_what_is_due()
            if totals.stop:
                self._save()
                raise StoppedError(
                    f"stopped by SIGTERM at step {self._step:,}, which is saved: the same command "
                    "goes on from there"
                )

    def _train(self, steps: int, stop: bool, seconds: float) -> tuple[Totals, float]:
        """Takes some steps; returns their totals, and how long they took."""
        start = time.perf_counter()
        inputs = self._feed.inputs(self._step, steps)
        fed = time.perf_counter()
        totals = self._train_steps(inputs, steps, stop, seconds)
        done = time.perf_counter()
        if not totals.finite:
            raise QuickdrawError(
                f"the loss or a weight is not a number any more, between step {self._step} and "
                f"{self._step + steps}. Usual causes: a --base_learning_rate that is too high, or "
                "a loss that takes the logarithm of 0 or divides by it. The last good checkpoint "
                "is kept"
            )
        self._step += steps
        batch_size = self._settings.batch_size
        self._window.add(totals, steps * batch_size, done - start, fed - start)
        if self._window.calls == 1:
            log(f"compiled in {done - start:.1f} s")
            self._progress.resume_at(self._step * batch_size)
        self._progress.update(self._step * batch_size, f"step {self._step:,}  {self._window}")
        return totals, done - start

    def _do_what_is_due(self) -> None:
        step, plan = self._step, self._plan
        last = step == plan.total
        evaluate = self._validation.drawings is not None and plan.evaluates_at(step)
        if evaluate or plan.reports_at(step):
            self._report(evaluate)
        minutes = (time.monotonic() - self._saved_at) / 60
        late = minutes >= self._settings.checkpoint_every_minutes
        if last or evaluate or step % plan.checkpoint == 0 or late:
            self._save()

    def _report(self, evaluate: bool) -> None:
        row = {
            "step": self._step,
            "epoch": self._step * self._settings.batch_size / self._records,
            "learning_rate": self._train_steps.learning_rate,
            **self._window.report(),
        }
        self.images_per_second = row["images_per_second"]
        scalars = {name.removeprefix("train_"): row[name] for name in row if name != "step"}
        logs.write_scalars(self._events["train"], self._step, scalars)
        if evaluate:
            result = self._validation(self._step, str(self._window), self._events["eval"])
            row |= {f"eval_{name}": value for name, value in result.items()}
        self._csv.add(row)
        self._window.clear()

    def _save(self) -> None:
        if self._distribution.is_chief:
            self._csv.save()
            self._checkpoints.save(self._step)
        self._saved_at = time.monotonic()


def _synchronise_batch_norm(model: keras.Model) -> None:
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def _random_state(model: keras.Model) -> list[tf.Variable]:
    """The counters behind dropout and the like, which a checkpoint of the model leaves out."""
    weights = {id(variable) for variable in model.weights}
    return [variable.value for variable in model.variables if id(variable) not in weights]


@contextlib.contextmanager
def _sigterm() -> Iterator[threading.Event]:
    """Sets the event it yields when SIGTERM comes (Spot machines give some 30 seconds)."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    previous = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, previous)
