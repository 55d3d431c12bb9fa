"""A network's digest stays what it is with what does not matter, and changes with what does."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from quickdraw import models, precision, zoo
from quickdraw.components.network_digest import answers_of, digest_of


def build(make, name="x", dtype="float32") -> keras.Model:
    images = keras.Input((4, 4, 1), name=name, dtype=dtype)
    return keras.Model(images, make(layers.Flatten()(images)))


def network(units=3, activation="relu", scale=2.0, **more):
    return lambda x: layers.Dense(2)(layers.Dense(units, activation, **more)(x * scale))


@pytest.mark.parametrize(
    "other",
    [
        network(units=4),
        network(activation="tanh"),
        network(scale=3.0),
        network(use_bias=False),
        lambda x: layers.Dense(2)(layers.Dense(3, "relu")(x) * 2.0),
        lambda x: layers.Dense(2)(ops.relu(ops.matmul(x, np.full((16, 3), 0.5, "float32")))),
    ],
)
def test_what_is_computed_matters(other):
    assert digest_of(build(other)) not in ("", digest_of(build(network())))


@pytest.mark.parametrize("value", [0.5, 2.0])
def test_constants_matter(value):
    def with_constant(of):
        weights = np.full((16, 2), of, "float32")
        return build(lambda x: layers.Dense(2)(ops.matmul(x, weights)))

    same = digest_of(with_constant(value)) == digest_of(with_constant(0.5))
    assert same == (value == 0.5)


def test_names_seeds_first_weights_and_types_do_not_matter():
    first = digest_of(build(network()))
    assert digest_of(build(network(), name="another")) == first
    assert digest_of(build(network(name="mine", dtype="mixed_bfloat16"))) == first
    assert digest_of(build(network(kernel_initializer="he_normal"))) == first
    inner = build(network())
    around = [
        build(lambda x, inner=each: inner(ops.reshape(x, (-1, 4, 4, 1))))
        for each in (inner, build(network(), name="again"))
    ]
    assert digest_of(around[0]) == digest_of(around[1]) != first
    assert digest_of(build(lambda x: layers.Dense(2)(layers.Dropout(0.5)(x)))) == digest_of(
        build(lambda x: layers.Dense(2)(layers.Dropout(0.5, seed=3)(x)))
    )


def test_a_lambda_counts_by_what_it_closes_over_and_a_layer_without_description_not_at_all():
    def with_lambda(factor):
        return build(lambda x: layers.Dense(2)(layers.Lambda(lambda t: t * factor)(x)))

    assert digest_of(with_lambda(1.0)) == digest_of(with_lambda(1.0)) != digest_of(with_lambda(2.0))

    class Own(layers.Layer):
        def __init__(self, what):
            super().__init__()

        def call(self, x):
            return x

    assert digest_of(build(lambda x: layers.Dense(2)(Own(object())(x)))) == ""


@pytest.mark.parametrize("kind", [models.CnnModel, zoo.ResNetModel, zoo.MobileNetModel])
def test_models_of_the_package_are_the_same_in_any_precision(kind):
    digests = set()
    policy = keras.config.dtype_policy()
    try:
        for name in ("float32", "bfloat16"):
            keras.config.set_dtype_policy(precision.POLICIES[name])
            digests.add(digest_of(kind().build(28, 1, 5)))
    finally:
        keras.config.set_dtype_policy(policy)
    assert len(digests) == 1 and "" not in digests


# Answers


class Scaled(layers.Layer):
    factor = 2.0

    def call(self, x):
        return x * self.factor


class Noisy(layers.Layer):
    def call(self, x):
        return x + keras.random.normal(ops.shape(x))


def scaled(x):
    x = layers.BatchNormalization()(layers.Dense(3, "relu")(Scaled()(x)))
    return layers.Dense(2)(layers.Dropout(0.5)(x))


def test_answers_are_those_of_the_code_whatever_the_weights_are(monkeypatch):
    before = answers_of(build(scaled))
    assert len(before) == 2 and all(before)
    np.testing.assert_allclose(answers_of(build(scaled)), before, rtol=1e-6)
    monkeypatch.setattr(Scaled, "factor", 3.0)
    assert np.abs(np.subtract(answers_of(build(scaled)), before)).max() > 0.1 * np.abs(before).max()


def test_only_what_answers_the_same_twice_by_somebodys_own_code_has_answers():
    assert answers_of(build(network())) == []
    assert answers_of(build(lambda x: layers.Dense(2)(Noisy()(x)))) == []
    assert answers_of(build(lambda x: layers.Dense(2)(Scaled()(x) / 0.0))) == []
    assert answers_of(zoo.ResNetModel().build(12, 1, 3)) == []
