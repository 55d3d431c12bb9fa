"""Losses of logits alone, or of the model's logits and a teacher's."""

from __future__ import annotations

import math

import tensorflow as tf

from quickdraw.losses.base import BaseLoss, cross_entropy


class CrossEntropyLoss(BaseLoss):
    """Softmax cross-entropy.

    Attributes:
        label_smoothing: the share of the target spread over all classes (Szegedy et al. 2016,
            "Rethinking the Inception Architecture for Computer Vision", section 7); 0 is the plain
            loss.
    """

    label_smoothing: float = 0.1

    def __post_init__(self):
        self._check_range("label_smoothing", 0, 0.99)

    def calculate_loss(self, logits, labels):
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

    gamma: float = 2.0

    def __post_init__(self):
        self._check_range("gamma", 0)

    def calculate_loss(self, logits, labels):
        loss = cross_entropy(logits, labels)
        # The power has no finite gradient at 0.
        missing = tf.maximum(-tf.math.expm1(-loss), 1e-7)  # 1 - p
        return missing**self.gamma * loss


class SoftMarginLoss(BaseLoss):
    """log(1 + exp(-y z)), the mean over all classes: each against the rest, y = 1 for its own
    examples and -1 for others'. The logistic form of the hinge loss.

    Source: Hastie, Tibshirani & Friedman 2009, "The Elements of Statistical Learning", section
    12.3.2.
    """

    def calculate_loss(self, logits, labels):
        targets = tf.one_hot(labels, tf.shape(logits)[-1])
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits), axis=-1)


class SymmetricCrossEntropyLoss(BaseLoss):
    """alpha times cross-entropy and beta times reverse cross-entropy: for labels with mistakes.

    Source: Wang et al. 2019, "Symmetric Cross Entropy for Robust Learning with Noisy Labels",
    section 4.

    Attributes:
        alpha: weight of the cross-entropy (the paper: 0.1 for CIFAR-10, 6 for CIFAR-100).
        beta: weight of the reverse cross-entropy (the paper: 1 and 0.1).
        log_zero: stands for the logarithm of a label's 0 (A in the paper).
    """

    alpha: float = 0.1
    beta: float = 1.0
    log_zero: float = -4.0

    def __post_init__(self):
        self._check_range("alpha", 0)
        self._check_range("beta", 0)
        self._check_range("log_zero", -math.inf, 0)

    def calculate_loss(self, logits, labels):
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

    beta: float = 0.95
    hard: bool = False

    def __post_init__(self):
        self._check_range("beta", 0, 1)

    def calculate_loss(self, logits, labels):
        if self.hard:
            own = cross_entropy(logits, tf.argmax(logits, axis=1))
        else:
            own = tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(logits), logits)
        return self.beta * cross_entropy(logits, labels) + (1 - self.beta) * own


class DistillationLoss(CrossEntropyLoss):
    """Learns the softened answers of the runs in `--teacher_dir`, and the labels.

    Source: Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", section 2.

    Attributes:
        temperature: divides the logits of both (T in the paper).
        share: of the teacher in the loss; the rest is cross-entropy with the labels.
    """

    needs_teacher = True
    temperature: float = 4.0
    share: float = 0.9

    def __post_init__(self):
        super().__post_init__()
        self._check_range("temperature", 1e-6)
        self._check_range("share", 0, 1)

    def calculate_loss(self, logits, labels, teacher_logits=None):
        loss = super().calculate_loss(logits, labels)
        if teacher_logits is None:
            return loss
        targets = tf.nn.softmax(teacher_logits / self.temperature)
        soft = tf.nn.softmax_cross_entropy_with_logits(targets, logits / self.temperature)
        # T² keeps the size of the gradients when T changes.
        return (1 - self.share) * loss + self.share * self.temperature**2 * soft
