"""Losses, by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from quickdraw import losses
from quickdraw.components import create
from quickdraw.errors import QuickdrawError
from quickdraw.training import Settings, fit

# Softmax of these: 1/2, 1/4, 1/4 and 1/10, 1/10, 8/10.
LOGITS = tf.constant(np.log([[2.0, 1.0, 1.0], [1.0, 1.0, 8.0]]), tf.float32)


def loss_of(labels: list[int], **params: float) -> np.ndarray:
    loss = create(losses.CrossEntropyLoss, params)
    return loss.calculate_loss(LOGITS, tf.constant(labels, tf.int32)).numpy()


@pytest.mark.parametrize(("labels", "probabilities"), [([0, 2], [0.5, 0.8]), ([1, 0], [0.25, 0.1])])
def test_cross_entropy_is_the_logarithm_of_the_labels_probability(labels, probabilities):
    np.testing.assert_allclose(loss_of(labels), -np.log(probabilities), rtol=1e-6)


def test_label_smoothing_spreads_its_share_over_all_classes():
    # Of 0.3 each of the three classes gets 0.1: the targets are 0.8, 0.1, 0.1.
    expected = [
        -(0.8 * math.log(0.5) + 0.1 * math.log(0.25) + 0.1 * math.log(0.25)),
        -(0.1 * math.log(0.1) + 0.1 * math.log(0.1) + 0.8 * math.log(0.8)),
    ]
    np.testing.assert_allclose(loss_of([0, 2], label_smoothing=0.3), expected, rtol=1e-6)


def test_large_logits_do_not_overflow():
    logits = tf.constant([[1000.0, 0.0], [-1000.0, 0.0]])
    loss = losses.CrossEntropyLoss().calculate_loss(logits, tf.constant([0, 0]))
    np.testing.assert_allclose(loss, [0, 1000])


@pytest.mark.parametrize("share", [-0.1, 1.0, 1.5, math.nan])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(QuickdrawError, match=r"label_smoothing must be .*Received: "):
        loss_of([0, 0], label_smoothing=share)


def settings_with(loss: losses.BaseLoss | str, params: str, tiny_data, tmp_path) -> Settings:
    return Settings(
        train_data_pattern=tiny_data.train,
        train_dir=str(tmp_path / "run"),
        label_loss=loss,
        loss_params=params,
        max_steps=2,
    )


def test_a_mistake_in_a_parameter_is_one_line_when_training(tiny_data, tmp_path):
    with pytest.raises(QuickdrawError, match="label_smoothing must be") as caught:
        fit(settings_with("CrossEntropyLoss", "label_smoothing=1.5", tiny_data, tmp_path))
    assert len(str(caught.value).splitlines()) == 1


OWN = """
import tensorflow as tf
from quickdraw.losses import BaseLoss

class Empty(BaseLoss):
    pass

class Mean(BaseLoss):
    def calculate_loss(self, logits, labels):
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
"""


@pytest.fixture
def own_losses(tmp_path, monkeypatch):
    """A module `own_losses` that a student wrote."""
    (tmp_path / "own_losses.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_loss_without_calculate_loss_is_told_in_one_line(tiny_data, tmp_path, own_losses):
    with pytest.raises(QuickdrawError, match="Empty must define calculate_loss") as caught:
        fit(settings_with("own_losses.Empty", "", tiny_data, tmp_path))
    assert len(str(caught.value).splitlines()) == 1


def test_a_loss_must_give_a_value_for_each_example(tiny_data, tmp_path, own_losses):
    with pytest.raises(QuickdrawError, match="Mean"):
        fit(settings_with("own_losses.Mean", "", tiny_data, tmp_path))
