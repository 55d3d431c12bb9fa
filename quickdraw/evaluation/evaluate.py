"""Evaluation of a model on labelled drawings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from quickdraw import cores
from quickdraw.components.inputs import Batch, unwrapped
from quickdraw.console import log
from quickdraw.devices import Distribution
from quickdraw.evaluation.metrics import MOST_CONFUSED, Metrics
from quickdraw.losses import BaseLoss

if TYPE_CHECKING:
    import keras

BATCH = 1024


def make_evaluate(
    model: keras.Model, loss: BaseLoss, num_classes: int, distribution: Distribution | None = None
) -> Callable[..., Metrics]:
    """Make a function that evaluates the model, as it is then, on batches of (inputs, labels).

    Inputs are a dictionary of arrays by name (`image`, uint8 `[batch, size, size, channels]`;
    `ink`, int16 `[batch, max_points, 3]`), labels int `[batch]`. With several processes each
    brings its own batches, and all get the metrics of all of them. A second argument is the
    temperature of the probabilities; the loss is that of the logits as they are.
    """
    distribution = distribution or Distribution(tf.distribute.get_strategy())
    strategy = distribution.strategy
    if num_classes > MOST_CONFUSED:
        log(
            f"{num_classes:,} classes: no confusion matrix and no curves of each class, "
            f"as there are up to {MOST_CONFUSED}"
        )

    calculate_loss = tf.function(loss.calculate_loss)

    def forward(inputs: dict[str, tf.Tensor], labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits = cores.in_shares(lambda each: model(each, training=False), unwrapped(inputs))
        logits = tf.cast(logits, tf.float32)
        return logits, tf.cast(calculate_loss(logits, labels), tf.float32)

    @tf.function(autograph=False, reduce_retracing=True)
    def forward_on_all(
        inputs: dict[str, tf.Tensor], labels: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return strategy.run(forward, args=(inputs, labels))

    def evaluate(batches: Iterable[Batch], temperature: float = 1.0) -> Metrics:
        metrics = Metrics(num_classes, temperature)
        for inputs, labels in batches:
            labels = labels.astype(np.int32)
            parts = _parts(inputs, labels, distribution)
            logits, losses = (
                np.concatenate([part.numpy() for part in strategy.experimental_local_results(each)])
                for each in forward_on_all(*parts)
            )
            metrics.update(logits, labels, losses)
        metrics.set_state(distribution.sum_over_workers(metrics.state()))
        return metrics

    return evaluate


def _parts(
    inputs: dict[str, np.ndarray], labels: np.ndarray, distribution: Distribution
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Cut a batch into a part for each device of this process."""
    local = distribution.replicas // distribution.workers
    cuts = np.linspace(0, len(labels), local + 1).astype(int)

    def part(replica: int) -> Batch:
        mine = slice(cuts[replica % local], cuts[replica % local + 1])
        return tf.nest.map_structure(lambda each: each[mine], (inputs, labels))

    return distribution.per_replica(part)
