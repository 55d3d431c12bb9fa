"""Losses: logits and labels in, one value an example out. Students add theirs here, or anywhere
as `--label_loss=module.Class`.

    class MyLoss(BaseLoss):
        def calculate_loss(self, logits, labels):
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from quickdraw.components import Component
from quickdraw.errors import QuickdrawError


class BaseLoss(Component):
    """What every loss shares. A subclass writes `calculate_loss` and names its parameters."""

    def calculate_loss(self, logits: Any, labels: Any) -> Any:
        """The loss of each example.

        Args:
            logits: float32 tensor `[batch, num_classes]`.
            labels: int32 tensor `[batch]`, 0 … num_classes - 1.

        Returns:
            A float32 tensor `[batch]`.
        """
        raise QuickdrawError(f"{type(self).__name__} must define calculate_loss(logits, labels)")


class CrossEntropyLoss(BaseLoss):
    """Softmax cross-entropy.

    Attributes:
        label_smoothing: the share of the target spread over all classes (Szegedy et al. 2016,
            "Rethinking the Inception Architecture for Computer Vision", section 7).
    """

    label_smoothing: float = 0.0

    def __post_init__(self):
        if not 0 <= self.label_smoothing < 1:
            raise QuickdrawError(
                f"label_smoothing must be at least 0 and below 1. Received: {self.label_smoothing}"
            )

    def calculate_loss(self, logits, labels):
        classes = tf.shape(logits)[-1]
        spread = self.label_smoothing / tf.cast(classes, logits.dtype)
        targets = tf.one_hot(labels, classes, 1 - self.label_smoothing + spread, spread)
        return tf.nn.softmax_cross_entropy_with_logits(targets, logits)
