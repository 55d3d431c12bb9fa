"""The engine tells, trackers listen: what a training tells, and when."""

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
"""How a training ended: stopped ones go on when the same command is started again."""


@dataclasses.dataclass(frozen=True)
class Report:
    """How a training does after some step.

    Attributes:
        step: how many steps were taken.
        training: epoch, learning_rate, images_per_second, feed_share, loss and top1, the last four
            since the report before.
        evaluation: of the model as it is now, where one was due.
        is_best: whether the evaluation is better than all before it.
    """

    step: int
    training: dict[str, float]
    evaluation: Metrics | None = None
    is_best: bool = False


class Tracker:
    """Listens to a training; here each method does nothing, and a tracker has those it needs.

    They are called in this order, by the chief's thread that trains, which waits for them: what
    takes long belongs into a thread of its own. What they raise ends the training.
    """

    def begin(self, run: Run, train_dir: str, step: int) -> None:
        """Hear that training begins, or goes on from a step, in the folder of a run."""

    def drawings(self, images: np.ndarray, labels: np.ndarray) -> None:
        """See some of the drawings: uint8 `[n, size, size, channels]`, and int `[n]`."""

    def report(self, report: Report) -> None:
        """Hear how the training does."""

    def saved(self) -> None:
        """Hear that the folder holds all that was reported."""

    def end(self, ending: Ending) -> None:
        """Hear that the training has ended; the folder holds all that it leaves."""


class Trackers(Tracker):
    """Passes on to several trackers what it is told."""

    def __init__(self, trackers: Iterable[Tracker] = ()):
        self._trackers = list(trackers)

    @contextlib.contextmanager
    def told(self, run: Run, train_dir: str, step: int) -> Iterator[None]:
        """Tell of the beginning, and when the block is left of the end: to who heard the former."""
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
