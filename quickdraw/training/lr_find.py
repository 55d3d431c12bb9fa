"""The learning-rate range test: which `--base_learning_rate` a model can take.

Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3.
"""

from __future__ import annotations

from typing import NamedTuple

from quickdraw import devices
from quickdraw.console import Progress
from quickdraw.training.compiling import make_train_steps
from quickdraw.training.data import cache
from quickdraw.training.schedules import rising_rate
from quickdraw.training.settings import Settings
from quickdraw.training.setup import prepare
from quickdraw.training.state import make_deterministic

_STEPS = 300
_STEPS_A_ROW = 25
_MEMORY = 0.95
_DIVERGED = 4.0
_FALLEN = 0.95


class Point(NamedTuple):
    """A step of the test: its learning rate, and the mean loss of the last steps."""

    rate: float
    loss: float


def range_test(settings: Settings) -> list[Point]:
    """Train some hundred steps with a learning rate that rises from 1e-6 to 1, exponentially.

    It ends early when the loss diverges, and writes nothing but the cache of decoded drawings.

    Returns:
        A point for each step; the loss is an exponential moving average.

    Raises:
        QuickdrawError: see `quickdraw.training.fit`.
    """
    setup = prepare(settings, devices.create(settings.distribute), cache.load)
    setup.train.bad.report()
    make_deterministic(settings)
    train_steps = make_train_steps(setup, lambda step: rising_rate(step, _STEPS))
    points: list[Point] = []
    mean, progress = 0.0, Progress("range test", _STEPS, "steps")
    with setup.devices.watch():
        for step in range(_STEPS):
            totals = train_steps(train_steps.feed.inputs(step, 1), step, 1, False, 0.0)
            if not totals.finite:
                break
            mean = _MEMORY * mean + (1 - _MEMORY) * totals.loss / setup.settings.batch_size
            # At first a mean of few steps, as Kingma & Ba 2015, "Adam", section 3.
            loss = mean / (1 - _MEMORY ** (step + 1))
            points.append(Point(train_steps.learning_rate, loss))
            progress.update(step + 1)
            if loss > _DIVERGED * lowest(points).loss:
                break
    progress.close()
    return points


def lowest(points: list[Point]) -> Point:
    """Return the point with the lowest loss."""
    return min(points, key=lambda point: point.loss)


def table(points: list[Point]) -> str:
    """Return the course of the test as a table, and what to make of it.

    The suggestion is a tenth of the rate at which the loss was lowest: there it is about to rise.
    """
    if not points:
        return "The loss was no number in the first step: no suggestion."
    rows = [f"{point.rate:13.1e}  {point.loss:.4f}" for point in points[::_STEPS_A_ROW]]
    best = lowest(points)
    lines = ["learning rate  loss", *rows]
    if best.loss > _FALLEN * points[0].loss:
        return "\n".join([*lines, "The loss hardly fell: no suggestion."])
    lines.append(f"Lowest at {best.rate:.1e}: {best.loss:.4f}. A tenth of that rate:")
    return "\n".join([*lines, f"--base_learning_rate={best.rate / 10:.1e}"])
