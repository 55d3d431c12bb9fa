"""The training loop: steps, reports, evaluations and checkpoints, each when it is due."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import signal
import threading
import time
from collections.abc import Iterator

import keras
import tensorflow as tf

from quickdraw import checkpoints, runs
from quickdraw.errors import QuickdrawError
from quickdraw.progress import Progress, log
from quickdraw.training import logs
from quickdraw.training.evaluation import make_evaluate
from quickdraw.training.feed import Drawings, rows_of_steps
from quickdraw.training.schedules import make_optimizer
from quickdraw.training.step import Totals, make_train_steps

_SECONDS_A_CALL = 0.5
_REPORT_EVERY_STEPS = 100


class StoppedError(QuickdrawError):
    """The training was asked to stop (SIGTERM), has saved, and goes on when started again."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: try again


@dataclasses.dataclass
class Plan:
    """How a training goes, in steps.

    Attributes:
        batch_size: drawings a step.
        base_learning_rate: the highest.
        seed: decides the order of the drawings.
        total: the step at which training ends.
        evaluate: steps between two evaluations; a fraction when they are counted in epochs.
        checkpoint: steps between two checkpoints.
        checkpoint_minutes: minutes after which a checkpoint is due in any case.
        keep_checkpoints: how many of them are kept.
    """

    batch_size: int
    base_learning_rate: float
    seed: int
    total: int
    evaluate: float
    checkpoint: int
    checkpoint_minutes: float
    keep_checkpoints: int

    def next_event(self, step: int) -> int:
        """The next step at which the loop has to do more than train."""
        every = (self.evaluate, self.checkpoint, _REPORT_EVERY_STEPS)
        return min(self.total, *(_next_multiple(step, steps) for steps in every))

    def evaluates_at(self, step: int) -> bool:
        """Whether an evaluation is due at this step."""
        return step in (self.total, _next_multiple(step - 1, self.evaluate))


def _next_multiple(step: int, every: float) -> int:
    """The first of every, 2 * every, 3 * every, …, each rounded, that lies behind the step."""
    times = math.floor(step / every)
    return next(at for n in (times, times + 1, times + 2) if (at := round(n * every)) > step)


class Loop:
    """One training, from its newest checkpoint to the end of its plan.

    Args:
        run: what is trained.
        plan: how.
        drawings: what it is trained on.
        validation: what it is evaluated on, or nothing.
        train_dir: the folder of the run.
    """

    def __init__(
        self,
        run: runs.Run,
        plan: Plan,
        drawings: Drawings,
        validation: Drawings | None,
        train_dir: str,
    ):
        self._plan, self._drawings, self._validation = plan, drawings, validation
        self._labels, self._train_dir = run.labels, train_dir
        self.model, loss = run.build_model(), run.create_loss()
        self._optimizer = make_optimizer(plan.base_learning_rate, plan.total)
        self._train_steps = make_train_steps(self.model, loss, self._optimizer, drawings)
        self._evaluate_on = make_evaluate(self.model, loss, len(run.labels))
        self._best = tf.Variable(-1.0, name="best_top1")
        self._checkpoints = checkpoints.Checkpoints(
            train_dir,
            plan.keep_checkpoints,
            model=self.model,
            optimizer=self._optimizer,
            best=self._best,
            random_state=_random_state(self.model),
        )
        self._step = self._checkpoints.restore()
        self._csv = logs.MetricsCsv(train_dir, self._step)
        self._saved_at = time.monotonic()
        self._window = _Window()

    def run(self) -> None:
        """Trains to the end.

        Raises:
            QuickdrawError: the loss or a weight is no longer a number.
            StoppedError: SIGTERM came; a checkpoint was written.
        """
        self._train_events = logs.event_writer(self._train_dir, "train")
        self._eval_events = logs.event_writer(self._train_dir, "eval")
        if self._step:
            log(f"going on from the checkpoint at step {self._step:,}")
        else:
            images, labels = self._drawings.images[:40], self._drawings.labels[:40]
            logs.write_images(self._train_events, images, labels, self._labels)
        self._progress = Progress("training", self._plan.total * self._plan.batch_size, "images")
        with _sigterm() as stop:
            try:
                self._run_until(stop)
            except KeyboardInterrupt:
                self._save()
                raise
            finally:
                self._progress.close()
                self._train_events.close()
                self._eval_events.close()

    def _run_until(self, stop: threading.Event) -> None:
        steps_a_call = 1
        while self._step < self._plan.total:
            steps = min(steps_a_call, self._plan.next_event(self._step) - self._step)
            seconds = self._train(steps)
            # The call that compiled says nothing about how long a step takes.
            if self._window.calls > 1:
                fitting = max(1, int(_SECONDS_A_CALL * steps / seconds))
                steps_a_call = min(fitting, 2 * steps_a_call)
            self._do_what_is_due()
            if stop.is_set():
                self._save()
                raise StoppedError(
                    f"stopped by SIGTERM at step {self._step:,}, which is saved: the same command "
                    "goes on from there"
                )

    def _train(self, steps: int) -> float:
        plan = self._plan
        rows = rows_of_steps(len(self._drawings), plan.batch_size, plan.seed, self._step, steps)
        start = time.perf_counter()
        totals = self._train_steps(rows)
        seconds = time.perf_counter() - start
        if not totals.finite:
            raise QuickdrawError(
                f"the loss or a weight is not a number any more, between step {self._step} and "
                f"{self._step + steps}. Usual causes: a --base_learning_rate that is too high, or "
                "a loss that takes the logarithm of 0 or divides by it. The last good checkpoint "
                "is kept"
            )
        self._step += steps
        self._window.add(totals, rows.size, seconds)
        if self._window.calls == 1:
            self._progress.resume_at(self._step * plan.batch_size)
        self._progress.update(
            self._step * plan.batch_size, f"step {self._step:,}  {self._window.summary()}"
        )
        return seconds

    def _do_what_is_due(self) -> None:
        step, plan = self._step, self._plan
        last = step == plan.total
        evaluate = self._validation is not None and plan.evaluates_at(step)
        if last or evaluate or step % _REPORT_EVERY_STEPS == 0:
            self._report(evaluate)
        minutes = (time.monotonic() - self._saved_at) / 60
        if last or evaluate or step % plan.checkpoint == 0 or minutes >= plan.checkpoint_minutes:
            self._save()

    def _report(self, evaluate: bool) -> None:
        row = {
            "epoch": self._step * self._plan.batch_size / len(self._drawings),
            "learning_rate": float(self._optimizer.learning_rate),
            "train_loss": self._window.loss,
            "train_top1": self._window.top1,
            "images_per_second": self._window.images_per_second,
        }
        names = {"train_loss": "loss", "train_top1": "top1"}
        scalars = {names.get(name, name): value for name, value in row.items()}
        logs.write_scalars(self._train_events, self._step, scalars)
        if evaluate:
            result = self._evaluate()
            row |= {f"eval_{name}": value for name, value in result.items()}
        self._csv.add({"step": self._step, **row})
        self._window.clear()

    def _evaluate(self) -> dict[str, float]:
        assert self._validation is not None
        metrics = self._evaluate_on(self._validation.batches())
        result = metrics.result()
        logs.write_evaluation(self._eval_events, self._step, metrics, self._labels)
        better = result["top1"] > float(self._best)
        log(
            f"step {self._step:,}  {self._window.summary()}  |  validation loss "
            f"{result['loss']:.4f}  top-1 {result['top1']:.2%}  top-3 {result['top3']:.2%}"
            f"{'  (best so far)' if better else ''}"
        )
        if better:
            self._best.assign(result["top1"])
            checkpoints.save_best(self.model, self._train_dir, self._step, result)
        return result

    def _save(self) -> None:
        self._csv.save()
        self._checkpoints.save()
        self._saved_at = time.monotonic()


def _random_state(model: keras.Model) -> list[tf.Variable]:
    """The counters behind dropout and the like, which a checkpoint of the model leaves out."""
    weights = {id(variable) for variable in model.weights}
    return [variable.value for variable in model.variables if id(variable) not in weights]


class _Window:
    """Sums since the last report. The first call of all, which compiles, gives no speed."""

    def __init__(self) -> None:
        self.calls = 0
        self.clear()

    def clear(self) -> None:
        """Starts a new window."""
        self._images = self._timed_images = 0
        self._loss = self._right = self._seconds = 0.0

    def add(self, totals: Totals, images: int, seconds: float) -> None:
        """Adds a call."""
        self.calls += 1
        self._images += images
        self._loss += totals.loss
        self._right += totals.right
        if self.calls > 1:
            self._timed_images += images
            self._seconds += seconds

    @property
    def loss(self) -> float:
        return self._loss / max(self._images, 1)

    @property
    def top1(self) -> float:
        return self._right / max(self._images, 1)

    @property
    def images_per_second(self) -> float:
        return self._timed_images / self._seconds if self._seconds else 0.0

    def summary(self) -> str:
        return f"loss {self.loss:.4f}  top-1 {self.top1:.2%}"


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
