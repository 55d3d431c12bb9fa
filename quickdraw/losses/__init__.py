"""Losses: logits and labels in, one value an example out. Students write theirs anywhere, and say
`--label_loss=module.Class`.

    class MyLoss(BaseLoss):
        def calculate_loss(self, logits, labels):
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)

A loss can ask for more than logits and labels; see `BaseLoss`, and features.py for examples.
"""

from quickdraw.losses.base import BaseLoss, cross_entropy
from quickdraw.losses.features import AMSoftmaxLoss, CenterLoss, LargeMarginSoftmaxLoss
from quickdraw.losses.logits import (
    BootstrappedLoss,
    CrossEntropyLoss,
    DistillationLoss,
    FocalLoss,
    SoftMarginLoss,
    SymmetricCrossEntropyLoss,
)

__all__ = [
    "AMSoftmaxLoss",
    "BaseLoss",
    "BootstrappedLoss",
    "CenterLoss",
    "CrossEntropyLoss",
    "DistillationLoss",
    "FocalLoss",
    "LargeMarginSoftmaxLoss",
    "SoftMarginLoss",
    "SymmetricCrossEntropyLoss",
    "cross_entropy",
]
