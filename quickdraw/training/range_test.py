"""The learning-rate range test: which `--base_learning_rate` a model can take.

Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3.
"""

from __future__ import annotations

from typing import NamedTuple

import keras

from quickdraw.progress import Progress
from quickdraw.settings import Settings
from quickdraw.training import cache, feed
from quickdraw.training.build import Task
from quickdraw.training.checks import check
from quickdraw.training.engine import make_deterministic, prepare
from quickdraw.training.objective import Objective
from quickdraw.training.optimizers import make_optimizer
from quickdraw.training.schedules import rising_rate
from quickdraw.training.step import TrainSteps

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
    """Trains some hundred steps with a learning rate that rises from 1e-6 to 1, exponentially.

    Ends early when the loss diverges. Writes nothing but the cache of decoded drawings.

    Returns:
        A point for each step; the loss is an exponential moving average.

    Raises:
        QuickdrawError: see `quickdraw.training.fit`.
    """
    job = check(settings)
    task = prepare(job, cache.load)
    job.reader.report_bad_records()
    make_deterministic(settings)
    drawings = feed.create(task.drawings, settings, task.replicas)
    with task.replicas.strategy.scope():
        train_steps = _train_steps(task, settings, drawings)
    points: list[Point] = []
    mean, progress = 0.0, Progress("range test", _STEPS, "steps")
    with task.replicas.watch():
        for step in range(_STEPS):
            totals = train_steps(drawings.inputs(step, 1), 1, False, 0.0)
            if not totals.finite:
                break
            mean = _MEMORY * mean + (1 - _MEMORY) * totals.loss / settings.batch_size
            # At first a mean of few steps, as Kingma & Ba 2015, "Adam", section 3.
            loss = mean / (1 - _MEMORY ** (step + 1))
            points.append(Point(train_steps.learning_rate, loss))
            progress.update(step + 1)
            if loss > _DIVERGED * lowest(points).loss:
                break
    progress.close()
    return points


def _train_steps(task: Task, settings: Settings, drawings: feed.Feed) -> TrainSteps:
    keras.utils.set_random_seed(settings.seed)
    model, loss = task.run.build_model(), task.run.create_loss()
    optimizer = make_optimizer(settings, task.replicas.replicas)
    optimizer.build(model.trainable_variables)
    objective = Objective(loss, model, settings, task.run.labels, task.drawings.labels)
    return TrainSteps(
        task.replicas,
        model,
        objective,
        optimizer,
        lambda step: rising_rate(step, _STEPS),
        drawings,
        task.augmentation,
        settings,
        None,
    )


def lowest(points: list[Point]) -> Point:
    """The point with the lowest loss."""
    return min(points, key=lambda point: point.loss)


def table(points: list[Point]) -> str:
    """The course of the test, and what to make of it.

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
