"""Losses for training labels with mistakes."""

from __future__ import annotations

import tensorflow as tf

from quickdraw.components.base_loss import BaseLoss, cross_entropy
from quickdraw.fields import field


class SymmetricCrossEntropyLoss(BaseLoss):
    """alpha times cross-entropy and beta times reverse cross-entropy: for labels with mistakes.

    Source: Wang et al. 2019, "Symmetric Cross Entropy for Robust Learning with Noisy Labels",
    section 4.

    Attributes:
        alpha: weight of the cross-entropy (the paper: 0.1 for CIFAR-10, 6 for CIFAR-100).
        beta: weight of the reverse cross-entropy (the paper: 1 and 0.1).
        log_zero: stands for the logarithm of a label's 0 (A in the paper).
    """

    alpha: float = field(0.1, low=0)
    beta: float = field(1.0, low=0)
    log_zero: float = field(-4.0, high=0)

    def calculate_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        loss = cross_entropy(logits, labels)
        reverse = self.log_zero * tf.math.expm1(-loss)  # -A (1 - p), and expm1(-loss) = p - 1
        return self.alpha * loss + self.beta * reverse


class BootstrappedLoss(BaseLoss):
    """Cross-entropy with targets that are in part the model's own answer: for labels with mistakes.

    Source: Reed et al. 2014, "Training Deep Neural Networks on Noisy Labels with Bootstrapping",
    section 3.

    Attributes:
        beta: the share of the label (the paper: 0.95 for soft, 0.8 for hard answers).
        hard: the answer is the likeliest class alone; otherwise all probabilities.
    """

    beta: float = field(0.95, low=0, high=1)
    hard: bool = False

    def calculate_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        if self.hard:
            own = cross_entropy(logits, tf.argmax(logits, axis=1))
        else:
            own = tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(logits), logits)
        return self.beta * cross_entropy(logits, labels) + (1 - self.beta) * own
