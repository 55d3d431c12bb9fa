"""Losses for students to read, to edit and to add to: logits and labels in, a loss per example out.

A class that is written below, or in a module of your own, is found by its name:

    class MyLoss(BaseLoss):                   # --label_loss=MyLoss
        power: float = 2.0                    # --loss_params="power=3"

        def calculate_loss(self, logits, labels):
            return cross_entropy(logits, labels) ** self.power

`--label_loss=my_losses.MyLoss` finds one in `my_losses.py` of the current folder. More losses are
in `quickdraw/zoo`; what a loss may ask for beside logits and labels, `BaseLoss` says.
"""

from __future__ import annotations

import tensorflow as tf

from quickdraw.components.base_loss import BaseLoss, cross_entropy
from quickdraw.fields import field

__all__ = ["BaseLoss", "CrossEntropyLoss", "FocalLoss", "SoftMarginLoss", "cross_entropy"]


class CrossEntropyLoss(BaseLoss):
    """Softmax cross-entropy.

    Attributes:
        label_smoothing: the share of the target spread over all classes (Szegedy et al. 2016,
            "Rethinking the Inception Architecture for Computer Vision", section 7); 0 is the plain
            loss.
    """

    label_smoothing: float = field(0.1, low=0, high=0.99)

    def calculate_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        classes = tf.shape(logits)[-1]
        spread = self.label_smoothing / tf.cast(classes, logits.dtype)
        targets = tf.one_hot(labels, classes, 1 - self.label_smoothing + spread, spread)
        return tf.nn.softmax_cross_entropy_with_logits(targets, logits)


class FocalLoss(BaseLoss):
    """-(1 - p)^gamma log p: what is recognised already counts less.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", section 3.2.

    Attributes:
        gamma: how much less; 0 is cross-entropy.
    """

    gamma: float = field(2.0, low=0)

    def calculate_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        loss = cross_entropy(logits, labels)
        # The power has no finite gradient at 0.
        missing = tf.maximum(-tf.math.expm1(-loss), 1e-7)  # 1 - p
        return missing**self.gamma * loss


class SoftMarginLoss(BaseLoss):
    """Each class against the rest: the mean over all classes of log(1 + exp(-y z)).

    y is 1 for the class' own examples and -1 for others'. The logistic form of the hinge loss.

    Source: Hastie, Tibshirani & Friedman 2009, "The Elements of Statistical Learning", section
    12.3.2.
    """

    def calculate_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        targets = tf.one_hot(labels, tf.shape(logits)[-1])
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits), axis=-1)
