"""The training step, compiled: many steps a call, so that Python is out of the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf

from quickdraw.losses import BaseLoss
from quickdraw.settings import Settings
from quickdraw.training.augmentation import Augmentation
from quickdraw.training.distribution import Distribution
from quickdraw.training.feed import Feed

if TYPE_CHECKING:
    import keras


class Totals(NamedTuple):
    """Sums over the examples of a call, and over what the processes said when it began.

    Attributes:
        loss: of the examples' losses.
        right: how many were recognised.
        finite: whether loss and weights are all numbers still.
        stop: whether a process was asked to stop.
        seconds: how long the call before took, on average over the processes.
    """

    loss: float
    right: float
    finite: bool
    stop: bool
    seconds: float


def make_train_steps(
    distribution: Distribution,
    model: keras.Model,
    loss: BaseLoss,
    optimizer: keras.Optimizer,
    feed: Feed,
    augmentation: Augmentation,
    settings: Settings,
    average: keras.Model | None,
) -> Callable[[Any, int, bool, float], Totals]:
    """A function that takes some steps: `train_steps(inputs, steps, stop, seconds)`.

    `inputs` come from the feed; `stop` and `seconds` are what this process has to tell the others,
    see `Totals`. `average`, if there is one, follows the model's weights as their moving average.
    To be called under the strategy's scope.
    """
    replicas, strategy = distribution.replicas, distribution.strategy
    batch_size, accumulate_steps = settings.batch_size, settings.accumulate_steps
    sums = tf.Variable(
        tf.zeros(4),
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
        trainable=False,
    )

    def gradients_of(images: tf.Tensor, labels: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Of a part of the batch: its share of the batch's gradients, and its sums."""
        with tf.GradientTape() as tape:
            logits = tf.cast(model(images, training=True), tf.float32)
            losses = loss.calculate_loss(logits, labels)
            parts = replicas * accumulate_steps
            objective = tf.add_n(
                [tf.reduce_sum(losses) / batch_size, *(term / parts for term in model.losses)]
            )
            scaled = optimizer.scale_loss(objective)
        right = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        totals = [tf.reduce_sum(losses), tf.reduce_sum(tf.cast(right, tf.float32)), 0.0, 0.0]
        return tape.gradient(scaled, model.trainable_variables), tf.stack(totals)

    @tf.function(jit_compile=True) if settings.xla else _as_it_is
    def gradients_of_share(images: tf.Tensor, labels: tf.Tensor) -> Any:
        """Of a replica's share of the batch, in `accumulate_steps` parts."""
        parts = [
            gradients_of(*part)
            for part in zip(
                tf.split(images, accumulate_steps), tf.split(labels, accumulate_steps), strict=True
            )
        ]
        gradients = [
            tf.add_n(list(each)) for each in zip(*(part[0] for part in parts), strict=True)
        ]
        return gradients, tf.add_n([part[1] for part in parts])

    def step(data: Any, inputs: Any, number: tf.Tensor) -> None:
        images, labels = feed.pick(data, inputs, number)
        random = augmentation.numbers(settings.seed, optimizer.iterations, batch_size)
        images = augmentation.apply(images, _share(random, replicas))
        gradients, totals = gradients_of_share(images, labels)
        if replicas > 1:
            # Keras clips before it adds up: see schedules.make_optimizer.
            context = tf.distribute.get_replica_context()
            gradients = context.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
        optimizer.apply(gradients, model.trainable_variables)
        sums.assign_add(totals)

    @tf.function(reduce_retracing=True)
    def call(data: Any, inputs: Any, steps: tf.Tensor, told: Any) -> tuple[tf.Tensor, tf.Tensor]:
        sums.assign(tf.zeros(4))
        strategy.run(lambda values: sums.assign_add(values), args=(told,))
        for number in tf.range(steps):
            strategy.run(step, args=(data, inputs, number))
            if average is not None:
                _follow(average, model, settings.ema_decay, optimizer.iterations, strategy)
        weights = [tf.reduce_all(tf.math.is_finite(value)) for value in model.trainable_variables]
        return sums.read_value(), tf.reduce_all(weights)

    def train_steps(inputs: Any, steps: int, stop: bool, seconds: float) -> Totals:
        told = distribution.per_replica(lambda _: [0.0, 0.0, float(stop), seconds / replicas])
        totals, weights_finite = call(feed.data, inputs, tf.constant(steps), told)
        loss_sum, right, stops, mean_seconds = totals.numpy().tolist()
        finite = bool(weights_finite) and math.isfinite(loss_sum)
        return Totals(loss_sum, right, finite, stops > 0, mean_seconds)

    return train_steps


def _share(random: tf.Tensor, replicas: int) -> tf.Tensor:
    """This replica's part of the random numbers for a batch."""
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    each = random.shape[0] // replicas
    return tf.reshape(random, (replicas, each, -1))[replica]


def _follow(
    average: keras.Model,
    model: keras.Model,
    decay: float,
    step: tf.Tensor,
    strategy: tf.distribute.Strategy,
) -> None:
    """Moves the averages towards the weights; at first faster, so that they forget the start."""
    step = tf.cast(step, tf.float32)
    rate = 1 - tf.minimum(decay, (1 + step) / (10 + step))
    for mean, weight in zip(average.weights, model.weights, strict=True):
        strategy.extended.update(
            mean.value,
            lambda mean, weight: mean.assign_sub(tf.cast(rate, mean.dtype) * (mean - weight)),
            args=(weight.value,),
        )


def _as_it_is(function: Callable) -> Callable:
    return function
