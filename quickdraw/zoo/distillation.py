"""Learning from other runs."""

from __future__ import annotations

import tensorflow as tf

from quickdraw.fields import field
from quickdraw.losses import CrossEntropyLoss


class DistillationLoss(CrossEntropyLoss):
    """Learns the softened answers of the runs in `--teacher_dir`, and the labels.

    Source: Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", section 2.

    Attributes:
        temperature: divides the logits of both (T in the paper).
        share: of the teacher in the loss; the rest is cross-entropy with the labels.
    """

    needs_teacher = True
    temperature: float = field(4.0, above=0)
    share: float = field(0.9, low=0, high=1)

    def calculate_loss(
        self, logits: tf.Tensor, labels: tf.Tensor, teacher_logits: tf.Tensor | None = None
    ) -> tf.Tensor:
        loss = super().calculate_loss(logits, labels)
        if teacher_logits is None:
            return loss
        targets = tf.nn.softmax(teacher_logits / self.temperature)
        soft = tf.nn.softmax_cross_entropy_with_logits(targets, logits / self.temperature)
        # T² keeps the size of the gradients when T changes.
        return (1 - self.share) * loss + self.share * self.temperature**2 * soft
