"""Losses: values by hand, gradients, parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from quickdraw import losses
from quickdraw.components.component import create
from quickdraw.components.lookup import find
from quickdraw.errors import QuickdrawError

# Softmax of these: 1/2, 1/4, 1/4 and 1/10, 1/10, 8/10.
LOGITS = tf.constant(np.log([[2.0, 1.0, 1.0], [1.0, 1.0, 8.0]]), tf.float32)
ALL = sorted(name for name in losses.__all__ if name.endswith("Loss") and name != "BaseLoss")


def make(name: str, **params) -> losses.BaseLoss:
    return create(find(name, losses.BaseLoss), params)


def loss_of(name: str, labels: list[int], logits: tf.Tensor = LOGITS, **params) -> np.ndarray:
    return make(name, **params).calculate_loss(logits, tf.constant(labels, tf.int32)).numpy()


def cross_entropy(*probabilities: float) -> list[float]:
    return [-math.log(probability) for probability in probabilities]


@pytest.mark.parametrize(
    ("name", "params", "labels", "expected"),
    [
        ("CrossEntropyLoss", {"label_smoothing": 0}, [0, 2], cross_entropy(0.5, 0.8)),
        ("CrossEntropyLoss", {"label_smoothing": 0}, [1, 0], cross_entropy(0.25, 0.1)),
        # Of 0.3 each of the three classes gets 0.1: the targets are 0.8, 0.1, 0.1.
        (
            "CrossEntropyLoss",
            {"label_smoothing": 0.3},
            [0, 2],
            [
                -(0.8 * math.log(0.5) + 0.1 * math.log(0.25) + 0.1 * math.log(0.25)),
                -(0.1 * math.log(0.1) + 0.1 * math.log(0.1) + 0.8 * math.log(0.8)),
            ],
        ),
        ("FocalLoss", {}, [0, 2], [-(0.5**2) * math.log(0.5), -(0.2**2) * math.log(0.8)]),
        ("FocalLoss", {"gamma": 0.0}, [0, 2], cross_entropy(0.5, 0.8)),
        # With logits log 2, 0, 0 the logistic function is 2/3, 1/2, 1/2.
        (
            "SoftMarginLoss",
            {},
            [0, 2],
            [
                -(math.log(2 / 3) + 2 * math.log(1 / 2)) / 3,
                -(math.log(8 / 9) + 2 * math.log(1 / 2)) / 3,
            ],
        ),
        ("AMSoftmaxLoss", {"margin": 0.0}, [0, 2], cross_entropy(0.5, 0.8)),
        # 4 * 0.25 taken from the label's logit divides its exponential by e.
        (
            "AMSoftmaxLoss",
            {"scale": 4.0, "margin": 0.25},
            [0, 2],
            cross_entropy((2 / math.e) / (2 / math.e + 2), (8 / math.e) / (8 / math.e + 2)),
        ),
        ("SymmetricCrossEntropyLoss", {"alpha": 1, "beta": 0}, [0, 2], cross_entropy(0.5, 0.8)),
        # With one class right the reverse part is -A (1 - p).
        (
            "SymmetricCrossEntropyLoss",
            {"alpha": 0, "beta": 2, "log_zero": -6},
            [0, 2],
            [2 * 6 * 0.5, 2 * 6 * 0.2],
        ),
        ("BootstrappedLoss", {"beta": 1.0}, [0, 2], cross_entropy(0.5, 0.8)),
        (
            "BootstrappedLoss",
            {"beta": 0.0},  # what is left is the entropy
            [0, 0],
            [1.5 * math.log(2), -0.2 * math.log(0.1) - 0.8 * math.log(0.8)],
        ),
        (
            "BootstrappedLoss",
            {"beta": 0.8, "hard": True},
            [1, 0],
            [
                -(0.8 * math.log(0.25) + 0.2 * math.log(0.5)),
                -(0.8 * math.log(0.1) + 0.2 * math.log(0.8)),
            ],
        ),
        ("CenterLoss", {}, [0, 2], cross_entropy(0.5, 0.8)),
        ("LargeMarginSoftmaxLoss", {}, [0, 2], cross_entropy(0.5, 0.8)),
        ("DistillationLoss", {"label_smoothing": 0}, [0, 2], cross_entropy(0.5, 0.8)),
    ],
)
def test_values_by_hand(name, params, labels, expected):
    np.testing.assert_allclose(loss_of(name, labels, **params), expected, rtol=1e-5)


def test_focal_loss_of_the_paper():
    """Section 3.2: with gamma = 2, p = 0.9 counts 100 times less, p ≈ 0.968 1000 times."""
    logits = tf.constant([[math.log(0.9), math.log(0.1)], [math.log(0.968), math.log(0.032)]])
    plain = loss_of("CrossEntropyLoss", [0, 0], logits, label_smoothing=0)
    ratio = plain / loss_of("FocalLoss", [0, 0], logits)
    assert ratio == pytest.approx([100, 1000], rel=0.03)


# Losses that see features


def dense(kernel) -> layers.Dense:
    """A classifier with these weights `[num_features, num_classes]`."""
    kernel = np.asarray(kernel, np.float32)
    layer = layers.Dense(kernel.shape[1], use_bias=False)
    layer.build((None, kernel.shape[0]))
    layer.set_weights([kernel])
    return layer


def test_centres_pull_features_and_follow_them():
    loss = make("CenterLoss", weight=0.1, centre_rate=0.5)
    (centres,) = loss.build(dense(np.zeros((2, 3))))
    features = tf.constant([[3.0, 4.0], [1.0, 0.0], [0.0, 2.0]])
    logits, labels = tf.zeros((3, 3)), tf.constant([0, 2, 2])
    values = loss.calculate_loss(logits, labels, features=features)
    # All centres begin at 0: half of 0.1 times 25, 1 and 4.
    np.testing.assert_allclose(values, math.log(3) + np.array([1.25, 0.05, 0.2]), rtol=1e-6)
    # Sums of the differences, over one more than there are examples, by half.
    np.testing.assert_allclose(centres, [[0.75, 1.0], [0, 0], [1 / 6, 2 / 6]], rtol=1e-6)


@pytest.mark.parametrize("margin", [1, 2, 3, 4])
def test_psi_falls_from_1_without_a_jump(margin):
    loss = make("LargeMarginSoftmaxLoss", margin=margin)
    angles = np.linspace(0, math.pi, 5001)
    values = loss.psi(tf.constant(np.cos(angles), tf.float32)).numpy()
    steps = np.diff(values)
    assert values[0] == pytest.approx(1) and values[-1] == pytest.approx(1 - 2 * margin)
    assert (steps < 1e-4).all() and (steps > -2 * margin * math.pi / 5000).all()
    first = angles < math.pi / margin
    np.testing.assert_allclose(values[first], np.cos(margin * angles[first]), atol=1e-5)
    assert (values <= np.cos(angles) + 1e-5).all()


@pytest.mark.parametrize("softness", [0.0, 3.0])
def test_large_margin_by_hand(softness):
    # Class 0 lies at 60° from the features: cos 60° = 1/2 becomes cos 120° = -1/2.
    loss = make("LargeMarginSoftmaxLoss", softness=softness, decay=1e9)
    classifier = dense([[3.0, 0.0], [0.0, 1.0]])
    (steps,) = loss.build(classifier)
    features = tf.constant([[1.0, math.sqrt(3)]])
    values = loss.calculate_loss(classifier(features), tf.constant([0]), features=features)
    own = (softness * 3 - 3) / (1 + softness)
    expected = -own + math.log(math.exp(own) + math.exp(math.sqrt(3)))
    assert values.numpy() == pytest.approx([expected], rel=1e-5)
    assert steps.numpy() == 1


def test_margin_1_is_softmax_and_the_margin_begins_softly():
    features = tf.random.stateless_normal((8, 5), (1, 2))
    classifier = dense(tf.random.stateless_normal((5, 3), (3, 4)))
    logits, labels = classifier(features), tf.constant([0, 1, 2, 0, 1, 2, 0, 1])
    expected = losses.cross_entropy(logits, labels)
    for params, tolerance in (({"margin": 1, "softness": 0.0, "decay": 1e9}, 1e-5), ({}, 0.02)):
        loss = make("LargeMarginSoftmaxLoss", **params)
        loss.build(classifier)
        values = loss.calculate_loss(logits, labels, features=features)
        np.testing.assert_allclose(values, expected, atol=tolerance)


def test_distillation_by_hand():
    loss = make("DistillationLoss", temperature=2.0, share=0.75, label_smoothing=0)
    teacher = tf.constant([[2 * math.log(3), 0.0]])  # softened: 3/4, 1/4
    logits = tf.constant([[2 * math.log(4), 0.0]])  # 16/17, 1/17; softened: 4/5, 1/5
    (value,) = loss.calculate_loss(logits, tf.constant([0]), teacher_logits=teacher).numpy()
    soft = -(0.75 * math.log(0.8) + 0.25 * math.log(0.2))
    assert value == pytest.approx(-0.25 * math.log(16 / 17) + 0.75 * 4 * soft)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [0.0, 1.0, 1e4])
def test_values_and_gradients_are_finite(name, size):
    """Whatever the logits, and where features are 0, and all the same."""
    loss = make(name)
    logits = tf.Variable(size * np.array([[1, -1, 1], [-1, 1, -1], [1, 0, 0], [0, 1, 1]], "f"))
    features = tf.Variable(size * np.array([[1, 1], [0, 0], [-1, 1], [1e-4, 0]], "f"))
    asked = {"teacher_logits": -logits} if loss.needs_teacher else {}
    if loss.needs_features:
        loss.build(dense([[1, 0, 2], [0, 1, 2]]))
        asked = {"features": features}
    with tf.GradientTape() as tape:
        values = loss.calculate_loss(logits, tf.constant([0, 1, 1, 2]), **asked)
    gradients = tape.gradient(values, [logits, features][: 1 + loss.needs_features])
    assert values.shape == (4,)
    for tensor in (values, *gradients):
        assert np.isfinite(tensor).all()


@pytest.mark.parametrize(
    ("name", "params"),
    [
        *(("CrossEntropyLoss", {"label_smoothing": share}) for share in (-0.1, 1.0, math.nan)),
        ("FocalLoss", {"gamma": -1.0}),
        ("CenterLoss", {"weight": -1.0}),
        ("CenterLoss", {"centre_rate": 2.0}),
        ("AMSoftmaxLoss", {"scale": 0.0}),
        ("AMSoftmaxLoss", {"margin": -0.1}),
        ("LargeMarginSoftmaxLoss", {"margin": 0}),
        ("LargeMarginSoftmaxLoss", {"softness": -1.0}),
        ("SymmetricCrossEntropyLoss", {"alpha": -1.0}),
        ("SymmetricCrossEntropyLoss", {"log_zero": 1.0}),
        ("BootstrappedLoss", {"beta": 1.1}),
        ("DistillationLoss", {"temperature": 0.0}),
        ("DistillationLoss", {"share": 1.5}),
    ],
)
def test_a_parameter_out_of_range_is_refused(name, params):
    with pytest.raises(QuickdrawError, match=rf"{next(iter(params))} must be .*Received: "):
        make(name, **params)
