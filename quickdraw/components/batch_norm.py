"""Batch normalization in one operation.

Keras normalises in some ten operations, each of which walks over all activations in float32, where
TensorFlow has one. On two cores with AVX512-BF16 that makes a step of `ResNetModel` 1.5 times as
fast in bfloat16, and 1.2 times in float32.
"""

from __future__ import annotations

import keras
import tensorflow as tf


def fuse(model: keras.Model) -> keras.Model:
    """Let each BatchNormalization of a model use the one operation; return the model.

    The layers stay what they are, in a saved file too. Unlike Keras' own, the moving variance is
    the unbiased one. Layers with another axis than the last, without scale or offset, with batch
    renormalization, or in float64 are left alone.
    """
    for layer in model._flatten_layers():
        if (
            type(layer) is keras.layers.BatchNormalization
            and layer.axis in (-1, layer.input_spec.ndim - 1)
            and layer.scale
            and layer.center
            and not layer.renorm
            and layer.compute_dtype != "float64"
        ):
            layer.call = _Call(layer)
    return model


class _Call:
    """Takes the place of a layer's `call`: `[batch, …, channels]` in and out, of the same dtype."""

    def __init__(self, layer: keras.layers.BatchNormalization):
        self._layer, self._keras = layer, layer.call

    def __call__(
        self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        layer = self._layer
        if mask is not None or layer.synchronized:
            return self._keras(inputs, training=training, mask=mask)
        trains = bool(training and layer.trainable)
        # The operation takes images; anything else is passed as images of one pixel.
        are_images = len(inputs.shape) == 4
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs if are_images else tf.reshape(inputs, (-1, 1, 1, inputs.shape[-1])),
            scale=layer.gamma.value,
            offset=layer.beta.value,
            mean=() if trains else layer.moving_mean.value,
            variance=() if trains else layer.moving_variance.value,
            epsilon=layer.epsilon,
            is_training=trains,
        )
        if trains:
            for moving, now in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
                moving.assign(moving * layer.momentum + now * (1 - layer.momentum))
        return outputs if are_images else tf.reshape(outputs, tf.shape(inputs))
