"""Losses that look at the features before the classifier, or bring a classifier of their own."""

from __future__ import annotations

import math

import keras
import tensorflow as tf
from keras import layers

from quickdraw.components.base_loss import BaseLoss, cross_entropy
from quickdraw.fields import field


class CenterLoss(BaseLoss):
    """Cross-entropy, and half the squared distance of the features from their class' centre.

    Source: Wen et al. 2016, "A Discriminative Feature Learning Approach for Deep Face
    Recognition", section 3.2. Each device moves centres of its own.

    Attributes:
        weight: of the distance (lambda in the paper).
        centre_rate: how fast the centres follow the features (alpha in the paper).
    """

    needs_features = True
    weight: float = field(0.003, low=0)
    centre_rate: float = field(0.5, low=0, high=1)

    def build(self, classifier: layers.Dense) -> list[tf.Variable]:
        features, classes = classifier.kernel.shape
        self._centres = tf.Variable(tf.zeros((classes, features)), trainable=False)
        return [self._centres]

    def calculate_loss(
        self, logits: tf.Tensor, labels: tf.Tensor, features: tf.Tensor | None = None
    ) -> tf.Tensor:
        loss = cross_entropy(logits, labels)
        if features is None:
            return loss
        distances = features - tf.gather(self._centres, labels)
        self._move(tf.stop_gradient(distances), labels)
        return loss + self.weight / 2 * tf.reduce_sum(distances**2, axis=1)

    def _move(self, distances: tf.Tensor, labels: tf.Tensor) -> None:
        """Move centres towards the mean of their examples, less if they are few (equation 4)."""
        members = tf.one_hot(labels, self._centres.shape[0], axis=0)  # [classes, batch]
        counts = tf.reduce_sum(members, axis=1, keepdims=True)
        self._centres.assign_add(self.centre_rate * (members @ distances) / (1 + counts))


class AMSoftmaxLoss(BaseLoss):
    """Softmax of scale * cos(theta), with a margin that the label's cosine must keep.

    theta is the angle between features and a class' weights.
    Source: Wang et al. 2018, "Additive Margin Softmax for Face Verification", section 3.1.

    Attributes:
        scale: of the cosines (s in the paper).
        margin: is subtracted from the label's cosine (m in the paper).
    """

    scale: float = field(30.0, above=0)
    margin: float = field(0.35, low=0)

    def classifier(self, features: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
        # float32, since half precision has no room for scale * cos(theta).
        x = layers.UnitNormalization(dtype="float32")(features)
        unit = keras.constraints.UnitNorm(axis=0)
        x = layers.Dense(num_classes, use_bias=False, kernel_constraint=unit, dtype="float32")(x)
        return layers.Rescaling(self.scale, dtype="float32")(x)

    def calculate_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        margins = tf.one_hot(labels, tf.shape(logits)[-1], self.scale * self.margin, 0.0)
        return cross_entropy(logits - margins, labels)


class LargeMarginSoftmaxLoss(BaseLoss):
    """Softmax in which the label's logit |w| |x| cos(theta) is |w| |x| psi(theta): less, by angle.

    Source: Liu et al. 2016, "Large-Margin Softmax Loss for Convolutional Neural Networks",
    sections 3 and 4.

    Attributes:
        margin: by how much the angle is multiplied (m in the paper); 1 is softmax.
        softness: how much the logit without margin weighs beside the one with it (lambda in the
            paper): from the start so small, features would die; it falls to this from 1000.
        decay: how fast it falls: as 1000 / (1 + decay * step). Parts of a batch count as steps.
    """

    needs_features = True
    margin: int = field(2, low=1)
    softness: float = field(1.0, low=0)
    decay: float = field(0.1, low=0)

    def classifier(self, features: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
        return layers.Dense(num_classes, use_bias=False)(features)

    def build(self, classifier: layers.Dense) -> list[tf.Variable]:
        self._kernel = classifier.kernel
        self._steps = tf.Variable(0.0, trainable=False)
        return [self._steps]

    def calculate_loss(
        self, logits: tf.Tensor, labels: tf.Tensor, features: tf.Tensor | None = None
    ) -> tf.Tensor:
        if features is None:
            return cross_entropy(logits, labels)
        weights = tf.gather(tf.transpose(tf.convert_to_tensor(self._kernel)), labels)
        squares = tf.reduce_sum(features**2, axis=1) * tf.reduce_sum(weights**2, axis=1)
        norms = tf.sqrt(squares + 1e-12)  # the root has no finite gradient at 0
        targets = tf.one_hot(labels, tf.shape(logits)[-1])
        own = tf.reduce_sum(targets * logits, axis=1)
        lowered = norms * self.psi(tf.clip_by_value(own / norms, -1.0, 1.0))
        steps = self._steps.assign_add(1.0)
        softness = tf.maximum(1000 / (1 + self.decay * steps), self.softness)
        less = (lowered - own) / (1 + softness)
        return cross_entropy(logits + targets * less[:, None], labels)

    def psi(self, cosine: tf.Tensor) -> tf.Tensor:
        """Return (-1)^k cos(m theta) - 2k, theta lying between k pi / m and (k + 1) pi / m.

        Args:
            cosine: cos(theta), float tensor of any shape.

        Returns:
            The same shape and dtype.
        """
        lower, multiple = tf.ones_like(cosine), cosine  # cos(0), cos(theta), and on to cos(m theta)
        for _ in range(self.margin - 1):
            lower, multiple = multiple, 2 * cosine * multiple - lower
        k = tf.floor(self.margin / math.pi * tf.acos(tf.stop_gradient(cosine)))
        k = tf.minimum(k, self.margin - 1.0)
        return (1 - 2 * (k % 2)) * multiple - 2 * k
