"""The training step, compiled: many steps a call, so that Python is out of the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from quickdraw.losses import BaseLoss
from quickdraw.training.feed import Drawings

if TYPE_CHECKING:
    import keras


class Totals(NamedTuple):
    """Sums over the examples of a call.

    Attributes:
        loss: of the examples' losses.
        right: how many were recognised.
        finite: whether loss and weights are all numbers still.
    """

    loss: float
    right: float
    finite: bool


def make_train_steps(
    model: keras.Model, loss: BaseLoss, optimizer: keras.Optimizer, drawings: Drawings
) -> Callable[[np.ndarray], Totals]:
    """A function that takes one step for each row of an int32 array `[steps, batch]`.

    The rows are positions in `drawings`, which are put on the device once, as uint8.
    """
    all_images, all_labels = tf.constant(drawings.images), tf.constant(drawings.labels)
    optimizer.build(model.trainable_variables)

    def step(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = tf.gather(all_images, rows), tf.gather(all_labels, rows)
        with tf.GradientTape() as tape:
            logits = tf.cast(model(images, training=True), tf.float32)
            losses = loss.calculate_loss(logits, labels)
            objective = tf.add_n([tf.reduce_mean(losses), *model.losses])
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(objective, variables), variables)
        right = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(right, tf.float32))

    @tf.function(reduce_retracing=True)
    def steps(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        loss_sum, right_sum = tf.constant(0.0), tf.constant(0.0)
        for i in tf.range(tf.shape(rows)[0]):
            step_loss, step_right = step(rows[i])
            loss_sum, right_sum = loss_sum + step_loss, right_sum + step_right
        checked = [loss_sum, *model.trainable_variables]
        finite = [tf.reduce_all(tf.math.is_finite(value)) for value in checked]
        return loss_sum, right_sum, tf.reduce_all(finite)

    def train_steps(rows: np.ndarray) -> Totals:
        loss_sum, right, finite = steps(tf.constant(rows))
        return Totals(float(loss_sum), float(right), bool(finite))

    return train_steps
