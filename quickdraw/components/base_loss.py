"""What every loss shares."""

from __future__ import annotations

from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers

from quickdraw.components.component import Component
from quickdraw.errors import QuickdrawError


class BaseLoss(Component):
    """What every loss shares. A subclass writes `calculate_loss` and names its parameters.

    Attributes:
        needs_features: training calls `calculate_loss(logits, labels, features=...)`: float32
            `[batch, num_features]`, what goes into the model's last layer, a Dense.
        needs_teacher: training calls `calculate_loss(logits, labels, teacher_logits=...)`, float32
            `[batch, num_classes]`, with the logits of `--teacher_dir`.
    """

    homes: ClassVar[tuple[str, ...]] = ("quickdraw.losses", "quickdraw.zoo")
    needs_features: ClassVar[bool] = False
    needs_teacher: ClassVar[bool] = False

    def calculate_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Return the loss of each example. An evaluation has logits and labels, nothing else.

        Args:
            logits: float32 tensor `[batch, num_classes]`.
            labels: int32 tensor `[batch]`, 0 … num_classes - 1.

        Returns:
            A float tensor `[batch]`.
        """
        raise QuickdrawError(f"{type(self).__name__} must define calculate_loss(logits, labels)")

    def classifier(self, features: keras.KerasTensor, num_classes: int) -> keras.KerasTensor | None:
        """Make logits from features with Keras layers, in place of the model's own last layer.

        Args:
            features: float Keras tensor `[batch, num_features]`, the input of the model's last
                layer.
            num_classes: how many classes there are.

        Returns:
            A float Keras tensor `[batch, num_classes]`, or None to leave the model as it is.
        """
        return None

    def build(self, classifier: layers.Dense) -> list[tf.Variable]:
        """Prepare the loss: called once before a training, if `needs_features`.

        Args:
            classifier: the model's last layer, with its kernel `[num_features, num_classes]`.

        Returns:
            The variables of this loss, which checkpoints keep.
        """
        return []

    @property
    def needs_dense(self) -> bool:
        """Whether the model's last layer must be a Dense."""
        return self.needs_features or type(self).classifier is not BaseLoss.classifier

    def attach(self, model: keras.Model) -> keras.Model:
        """Return the model with this loss' classifier, where it has one.

        Raises:
            QuickdrawError: the model's last layer is not a Dense, and the loss needs that.
        """
        if not self.needs_dense:
            return model
        last = self.last_dense(model)
        logits = self.classifier(last.input, last.units)
        return model if logits is None else keras.Model(model.input, logits)

    def last_dense(self, model: keras.Model) -> layers.Dense:
        """Return the layer that makes the logits; its input is the features.

        Raises:
            QuickdrawError: it is not a Dense.
        """
        last = model.layers[-1]
        if not isinstance(last, layers.Dense):
            raise QuickdrawError(
                f"{type(self).__name__} needs the features before the classifier: a model whose "
                f"last layer is a Dense expected. Received: {type(last).__name__}"
            )
        return last


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return -log p of each example's label, p being the softmax of its logits.

    Args:
        logits: float tensor `[batch, num_classes]`.
        labels: integer tensor `[batch]`.

    Returns:
        A tensor `[batch]` of the logits' dtype.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
