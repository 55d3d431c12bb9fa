"""Evaluation of a model on labelled drawings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from quickdraw.losses import BaseLoss
from quickdraw.metrics import Metrics

if TYPE_CHECKING:
    import keras

BATCH = 1024


def make_evaluate(
    model: keras.Model, loss: BaseLoss, num_classes: int
) -> Callable[[Iterable[tuple[np.ndarray, np.ndarray]]], Metrics]:
    """A function that evaluates the model, as it is then, on batches of (images, labels).

    Images are uint8 `[batch, size, size, channels]`, labels int `[batch]`.
    """

    @tf.function(reduce_retracing=True)
    def forward(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits = tf.cast(model(images, training=False), tf.float32)
        return logits, loss.calculate_loss(logits, labels)

    def evaluate(batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> Metrics:
        metrics = Metrics(num_classes)
        for images, labels in batches:
            logits, losses = forward(images, labels.astype(np.int32))
            metrics.update(logits.numpy(), labels, losses.numpy())
        return metrics

    return evaluate
