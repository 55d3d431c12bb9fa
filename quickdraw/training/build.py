"""The parts of a training, made and put together."""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf

from quickdraw import runs
from quickdraw.checkpoints import Checkpoints
from quickdraw.settings import Settings
from quickdraw.training import feed
from quickdraw.training.augmentation import Augmentation
from quickdraw.training.cache import Drawings
from quickdraw.training.distribution import Distribution
from quickdraw.training.feed import Feed
from quickdraw.training.objective import Objective
from quickdraw.training.optimizers import make_optimizer
from quickdraw.training.schedules import share_of_rate
from quickdraw.training.step import TrainSteps
from quickdraw.training.validation import Validation


@dataclasses.dataclass
class Task:
    """What is to be trained, on what, where: all that a training needs but its folder."""

    run: runs.Run
    augmentation: Augmentation
    replicas: Distribution
    drawings: Drawings
    validation: Drawings | None


@dataclasses.dataclass
class Parts:
    """What a training is made of."""

    feed: Feed
    train_steps: TrainSteps
    validation: Validation
    checkpoints: Checkpoints


def build(task: Task, settings: Settings, steps: int, train_dir: str) -> Parts:
    """Makes the parts of a training of so many steps."""
    source = feed.create(task.drawings, settings, task.replicas)
    with task.replicas.strategy.scope():
        # Not earlier: reading and writing gs:// draws random numbers, too.
        keras.utils.set_random_seed(settings.seed)
        return _build(task, settings, source, steps, train_dir)


def _build(task: Task, settings: Settings, source: Feed, steps: int, train_dir: str) -> Parts:
    run, replicas = task.run, task.replicas
    trained, loss = run.build_model(), run.create_loss()
    average = None
    if settings.ema_decay:
        average = run.build_model()
        average.set_weights(trained.get_weights())
    if settings.sync_batch_norm:
        _synchronise_batch_norm(trained)
    model = average or trained  # what predicts
    optimizer = make_optimizer(settings, replicas.replicas)
    optimizer.build(trained.trainable_variables)
    objective = Objective(loss, trained, settings, run.labels, task.drawings.labels)

    def rate(step: tf.Tensor) -> tf.Tensor:
        return settings.base_learning_rate * share_of_rate(settings.schedule, step, steps)

    train_steps = TrainSteps(
        replicas,
        trained,
        objective,
        optimizer,
        rate,
        source,
        task.augmentation,
        settings,
        average,
    )
    validation = Validation(
        task.validation,
        run.labels,
        model,
        loss,
        settings,
        replicas,
        train_steps.rate_factor,
        train_dir,
    )
    checkpoints = Checkpoints(
        train_dir,
        settings.keep_checkpoints,
        model=model,
        trained=trained,
        optimizer=optimizer,
        loss=objective.variables,
        best=validation.best,
        no_better=validation.no_better,
        rate_factor=train_steps.rate_factor,
        random_state=_random_state(trained),
    )
    return Parts(source, train_steps, validation, checkpoints)


def _synchronise_batch_norm(model: keras.Model) -> None:
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def _random_state(model: keras.Model) -> list[tf.Variable]:
    """The counters behind dropout and the like, which a checkpoint of the model leaves out."""
    weights = {id(variable) for variable in model.weights}
    return [variable.value for variable in model.variables if id(variable) not in weights]
