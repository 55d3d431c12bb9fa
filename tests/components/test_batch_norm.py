"""The fused batch normalization: what Keras' own computes, in one operation."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from quickdraw.components.batch_norm import fuse


def layer_of(shape: tuple[int, ...], **config) -> keras.Model:
    """A model of one layer whose weights are not what they begin with."""
    inputs = keras.Input(shape)
    model = keras.Model(inputs, keras.layers.BatchNormalization(**config)(inputs))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in model.get_weights()])
    return model


def run(model: keras.Model, values: np.ndarray, training: bool):
    """Outputs, and the gradients of inputs and weights of a sum that weighs them."""
    inputs = tf.constant(values, tf.float32)
    weighing = tf.constant(np.random.default_rng(1).normal(size=values.shape), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = model(inputs, training=training)
        total = tf.reduce_sum(tf.cast(outputs, tf.float32) * weighing)
    gradients = tape.gradient(total, [inputs, *model.trainable_variables]) if training else []
    return [outputs, *gradients]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(6, 5, 3), (7, 3), (3,)])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_it_computes_what_keras_computes(shape, training, precision):
    values = np.random.default_rng(2).normal(1, 2, (32, *shape))
    plain = layer_of(shape, dtype=precision)
    fused = fuse(layer_of(shape, dtype=precision))
    tolerance = 1e-4 if precision == "float32" else 0.05
    for ours, keras_own in zip(
        run(fused, values, training), run(plain, values, training), strict=True
    ):
        assert ours.dtype == keras_own.dtype
        np.testing.assert_allclose(
            tf.cast(ours, tf.float32), tf.cast(keras_own, tf.float32), tolerance, tolerance
        )
    count = values[..., 0].size
    for name in ("moving_mean", "moving_variance"):
        before, ours, keras_own = (
            getattr(model.layers[1], name).numpy() for model in (layer_of(shape), fused, plain)
        )
        if training and name == "moving_variance":  # ours is unbiased
            keras_own = before + (keras_own - 0.99 * before) * count / (count - 1) - 0.01 * before
        np.testing.assert_allclose(ours, keras_own, 1e-2 if precision != "float32" else 1e-4)
        assert np.allclose(before, ours) != training


@pytest.mark.parametrize(
    "config", [{"axis": 1}, {"scale": False}, {"center": False}, {"dtype": "float64"}]
)
def test_what_the_operation_cannot_do_is_left_to_keras(config):
    values = np.random.default_rng(2).normal(1, 2, (8, 4, 4, 4))
    plain, fused = layer_of((4, 4, 4), **config), fuse(layer_of((4, 4, 4), **config))
    for ours, keras_own in zip(run(fused, values, True), run(plain, values, True), strict=True):
        np.testing.assert_array_equal(ours, keras_own)


def test_a_frozen_layer_keeps_its_statistics():
    model = fuse(layer_of((4, 4, 3)))
    model.trainable = False
    before = model.get_weights()
    values = np.random.default_rng(2).normal(1, 2, (8, 4, 4, 3))
    np.testing.assert_allclose(
        model(values, training=True), model(values, training=False), rtol=1e-6
    )
    for weight, earlier in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, earlier)


def test_a_saved_model_is_plain_keras(tmp_path):
    model = fuse(layer_of((4, 4, 3)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", custom_objects={})
    assert type(loaded.layers[1]) is keras.layers.BatchNormalization
    values = np.random.default_rng(2).normal(1, 2, (8, 4, 4, 3)).astype("float32")
    np.testing.assert_allclose(loaded(values), model(values), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "config", [{}, {"momentum": 0.99}, {"momentum": 0.9}, {"momentum": 0.9, "axis": 1}]
)
def test_statistics_follow_with_the_momentum_that_the_author_gave(config):
    model = fuse(layer_of((4, 4, 4), **config))
    values = np.random.default_rng(2).normal(5, 2, (8, 4, 4, 4)).astype("float32")
    axes = tuple(axis for axis in range(4) if axis != config.get("axis", 3))
    first, mean = model.layers[1].moving_mean.numpy(), values.mean(axis=axes)
    for _ in range(30):
        model(values, training=True)
    forgotten = (model.layers[1].moving_mean.numpy() - first) / (mean - first)
    assert forgotten == pytest.approx(1 - config.get("momentum", 0.99) ** 30, abs=1e-3)
