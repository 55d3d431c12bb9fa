"""The training loop: steps, reports, evaluations and checkpoints, each when it is due."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from quickdraw.console import Progress, log
from quickdraw.errors import InterruptedWork, QuickdrawError, StoppedError
from quickdraw.runs import record
from quickdraw.runs.checkpoints import Checkpoints
from quickdraw.runs.history import MetricsCsv
from quickdraw.tracking.tracker import Report, Tracker
from quickdraw.training.plan import Plan
from quickdraw.training.setup import Setup
from quickdraw.training.step import Totals, TrainSteps
from quickdraw.training.validation import Validation
from quickdraw.training.window import Window

# A call takes about this long: long enough that Python's share is small, short enough that SIGTERM
# and the progress bar need not wait.
_SECONDS_A_CALL = 0.5


class Loop:
    """One training, from its newest checkpoint to the end of its plan.

    Args:
        setup: what is trained, on what, where, and in which folder.
        train_steps: the compiled step and its state.
        plan: when to evaluate, to write a checkpoint and to end.
        tracker: is told how it goes; a process that is not the chief has one that nobody hears.

    Attributes:
        step: how many steps were taken so far.
        images_per_second: in training, at the last report.
    """

    def __init__(self, setup: Setup, train_steps: TrainSteps, plan: Plan, tracker: Tracker):
        assert setup.settings.train_dir
        self._setup, self._settings, self._plan = setup, setup.settings, plan
        self._train_steps, self._train_dir = train_steps, setup.settings.train_dir
        self._tracker = tracker
        with setup.devices.strategy.scope():
            self._validation = Validation(setup, train_steps, self._train_dir)
            self._checkpoints = self._make_checkpoints()
        self.step = self._checkpoints.restore()
        self._csv = MetricsCsv(self._train_dir, self.step)
        self.images_per_second = 0.0
        self._saved_at = time.monotonic()
        self._window = Window()
        self._steps_before = 1

    def _make_checkpoints(self) -> Checkpoints:
        state = self._train_steps.state
        return Checkpoints(
            self._train_dir,
            self._settings.keep_checkpoints,
            model=state.predicts,
            trained=state.model,
            optimizer=state.optimizer,
            loss=state.objective.variables,
            best=self._validation.best,
            no_better=self._validation.no_better,
            rate_factor=self._train_steps.rate_factor,
            random_state=state.random_state,
        )

    @property
    def _over(self) -> bool:
        return self._validation.gave_up or self.step >= self._plan.total

    def run(self, may_write: Callable[[], None]) -> None:
        """Train to the end.

        Args:
            may_write: raises an error where this process may write to train_dir no more.

        Raises:
            QuickdrawError: the loss or a weight is no longer a number.
            StoppedError: SIGTERM came, and a checkpoint was written; or another process died.
        """
        total = self._plan.total * self._settings.batch_size
        with _asked_to_stop() as stop, self._setup.devices.watch():
            if self.step:
                log(f"going on from the checkpoint at step {self.step:,}")
            else:
                self._show_first_drawings()
            self._progress = Progress("training", total, "images")
            try:
                self._run_until(stop, may_write)
            finally:
                self._progress.close()
                self._validation.close()

    def _show_first_drawings(self) -> None:
        first, labels = self._setup.train.take(slice(40))
        if "image" in first:
            self._tracker.drawings(first["image"], labels)

    def _run_until(self, stop: _Stop, may_write: Callable[[], None]) -> None:
        # Calls start with one step and grow until each takes about half a second. With several
        # processes all must take the same number of steps at the same time, and stop at the same
        # one: so each call sums up over them how long the call before took, and whether any was
        # asked to stop, and all go by these sums (`Totals`), never by what they know themselves.
        most, seconds = 1, 0.0
        while not self._over:
            until_event = self._plan.next_event(self.step) - self.step
            steps = min(most, until_event, self._train_steps.feed.most_steps)
            totals, seconds = self._train(steps, stop.is_set(), seconds)
            # `totals.seconds` belong to the call before; of the first two one compiled.
            if totals.seconds and self._window.calls > 2:
                fitting = max(1, int(_SECONDS_A_CALL * self._steps_before / totals.seconds))
                most = min(fitting, 2 * most)
            self._steps_before = steps
            may_write()  # before anything is written: the lock may be lost by now
            self._do_what_is_due()
            if totals.stop:
                self._save()
                if stop.by == signal.SIGINT:
                    raise InterruptedWork(
                        f"at step {self.step:,}, which is saved: the same call goes on from there"
                    )
                raise StoppedError(
                    f"stopped by SIGTERM at step {self.step:,}, which is saved: the same command "
                    "goes on from there"
                )

    def _train(self, steps: int, stop: bool, seconds: float) -> tuple[Totals, float]:
        """Take some steps; return their totals, and how long they took."""
        start = time.perf_counter()
        inputs = self._train_steps.feed.inputs(self.step, steps)
        fed = time.perf_counter()
        totals = self._train_steps(inputs, self.step, steps, stop, seconds)
        done = time.perf_counter()
        if not totals.finite:  # nothing is written: the last checkpoint is from before the failure
            if self.step == 0 and not math.isfinite(totals.loss):
                raise QuickdrawError(
                    f"the loss is {totals.loss} in the first step, before any weight was changed. "
                    f"Usual causes: {self._setup.run.label_loss} takes the logarithm of 0 or of "
                    "something negative (logits are any numbers: there was no softmax), or divides "
                    "by 0"
                )
            raise QuickdrawError(
                f"the loss or a weight is not a number any more, between step {self.step} and "
                f"{self.step + steps}. Usual causes: a --base_learning_rate that is too high, a "
                "loss that takes the logarithm of 0 or divides by it, or the gradient of a square "
                "root or a norm at 0. The last good checkpoint is kept"
            )
        self.step += steps
        batch_size = self._settings.batch_size
        self._window.add(totals, steps * batch_size, done - start, fed - start)
        if self._window.calls == 1:
            seconds = done - start + self._train_steps.seconds_to_trace
            log(f"compiled in {seconds:.1f} s")
            self._progress.resume_at(self.step * batch_size)
        self._progress.update(self.step * batch_size, f"step {self.step:,}  {self._window}")
        return totals, done - start

    def _do_what_is_due(self) -> None:
        step, plan = self.step, self._plan
        last = step == plan.total
        evaluate = self._validation.evaluates and plan.evaluates_at(step)
        if evaluate:
            self._check_folder()
        if evaluate or plan.reports_at(step):
            self._report(evaluate)
        minutes = (time.monotonic() - self._saved_at) / 60
        late = minutes >= self._settings.checkpoint_every_minutes
        if last or evaluate or step % plan.checkpoint == 0 or late:
            self._save()  # after an evaluation too: it changed the best top-1, which is restored

    def _report(self, evaluate: bool) -> None:
        row = {
            "step": self.step,
            "epoch": self.step * self._settings.batch_size / len(self._setup.train),
            "learning_rate": self._train_steps.learning_rate,
            **self._window.report(),
        }
        self.images_per_second = row["images_per_second"]
        training = {name.removeprefix("train_"): row[name] for name in row if name != "step"}
        report = Report(self.step, training)
        if evaluate:
            metrics, is_best = self._validation(self.step, str(self._window))
            report = Report(self.step, training, metrics, is_best)
            row |= {f"eval_{name}": value for name, value in metrics.result().items()}
        self._csv.add(row)
        self._tracker.report(report)
        self._window.clear()

    def _check_folder(self) -> None:
        """Raise QuickdrawError where the run was moved or deleted: writing would begin a second."""
        if self._setup.devices.is_chief:
            record.read_again(self._train_dir, self._setup.run)

    def _save(self) -> None:
        if self._setup.devices.is_chief:
            self._check_folder()
            self._csv.save()  # first: a row that a checkpoint lacks is dropped on resuming
            self._checkpoints.save(self.step)
            self._tracker.saved()
        self._saved_at = time.monotonic()


class _Stop(threading.Event):
    """Set by a signal.

    Attributes:
        by: which.
    """

    by = 0


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[_Stop]:
    """Yield an event that SIGTERM sets (Spot machines give some 30 seconds), and Ctrl-C.

    Ctrl-C must not come between a step and its count either; a second one ends the work at once.
    """
    stop = _Stop()  # not an exception: all processes must stop at the same step
    if threading.current_thread() is not threading.main_thread():  # which alone sets handlers
        yield stop
        return

    def ask(by: int, frame: FrameType | None) -> None:
        if stop.is_set() and by == signal.SIGINT:
            signal.default_int_handler(by, frame)
        stop.by = by
        stop.set()

    previous = {each: signal.signal(each, ask) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)
