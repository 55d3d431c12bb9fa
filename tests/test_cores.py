"""Each core takes a share of a batch, where that is as good as all of it on all cores."""

from __future__ import annotations

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from quickdraw import cores
from quickdraw.models import CnnModel, MlpModel
from quickdraw.training import Settings, fit

NUMBER = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Centred(layers.Layer):
    """Looks at the whole batch."""

    def call(self, inputs):
        return inputs - ops.mean(inputs, axis=0, keepdims=True)


def network_of(*inner: layers.Layer) -> keras.Model:
    images = keras.Input((28, 28, 1))
    x = layers.Flatten()(images)
    for layer in inner:
        x = layer(x)
    return keras.Model(images, layers.Dense(3)(x))


@pytest.mark.parametrize("model", [CnnModel(dropout=0.2), MlpModel()])
def test_convolutions_and_dropout_go_by_the_drawing(model):
    assert cores.goes_by_drawing(model.build(28, 1, 10))


@pytest.mark.parametrize(
    ("inner", "goes"),
    [
        (layers.LayerNormalization(), True),
        (keras.Sequential([layers.Dense(4, activation="relu")]), True),
        (layers.BatchNormalization(), False),
        (keras.Sequential([layers.Dense(4), layers.BatchNormalization()]), False),
        (Centred(), False),
        (layers.Lambda(lambda x: x - ops.mean(x, axis=0, keepdims=True)), False),
        (layers.Dense(4, activation=lambda x: ops.softmax(x, axis=0)), False),
        (layers.Dense(4, activity_regularizer="l2"), False),
        (layers.SpectralNormalization(layers.Dense(4)), False),
    ],
)
def test_what_may_look_at_the_whole_batch_gets_it(inner, goes):
    assert cores.goes_by_drawing(network_of(inner)) is goes


def test_operations_beside_layers_may_look_at_the_whole_batch():
    images = keras.Input((28, 28, 1))
    x = layers.Flatten()(images)
    assert not cores.goes_by_drawing(keras.Model(images, layers.Dense(3)(ops.flip(x, axis=0))))


@pytest.mark.parametrize("size", [0, 1, 2, 17, 100])
@pytest.mark.parametrize("known", [True, False])
def test_shares_make_up_the_batch(size, known, monkeypatch):
    monkeypatch.setattr(cores, "shares", lambda: 3)
    batch = {"image": np.arange(2 * size).reshape(size, 2), "ink": np.arange(size)}
    sizes = []

    @tf.function
    def doubled(given):
        def function(share):
            sizes.append(share["ink"].shape[0])
            return {"sum": share["image"][:, 0] + share["ink"], "same": share["image"]}

        return cores.in_shares(function, given)

    specs = tf.nest.map_structure(
        lambda each: tf.TensorSpec((size if known else None, *each.shape[1:]), each.dtype), batch
    )
    found = doubled.get_concrete_function(specs)(tf.nest.map_structure(tf.constant, batch))
    np.testing.assert_array_equal(found["sum"], batch["image"][:, 0] + batch["ink"])
    np.testing.assert_array_equal(found["same"], batch["image"])
    assert len(sizes) == (3 if size == 100 or not known else 1)  # none of too few drawings


@pytest.mark.parametrize("augment", ["", "flip=True, shift=1.0, mixup=0.2"])
def test_shares_train_as_the_whole_batch_does(augment, tiny_data, tmp_path, monkeypatch):
    def trained(shares: int) -> np.ndarray:
        monkeypatch.setattr(cores, "shares", lambda: shares)
        settings = Settings(
            train_data_pattern=tiny_data.train,
            eval_data_pattern=tiny_data.valid,
            train_dir=str(tmp_path / str(shares)),
            model="CnnModel",
            model_params="filters=(4, 8), dense_units=8",
            augment=augment,
            batch_size=48,
            max_steps=10,
        )
        images = np.random.default_rng(0).integers(0, 256, (50, 12, 12, 1), np.uint8)
        return fit(settings).probabilities(images)

    np.testing.assert_allclose(trained(3), trained(1), atol=1e-4)


MODELS = """
import os
import tensorflow as tf
from keras import layers
from quickdraw.models import BaseModel

STARTS = tf.constant(1.0)
CLASSIFIER = layers.Dense(2)  # a forked process builds it; here it must stay unbuilt
KEPT = []

class OwnModel(BaseModel):
    def create_model(self, images, num_classes):
        print("builds")
        KEPT.append(tf.constant(1.0))
        return layers.Dense(num_classes)(CLASSIFIER(layers.Flatten()(images)))

class FailingModel(BaseModel):
    def create_model(self, images, num_classes):
        raise SystemExit(0)

class EndlessModel(BaseModel):
    def create_model(self, images, num_classes):
        while True:
            pass
"""
ASK = """
import sys
from quickdraw import cli, cores

def may_share():
    from quickdraw.training import Settings, early_look
    early_look._SECONDS_TO_BUILD = 2
    settings = Settings(model=sys.argv[1], xla="xla" in sys.argv)
    return early_look.goes_by_drawing(settings)

cli.load_tensorflow(may_share)
own = sys.modules.get("own")
print(cores.shares() > 1, bool(own) and (own.KEPT or own.CLASSIFIER.built))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.skipif(NUMBER < 2, reason="this machine has one core")
@pytest.mark.parametrize(
    ("arguments", "shares"),
    [
        (["CnnModel"], True),
        (["CnnModel", "xla"], False),
        (["ResNetModel"], False),
        (["CnModel"], False),
        (["own.OwnModel"], True),
        (["own.FailingModel"], False),
        (["own.EndlessModel"], False),
    ],
)
def test_a_command_knows_before_tensorflow_starts(arguments, shares, tmp_path):
    (tmp_path / "own.py").write_text(MODELS)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ASK, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{shares} False\n"


COUNT = "from quickdraw import cli, cores; cli.load_tensorflow({}); print(cores.shares())"


@pytest.mark.parametrize(
    ("argument", "variable", "shares"),
    [("", {}, NUMBER), ("lambda: False", {}, 1), ("", {"TF_NUM_INTRAOP_THREADS": "2"}, 1)],
)
def test_a_process_has_a_share_for_each_core_unless_somebody_chose(argument, variable, shares):
    done = subprocess.run(
        [sys.executable, "-c", COUNT.format(argument)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", **variable},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{shares}\n"
