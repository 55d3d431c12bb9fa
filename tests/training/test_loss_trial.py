"""Losses that beginners write: what is wrong is told when a training begins, with its place."""

from __future__ import annotations

import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from quickdraw import losses, zoo
from quickdraw.errors import QuickdrawError
from quickdraw.losses import BaseLoss, CrossEntropyLoss, cross_entropy
from quickdraw.training.loss_trial import check_loss


def loss_of(function, **attributes) -> BaseLoss:
    """A loss that calculates what a function does."""
    return type("Mine", (BaseLoss,), {"calculate_loss": function, **attributes})()


# Losses


BAD_LOSSES = {
    "a mean": (lambda self, z, y: tf.reduce_mean(cross_entropy(z, y)), "without a mean over them"),
    "a column": (lambda self, z, y: cross_entropy(z, y)[:, None], r"a batch of 6: \(6, 1\)"),
    "the wrong axis": (lambda self, z, y: tf.reduce_sum(z, axis=0), r"a batch of 6: \(3,\)"),
    "nothing": (lambda self, z, y: None, "Received for a batch of 6: None"),
    "a dictionary": (
        lambda self, z, y: {"loss": cross_entropy(z, y)},
        "Received for a batch of 6: a dict",
    ),
    "labels from 1": (
        lambda self, z, y: tf.gather(tf.nn.log_softmax(z), y + 1, batch_dims=1),
        "failed: InvalidArgumentError",
    ),
    "0 or 1": (
        lambda self, z, y: tf.cast(tf.argmax(z, 1, tf.int32) != y, tf.float32),
        "has no gradient",
    ),
    "signs": (lambda self, z, y: tf.reduce_sum(tf.sign(z), axis=1), "has no gradient"),
    "whole numbers": (lambda self, z, y: tf.cast(cross_entropy(z, y), tf.int32), "has no gradient"),
    "a count": (
        lambda self, z, y: cross_entropy(z, y) / (vars(self).setdefault("count", 0) + 1),
        "sets self.count: its Python runs once",
    ),
    "NumPy": (lambda self, z, y: np.log(z), "failed: NotImplementedError: Cannot convert a symb"),
    "a static batch": (lambda self, z, y: tf.ones(z.shape[0]) * z[:, 0], "failed: "),
    "the folder": (
        lambda self, z, y: (os.chdir("/"), cross_entropy(z, y))[1],
        "changes the current folder",
    ),
    "a batch of 128": (
        lambda self, z, y: tf.reduce_sum(z - tf.reshape(tf.one_hot(y, 3), (128, 3)), axis=1),
        "failed: InvalidArgumentError",
    ),
}


@pytest.mark.parametrize("fault", BAD_LOSSES)
def test_a_loss_that_no_training_can_use_is_told_with_its_place(fault):
    function, told = BAD_LOSSES[fault]
    with pytest.raises(QuickdrawError, match=rf"^.*{told}.*\(.*test_loss_trial\.py, line \d+\)$"):
        check_loss(loss_of(function), 3)


def test_the_wrong_axis_is_seen_whatever_the_number_of_classes():
    for classes in (2, 6, 7, 80):
        with pytest.raises(QuickdrawError, match=rf"Received for a batch of \d+: \({classes},\)"):
            check_loss(loss_of(lambda self, z, y: tf.reduce_sum(z, axis=0)), classes)


def test_a_single_class_leaves_nothing_to_learn_and_is_no_fault_of_the_loss():
    check_loss(CrossEntropyLoss(), 1)


def test_variables_of_a_loss_that_nothing_trains_are_named():
    weight = tf.Variable(1.0, name="my_weight")
    with pytest.raises(QuickdrawError, match=r"variables that no training changes.*my_weight"):
        check_loss(loss_of(lambda self, z, y: weight * cross_entropy(z, y)), 3)


@pytest.mark.parametrize(
    "loss",
    [
        CrossEntropyLoss(),
        zoo.CenterLoss(),
        zoo.DistillationLoss(),
        loss_of(lambda self, z, y: cross_entropy(tf.cast(z, tf.float64), y)),
        loss_of(lambda self, z, y: -tf.math.log(tf.gather(z, y, batch_dims=1))),  # of probabilities
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_good_losses_pass(loss):
    check_loss(loss, 3)


@pytest.mark.parametrize("num_classes", [2, 6, 10])
@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda self, z, y: -cross_entropy(z, y), "no smaller for right answers"),
        (lambda self, z, y: tf.gather(z, y, batch_dims=1), "is its sign the right way round?"),
        (
            lambda self, z, y: keras.losses.sparse_categorical_crossentropy(y, z),
            "logits are any numbers, not probabilities",
        ),
        (
            lambda self, z, y: keras.losses.kl_divergence(tf.one_hot(y, z.shape[1]), z),
            "logits are any numbers, not probabilities",
        ),
    ],
    ids=["negative", "the logit", "probabilities", "divergence"],
)
def test_a_loss_that_pulls_the_wrong_way_is_told(function, told, num_classes, capfd):
    check_loss(loss_of(function), num_classes)
    assert told in capfd.readouterr().err


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda self, z, y: cross_entropy(tf.nn.softmax(z), y), "without Softmax before"),
        (lambda self, z, y: cross_entropy(tf.cast(tf.nn.sigmoid(z), tf.float64), y), "Sigmoid"),
        (lambda self, z, y: cross_entropy(z, y) + tf.reduce_sum(tf.nn.softmax(z) ** 2, 1), None),
        (
            lambda self, z, y: keras.losses.sparse_categorical_crossentropy(y, tf.nn.softmax(z)),
            None,
        ),
    ],
)
def test_a_second_softmax_is_told(function, told, capfd):
    check_loss(loss_of(function), 10)
    err = capfd.readouterr().err
    assert told in err if told else "warning" not in err


def hinge_of_pairs(self, z, y):
    apart = tf.reduce_sum((z[:, None] - z[None]) ** 2, axis=2)
    same = tf.cast(y[:, None] == y[None], tf.float32)
    return tf.reduce_mean(same * apart + (1 - same) * tf.nn.relu(1 - apart), axis=1)


@pytest.mark.parametrize("num_classes", [2, 10, 345])
@pytest.mark.parametrize(
    "function",
    [
        lambda self, z, y: -tf.gather(tf.nn.log_softmax(z, axis=0), y, batch_dims=1),
        lambda self, z, y: tf.reduce_mean(
            (1 - tf.exp(-cross_entropy(z, y)))[:, None] ** 2 * cross_entropy(z, y), axis=1
        ),
        hinge_of_pairs,
    ],
    ids=["axis 0", "shapes", "pairs"],
)
def test_a_loss_that_depends_on_other_drawings_is_told(function, num_classes, capfd):
    check_loss(loss_of(function), num_classes)
    assert "depends on the other drawings of the batch" in capfd.readouterr().err


OURS = {
    name: kind
    for home in (losses, zoo)
    for name, kind in vars(home).items()
    if isinstance(kind, type) and issubclass(kind, BaseLoss) and kind is not BaseLoss
}


@pytest.mark.parametrize("name", OURS)
def test_our_own_losses_pull_the_right_way(name, capfd):
    check_loss(OURS[name](), 10)
    assert "warning" not in capfd.readouterr().err


# Networks
