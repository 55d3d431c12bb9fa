"""The step on a GPU: nothing that it works on goes to the host, but its sums after a call."""

from __future__ import annotations

import pytest
import tensorflow as tf
from placing import from_device_to_host, knows_gpus
from tensorflow.python.framework import config

from quickdraw import devices
from quickdraw.training import Settings
from quickdraw.training.compiling import make_train_steps
from quickdraw.training.data import cache
from quickdraw.training.schedules import rising_rate
from quickdraw.training.setup import prepare

pytestmark = pytest.mark.skipif(not knows_gpus(), reason="this TensorFlow has no GPU kernels")

EVERYTHING = (
    "flip=True, never_flip=[0], shift=1, rotation=9, scale=0.1, shear=0.1, elastic=1, "
    "thickness=0.5, erasing=0.5, mixup=0.2, cutmix=1"
)


@pytest.fixture(autouse=True)
def _as_on_a_gpu():
    """Without determinism, which training on a GPU asks for only where it is told to."""
    was = config.is_op_determinism_enabled()
    config.disable_op_determinism()
    yield
    if was:
        config.enable_op_determinism()


def crossings(tiny_data, **changes):
    settings = Settings(**{"train_data_pattern": tiny_data.train, "batch_size": 8, **changes})
    setup = prepare(settings, devices.create("none"), cache.load)
    train_steps = make_train_steps(setup, lambda step: rising_rate(step, 9))
    arguments = train_steps._arguments(train_steps.feed.inputs(0, 1), 0, 1, False, 0.0)
    return from_device_to_host(train_steps._compiled.get_concrete_function(*arguments))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": "CnnModel", "augment": EVERYTHING, "ema_decay": 0.9, "class_weights": "balanced"},
        {"memory_budget": 0.05, "accumulate_steps": 2},
        {
            "precision": "float16",
            "label_loss": "CenterLoss",
            "model": "MlpModel",
            "model_params": "dropout=0",
        },
        {"precision": "bfloat16", "optimizer": "muon"},
    ],
    ids=["resident", "augmented", "streamed, in parts", "float16", "bfloat16, muon"],
)
def test_the_steps_tensors_stay_on_the_device(tiny_data, changes):
    assert crossings(tiny_data, **changes) == []


@pytest.mark.parametrize(
    ("function", "dtype", "op"),
    [
        (lambda each: tf.gather(each, [1, 0]), tf.uint8, "GatherV2"),
        (lambda each: tf.equal(each + 1, 3), tf.int32, None),
        (lambda each: tf.equal(tf.argmax(each, output_type=tf.int32), 3), tf.float32, "Equal"),
        (
            lambda each: tf.random.stateless_uniform([], [each[0], 1]),
            tf.int64,
            "StatelessRandomGetKeyCounter",
        ),
        (lambda each: tf.gather(each, [1, 0]), tf.int64, None),
    ],
)
def test_what_a_gpu_cannot_do_is_found(function, dtype, op):
    compiled = tf.function(function, autograph=False)
    found = from_device_to_host(compiled.get_concrete_function(tf.TensorSpec([4], dtype)))
    assert [line.split()[1] for line in found] == ([op] if op else [])
