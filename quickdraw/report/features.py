"""Features: what goes into a network's last layer, beside the logits that come out of it."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from quickdraw.components.inputs import ModelInputs

Seeing = Callable[[ModelInputs], tuple[np.ndarray, np.ndarray]]


def with_features(model: keras.Model) -> Seeing:
    """Make a function that returns logits and features of a batch, as `TrainedModel.logits` does.

    Args:
        model: inputs in, logits out. One whose last layer cannot be looked in front of has its
            logits as features.

    Returns:
        A function of what the model takes; it returns logits, float32 `[batch, num_classes]`, and
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
        pass  # no functional model, or one that ends in another model

    def logits_twice(inputs: ModelInputs, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        logits = model(inputs, training=training)
        return logits, logits

    return logits_twice


def unit(features: np.ndarray) -> np.ndarray:
    """Return features of length 1: the product of two is the cosine of their angle.

    Args:
        features: float `[n, features]`; what is not finite counts as 0.

    Returns:
        The same shape and dtype.
    """
    features = np.nan_to_num(features, posinf=0.0, neginf=0.0)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
