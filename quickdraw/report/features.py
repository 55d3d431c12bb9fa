"""Features: the input of a network's last layer, together with its logits."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from quickdraw.components.inputs import ModelInputs

Seeing = Callable[[ModelInputs], tuple[np.ndarray, np.ndarray]]


def with_features(model: keras.Model) -> Seeing:
    """Make a function that returns the logits and features of a batch.

    Args:
        model: from inputs to logits. If the input of its last layer cannot be found, its logits
            serve as features.

    Returns:
        A function of the model's inputs; it returns logits, float32 `[batch, num_classes]`, and
        features, float32 `[batch, features]`.
    """
    both = _both(model)

    @tf.function(autograph=False, reduce_retracing=True)
    def forward(inputs: ModelInputs) -> tuple[tf.Tensor, tf.Tensor]:
        logits, features = both(inputs, training=False)
        return tf.cast(logits, tf.float32), tf.cast(features, tf.float32)

    def see(inputs: ModelInputs) -> tuple[np.ndarray, np.ndarray]:
        logits, features = forward(inputs)
        return logits.numpy(), features.numpy()

    return see


def _both(model: keras.Model) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    try:
        last = model.layers[-1]
        if last.output is model.output and len(last.input.shape) == 2:
            return keras.Model(model.input, [model.output, last.input])
    except (AttributeError, LookupError, TypeError, ValueError):
        pass  # not a functional model, or it ends in a nested one

    def logits_twice(inputs: ModelInputs, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        logits = model(inputs, training=training)
        return logits, logits

    return logits_twice


def unit(features: np.ndarray) -> np.ndarray:
    """Return features with an L2 norm of 1, whose dot product is the cosine similarity.

    Args:
        features: float `[n, features]`; non-finite values count as 0.

    Returns:
        The same shape and dtype.
    """
    features = np.nan_to_num(features, posinf=0.0, neginf=0.0)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
