"""The interface of trackers: what a training reports, and when."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from quickdraw.errors import StoppedError

if TYPE_CHECKING:
    from quickdraw.evaluation.metrics import Metrics
    from quickdraw.runs.record import Run

Ending = Literal["finished", "stopped", "failed"]
"""How a training ended; a stopped one continues when the same command is run again."""


@dataclasses.dataclass(frozen=True)
class Report:
    """The figures of a training after some step.

    Attributes:
        step: the number of steps taken.
        training: epoch, learning_rate, images_per_second, feed_share, loss and top1, the last four
            since the previous report.
        evaluation: of the current model, if one was due.
        is_best: whether the evaluation is the best so far.
    """

    step: int
    training: dict[str, float]
    evaluation: Metrics | None = None
    is_best: bool = False


class Tracker:
    """The base of trackers: every method does nothing; subclasses override those they need.

    Methods are called in this order by the training thread of the chief, which waits for them, so
    slow work belongs in another thread. An exception ends the training.
    """

    def begin(self, run: Run, train_dir: str, step: int) -> None:
        """Handle the start of a training in the folder of a run, or its resumption at a step."""

    def drawings(self, images: np.ndarray, labels: np.ndarray) -> None:
        """Handle some drawings, uint8 `[n, size, size, channels]`, with labels, int `[n]`."""

    def report(self, report: Report) -> None:
        """Handle the figures after some step."""

    def saved(self) -> None:
        """Handle that everything reported is in the folder."""

    def end(self, ending: Ending) -> None:
        """Handle the end of the training; the folder is complete."""


class Trackers(Tracker):
    """Passes every call on to several trackers."""

    def __init__(self, trackers: Iterable[Tracker] = ()):
        self._trackers = list(trackers)

    @contextlib.contextmanager
    def told(self, run: Run, train_dir: str, step: int) -> Iterator[None]:
        """Call `begin`, and at exit `end`, of those trackers whose `begin` succeeded."""
        ending: Ending = "failed"

        def end(tracker: Tracker) -> None:
            tracker.end(ending)

        with contextlib.ExitStack() as ends:
            for each in self._trackers:
                each.begin(run, train_dir, step)
                ends.callback(end, each)
            try:
                yield
                ending = "finished"
            except (StoppedError, KeyboardInterrupt):
                ending = "stopped"
                raise

    def drawings(self, images: np.ndarray, labels: np.ndarray) -> None:
        """See `Tracker`, for the shapes, too."""
        for each in self._trackers:
            each.drawings(images, labels)

    def report(self, report: Report) -> None:
        """See `Tracker`."""
        for each in self._trackers:
            each.report(report)

    def saved(self) -> None:
        """See `Tracker`."""
        for each in self._trackers:
            each.saved()
