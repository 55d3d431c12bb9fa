"""What a training changes: made once, for the loop, the range test and the benchmark alike."""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf

from quickdraw.components.base_loss import BaseLoss
from quickdraw.runs import factory
from quickdraw.storage.lock import unrefreshed
from quickdraw.training.objective import Objective
from quickdraw.training.optimizers import make_optimizer
from quickdraw.training.settings import Settings
from quickdraw.training.setup import Setup
from quickdraw.training.trial import check_built_again


@dataclasses.dataclass
class State:
    """The model and what belongs to it.

    Attributes:
        model: what is trained.
        average: follows the model's weights as their moving average, if there is one.
        loss: what it is trained for.
        objective: the loss of a batch, with what it asks for.
        optimizer: how it is trained.
    """

    model: keras.Model
    average: keras.Model | None
    loss: BaseLoss
    objective: Objective
    optimizer: keras.Optimizer

    @property
    def predicts(self) -> keras.Model:
        """The model that is evaluated and kept."""
        return self.average or self.model

    @property
    def random_state(self) -> list[tf.Variable]:
        """The counters behind dropout and the like, which a checkpoint of the model leaves out."""
        weights = {id(variable) for variable in self.model.weights}
        return [variable.value for variable in self.model.variables if id(variable) not in weights]


@unrefreshed()
def make_state(setup: Setup) -> State:
    """Build model, objective and optimizer from the seed; call it under the strategy's scope."""
    settings, run = setup.settings, setup.run
    # Not earlier: reading and writing gs:// draws random numbers, too.
    keras.utils.set_random_seed(settings.seed)
    model, loss = factory.build_model(run), factory.create_loss(run)
    run.network = check_built_again(setup, model)
    if setup.initial:
        setup.initial.give(model, run.labels)
    average = None
    if settings.ema_decay:
        with factory.seeded(run):
            average = factory.build_model(run)
        average.set_weights(model.get_weights())
    if settings.sync_batch_norm:
        _synchronise_batch_norm(model)
    optimizer = make_optimizer(settings, setup.devices.replicas)
    optimizer.build(model.trainable_variables)
    objective = Objective(loss, model, settings, run.labels, setup.train.labels)
    return State(model, average, loss, objective, optimizer)


def make_deterministic(settings: Settings) -> None:
    """Let the same run give the same bits each time, as `--deterministic` says."""
    # XLA has no deterministic gradient of max pooling: it refuses to compile one, on CPUs too.
    free = not settings.xla and not tf.config.list_logical_devices("GPU")
    if settings.deterministic or (settings.deterministic is None and free):
        tf.config.experimental.enable_op_determinism()


def _synchronise_batch_norm(model: keras.Model) -> None:
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
