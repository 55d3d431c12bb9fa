"""Networks that beginners make: what is wrong is told when a training begins, with its place."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from quickdraw import models
from quickdraw.errors import QuickdrawError
from quickdraw.models import BaseModel
from quickdraw.training.network_trial import check_network


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
        lambda images: (1 / 255) * images,
        lambda images: layers.Reshape((8, 8))(images) / 255.0,
        keras.Sequential([layers.Rescaling(1 / 255), layers.Conv2D(4, 3)]),
    ],
)
def test_images_that_are_divided_again_are_told(scale, capfd):
    check_network(*network_of(scale))
    assert "divides the images as if they were 0 to 255" in capfd.readouterr().err


@pytest.mark.parametrize(
    "scale",
    [
        layers.Rescaling(2, -1),
        lambda images: images / 0.3,
        lambda images: 2 * images - 1,
        lambda images: layers.Conv2D(4, 3)(images) / 255,
        lambda images: images + 0.001,
    ],
)
def test_other_scales_are_as_they_are(scale, capfd):
    check_network(*network_of(scale))
    assert "divides" not in capfd.readouterr().err
