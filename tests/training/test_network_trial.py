"""Networks that beginners make: what is wrong is told when a training begins, with its place."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from quickdraw import models
from quickdraw.components.lookup import find
from quickdraw.errors import QuickdrawError
from quickdraw.models import BaseModel
from quickdraw.training.network_trial import check_network, warn_of_single_drawings


def model_of(function) -> BaseModel:
    """A model that builds what a function does."""
    return type("Mine", (BaseModel,), {"create_model": function})()


def flat(images, **settings):
    return layers.Dense(3, **settings)(layers.Flatten()(images))


BAD_NETWORKS = {
    "frozen": (lambda self, x, n: flat(x, trainable=False), "nothing to train"),
    "no weights": (lambda self, x, n: layers.Flatten()(x)[:, :n], "nothing to train"),
    "float16": (lambda self, x, n: flat(x, dtype="float16"), "half precision.*/kernel"),
    "channels first": (
        lambda self, x, n: flat(
            layers.Conv2D(2, 3, data_format="channels_first", padding="same")(x)
        ),
        "channels_first, which can be trained on a GPU only",
    ),
}


@pytest.mark.parametrize("fault", BAD_NETWORKS)
def test_a_network_that_cannot_be_trained_is_told_with_its_place(fault):
    function, told = BAD_NETWORKS[fault]
    model = model_of(function)
    with pytest.raises(QuickdrawError, match=rf"{told}.*\(.*test_network_trial\.py, line \d+\)$"):
        check_network(model, model.build(12, 1, 3))


def test_layers_whose_output_nothing_uses_are_named(capfd):
    def forgetful(self, images, num_classes):
        x = layers.Conv2D(2, 3, name="first")(images)
        layers.Conv2D(2, 3, name="second")(x)
        return flat(images)

    model = model_of(forgetful)
    check_network(model, model.build(12, 1, 3))
    assert "layers whose output nothing uses: first, second." in capfd.readouterr().err
    check_network(models.CnnModel(), models.CnnModel().build(12, 1, 3))
    assert capfd.readouterr().err == ""


# In a training


def network_of(scale):
    """A model whose first layers are `scale`, and what it builds."""
    model = model_of(lambda self, images, num_classes: flat(scale(images)))
    return model, model.build(8, 1, 3)


@pytest.mark.parametrize(
    "scale",
    [
        layers.Rescaling(1 / 255),
        lambda images: images / 255,
        lambda images: images / 127.5 - 1,
        lambda images: (images - 127.5) / 127.5,
        lambda images: (1 / 255) * images,
        lambda images: images - np.full(1, 103.9, "float32"),
        lambda images: keras.applications.resnet.preprocess_input(
            layers.Concatenate()(3 * [images])
        ),
        lambda images: layers.Reshape((8, 8))(images) / 255.0,
        keras.Sequential([layers.Rescaling(1 / 255), layers.Conv2D(4, 3)]),
    ],
)
def test_images_that_are_divided_again_are_told(scale, capfd):
    check_network(*network_of(scale))
    assert "scales the images as if they were 0 to 255" in capfd.readouterr().err


@pytest.mark.parametrize(
    "scale",
    [
        layers.Rescaling(2, -1),
        lambda images: images / 0.3,
        lambda images: 2 * images - 1,
        lambda images: layers.Conv2D(4, 3)(images) / 255,
        lambda images: images + 0.001,
        lambda images: (images - 0.5) / 0.5,
        lambda images: (images + layers.Conv2D(1, 3, padding="same")(images)) / 255,
    ],
)
def test_other_scales_are_as_they_are(scale, capfd):
    check_network(*network_of(scale))
    assert "scales" not in capfd.readouterr().err


# Training and prediction


def normalised(momentum):
    return lambda self, x, n: flat(layers.BatchNormalization(momentum=momentum, name="norm")(x))


def test_statistics_that_never_change_are_refused():
    model = model_of(normalised(1.0))
    with pytest.raises(QuickdrawError, match=r"norm with momentum=1, so that .*\.py, line \d+\)$"):
        check_network(model, model.build(12, 1, 3))


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (normalised(0.1), "norm with momentum=0.1, and predictions depend on its last few batches"),
        (normalised(0.5), ""),
        (
            lambda self, x, n: flat(layers.Dropout(0.5, name="drop")(x, training=True)),
            "calls drop with training=True, which Keras passes over in prediction",
        ),
        (lambda self, x, n: flat(layers.Dropout(0.5)(x)), ""),
    ],
)
def test_layers_that_would_not_be_what_was_meant_are_told(function, told, capfd):
    model = model_of(function)
    check_network(model, model.build(12, 1, 3))
    warnings = capfd.readouterr().err
    assert told in warnings if told else warnings == ""


# Answers


def centred(self, images, num_classes):
    x = layers.Flatten()(images)
    return layers.Dense(num_classes)(x - keras.ops.mean(x, axis=0, keepdims=True))


def ranked(self, images, num_classes):
    return keras.ops.softmax(flat(images), axis=0)


class Noise(layers.Layer):
    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x))


def noisy(self, images, num_classes):
    return flat(Noise()(images))


def augmented(self, images, num_classes):
    return flat(layers.GaussianNoise(0.5)(layers.RandomRotation(0.2)(images)))


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (centred, "centred answers otherwise where other drawings are in the batch"),
        (ranked, "ranked answers otherwise where other drawings are in the batch"),
        (noisy, "noisy answers at random, when it predicts, too"),
        (augmented, ""),
        (lambda self, images, n: layers.BatchNormalization()(flat(images)), ""),
    ],
)
def test_an_answer_goes_by_the_drawing_alone(function, told, capfd):
    model = model_of(function)
    check_network(model, model.build(12, 1, 3))
    warnings = capfd.readouterr().err
    assert told in warnings if told else warnings == ""


@pytest.mark.parametrize("zoo_model", ["CnnModel", "ResNetModel", "FusionModel", "StrokeRnnModel"])
def test_models_of_the_package_answer_for_each_drawing(zoo_model, capfd):
    model = find(zoo_model, BaseModel)()
    check_network(model, model.build(28, 1, 3))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("drawings", "told"), [(1, True), (2, False)])
def test_batch_normalization_of_single_drawings_is_told(drawings, told, capfd):
    network = model_of(lambda self, x, n: layers.BatchNormalization()(flat(x))).build(12, 1, 3)
    warn_of_single_drawings(network, drawings)
    assert ("with one drawing a step" in capfd.readouterr().err) == told


@pytest.mark.parametrize("dtype", ["int32", "bool", "uint8"])
def test_logits_are_floats(dtype):
    model = model_of(lambda self, x, n: keras.ops.cast(flat(x), dtype))
    with pytest.raises(QuickdrawError, match=f"logits of a float dtype. Received: {dtype}"):
        model.build(12, 1, 3)
