"""The training loop: steps, reports, evaluations and checkpoints, each when it is due."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

import tensorflow as tf

from quickdraw.errors import QuickdrawError, StoppedError
from quickdraw.gcs import transfer
from quickdraw.inputs import wrapped
from quickdraw.progress import Progress, log
from quickdraw.settings import Settings
from quickdraw.training import logs
from quickdraw.training.build import Task, build
from quickdraw.training.plan import plan_of
from quickdraw.training.step import Totals
from quickdraw.training.window import Window

_SECONDS_A_CALL = 0.5


class Loop:
    """One training, from its newest checkpoint to the end of its plan.

    Args:
        task: what is trained, on what, where.
        settings: how.
        train_dir: the folder of the run.

    Attributes:
        images_per_second: in training, at the last report.
    """

    def __init__(self, task: Task, settings: Settings, train_dir: str):
        self._task, self._settings, self._train_dir = task, settings, train_dir
        self._plan = plan_of(settings, len(task.drawings))
        parts = build(task, settings, self._plan.total, train_dir)
        self._feed, self._train_steps = parts.feed, parts.train_steps
        self._validation, self._checkpoints = parts.validation, parts.checkpoints
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
            self._task.replicas.watch(),
            transfer.mirrored(logs.folder_of(self._train_dir)) as events,
        ):
            self._events = {name: self._event_writer(events, name) for name in ("train", "eval")}
            if self._step:
                log(f"going on from the checkpoint at step {self._step:,}")
            else:
                self._show_first_drawings()
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
        if self._task.replicas.is_chief:
            return logs.event_writer(folder, name)
        return tf.summary.create_noop_writer()

    def _show_first_drawings(self) -> None:
        first, labels = self._task.drawings.take(slice(40))
        images = wrapped(first, self._task.run.create_model().inputs).get("image")
        if images is not None:
            logs.write_images(self._events["train"], images, labels, self._task.run.labels)

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
            "epoch": self._step * self._settings.batch_size / len(self._task.drawings),
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
        if self._task.replicas.is_chief:
            self._csv.save()
            self._checkpoints.save(self._step)
        self._saved_at = time.monotonic()


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
