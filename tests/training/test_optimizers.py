"""Optimizers by any name, with their parameters; Muon, for kernels of convolutions too."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest

from quickdraw import train
from quickdraw.errors import QuickdrawError
from quickdraw.training import Settings, fit
from quickdraw.training.optimizers import Muon, complete, log_optimizer, make_optimizer
from quickdraw.training.settings import KERAS_OPTIMIZERS, TUNED


def made(replicas: int = 1, **settings) -> keras.Optimizer:
    return make_optimizer(complete(Settings(**settings)), replicas)


@pytest.mark.parametrize("name", [*TUNED, *KERAS_OPTIMIZERS])
def test_every_name_that_is_listed_lowers_a_loss(name):
    optimizer, weight = made(optimizer=name, base_learning_rate=0.1), keras.Variable([3.0, -2.0])
    optimizer.build([weight])
    for _ in range(20):
        optimizer.apply([2 * weight.value])
    assert np.square(weight).sum() < 9 + 4


def test_every_class_of_keras_is_listed():
    """But those that wrap others."""
    classes = {
        name
        for name, each in vars(keras.optimizers).items()
        if isinstance(each, type) and issubclass(each, keras.optimizers.Optimizer)
    }
    wrappers = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer"}
    assert classes - wrappers == set(KERAS_OPTIMIZERS)


def test_a_tuned_name_and_the_class_of_keras_are_two_things():
    ours, theirs = made(optimizer="sgd"), made(optimizer="SGD")
    assert (ours.momentum, ours.nesterov) == (0.9, True)
    assert (theirs.momentum, theirs.nesterov) == (0.0, False)
    assert ours.learning_rate.numpy() == np.float32(0.1)
    assert theirs.learning_rate.numpy() == np.float32(0.01)


@pytest.mark.parametrize(
    "name", ["RMSprop", "rmsprop", "keras.optimizers.RMSprop", "tf.keras.optimizers.RMSprop"]
)
def test_momentum_and_other_parameters_reach_it(name):
    optimizer = made(optimizer=name, momentum=0.5, optimizer_params="rho=0.8, epsilon=1")
    assert isinstance(optimizer, keras.optimizers.RMSprop)
    assert (optimizer.momentum, optimizer.rho, optimizer.epsilon) == (0.5, 0.8, 1.0)
    assert made(momentum=0.8, optimizer="sgd").momentum == 0.8


@pytest.mark.parametrize(
    "params, expected",
    [
        ("", (None, None, 0.5)),
        ("clipvalue=3.0", (None, 1.5, None)),
        ("global_clipnorm=4.0", (None, None, 2.0)),
        ("global_clipnorm=None", (None, None, None)),
    ],
)
def test_gradients_are_clipped_as_asked_for(params, expected):
    optimizer = made(2, optimizer="Adagrad", optimizer_params=params)
    assert (optimizer.clipnorm, optimizer.clipvalue, optimizer.global_clipnorm) == expected


def test_the_weight_decay_is_that_of_the_flag_and_said(capfd):
    assert made(optimizer="AdamW").weight_decay is None
    log_optimizer(complete(Settings(optimizer="AdamW")))
    assert "optimizer AdamW: --base_learning_rate=0.001, --weight_decay=0, not 0.004" in (
        capfd.readouterr().err
    )
    assert made(optimizer="RMSprop", weight_decay=0.1).weight_decay == 0.1


class ScheduledOptimizer(keras.optimizers.SGD):
    def __init__(self):
        super().__init__(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9))


class FailingOptimizer(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        raise KeyError("my slot")


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"optimizer": "rmspro"}, "no optimizer 'rmspro'. Did you mean 'RMSprop'"),
        ({"optimizer": "keras.layers.Dense"}, "keras.layers.Dense does not extend Optimizer"),
        ({"optimizer": "keras.optimizers.Sgd"}, "no Optimizer named 'Sgd'. Did you mean 'SGD'"),
        ({"momentum": 0.5}, "AdamW has no parameter 'momentum'. Known: amsgrad, beta_1, beta_2,"),
        ({"optimizer_params": "bta_1=0.5"}, "Did you mean 'beta_1'"),
        ({"optimizer_params": "beta_1='a'"}, "AdamW.beta_1 must be of type float. Received: 'a'"),
        ({"optimizer_params": "beta_1=2"}, "AdamW.beta_1 must be from 0 to 0.999999. Received: 2"),
        ({"optimizer_params": "clipnorm=-1"}, "AdamW.clipnorm must be above 0. Received: -1"),
        ({"optimizer_params": "learning_rate=1.0"}, "learning_rate is the flag --base_learning_r"),
        ({"optimizer_params": "use_ema=True"}, "use_ema is the flag --ema_decay here"),
        ({"optimizer_params": "0.9"}, "parameters look like"),
        ({"optimizer": "lion", "optimizer_params": "beta_1=0.0"}, "Lion.__init__ failed: ValueErr"),
        (
            {"optimizer": "SGD", "optimizer_params": "momentum=2.0"},
            "SGD.momentum must be from 0 to",
        ),
        (
            {"optimizer": "sgd", "optimizer_params": "momentum=0.1", "momentum": 0.2},
            "momentum stan",
        ),
        ({"momentum": 1.5}, "--momentum must be from 0 to 1"),
        ({"ema_decay": 1.0}, "--ema_decay must be from 0 to 0.999999. Received: 1.0"),
        ({"seed": 2**32}, "--seed must be from 0 to 4294967295. Received: 4294967296"),
        ({"image_size": 2000}, "--image_size must be from 1 to 1024. Received: 2000"),
        ({"optimizer": f"{__name__}.ScheduledOptimizer"}, "--base_learning_rate is needed"),
        (
            {"optimizer": f"{__name__}.ScheduledOptimizer", "base_learning_rate": 0.1},
            "ScheduledOptimizer.__init__ failed: TypeError: .*LearningRateSchedule",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_in_a_line(settings, message):
    with pytest.raises(QuickdrawError, match=message) as error:
        made(**settings)
    assert "\n" not in str(error.value)


def test_a_mistake_in_a_students_own_is_told_before_there_is_a_run(tiny_data, tmp_path, capfd):
    flags = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}/run"]
    flags.append(f"--optimizer={__name__}.FailingOptimizer")
    assert train.main(["train", *flags]) == 1
    assert re.search(
        r"FailingOptimizer.update_step failed: KeyError: 'my slot' \(.*test_optimizers.py, line \d",
        capfd.readouterr().err,
    )
    assert not (tmp_path / "run/run.json").exists()


def test_what_is_kept_with_a_run():
    """Only what is not the default, so that runs from before there was such a flag go on."""
    kept = Settings(optimizer_params="beta_1=0.8").that_matter()
    assert kept["optimizer_params"] == {"beta_1": 0.8}
    assert kept == Settings(optimizer_params={"beta_1": 0.8}).that_matter()
    assert not Settings().that_matter().keys() & {"optimizer_params", "momentum"}


@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (9, 9), (3, 3, 2, 5), (1, 1, 8, 3), (5, 1)])
def test_the_update_is_that_of_keras(shape):
    gradient = np.random.default_rng(0).normal(size=shape).astype("float32")
    ours = Muon().zeropower_via_newtonschulz5(keras.ops.convert_to_tensor(gradient), 5)
    matrix = keras.ops.convert_to_tensor(gradient.reshape(-1, shape[-1]))
    expected = keras.optimizers.Muon().zeropower_via_newtonschulz5(matrix, 5)
    assert ours.shape == shape
    np.testing.assert_allclose(np.reshape(ours, matrix.shape), expected, atol=1e-5)


def test_a_gradient_of_zeros_changes_nothing():
    zeros = keras.ops.zeros((4, 3))
    np.testing.assert_array_equal(Muon().zeropower_via_newtonschulz5(zeros, 5), zeros)


def test_what_it_makes_is_nearly_orthogonal():
    gradient = np.random.default_rng(0).normal(size=(3, 3, 16, 8)).astype("float32")
    made = np.reshape(Muon().zeropower_via_newtonschulz5(gradient, 5), (-1, 8))
    singular = np.linalg.svd(made, compute_uv=False)
    assert singular.min() > 0.6
    assert singular.max() < 1.3


def test_code_of_ones_own_that_has_changed_is_told(tiny_data, tmp_path, monkeypatch):
    values = {"train_data_pattern": tiny_data.train, "train_dir": str(tmp_path / "run")}
    how = {"optimizer": f"{__name__}.SlowOptimizer", "max_steps": 2}
    fit(Settings(**values, **how))
    fit(Settings(**values, **how))

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, gradient * learning_rate / 3)

    monkeypatch.setattr(SlowOptimizer, "update_step", update_step)
    with pytest.raises(QuickdrawError, match="optimizer_code .*SlowOptimizer.update_step"):
        fit(Settings(**values, **how))


class SlowOptimizer(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, gradient * learning_rate / 2)
