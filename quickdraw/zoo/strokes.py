"""Models of strokes, and of strokes with the image.

They need records with ink: `python -m quickdraw.datasets.prepare --keep_strokes`.
"""

from __future__ import annotations

import abc
from typing import ClassVar

import keras
from keras import layers, ops

from quickdraw.components.base_model import BaseModel
from quickdraw.models import CnnModel


class _StrokeModel(BaseModel, abc.ABC):
    """Classifies by features of the strokes.

    Attributes:
        max_points: later points are left out.
        dropout: the share of features dropped.
    """

    inputs: ClassVar[tuple[str, ...]] = ("ink",)
    max_points: int = 128  # type: ignore[misc]
    dropout: float = 0.2

    def create_model(self, ink: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
        return layers.Dense(num_classes)(self.features(ink))

    @abc.abstractmethod
    def features(self, ink: keras.KerasTensor) -> keras.KerasTensor:
        """Return the features before the classifier, a float Keras tensor `[batch, num_features]`.

        `ink` is float32 `[batch, max_points, 3]`, see `quickdraw.records.ink`.
        """

    def _halved(
        self, ink: keras.KerasTensor, filters: tuple[int, ...]
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Convolve along the strokes; each convolution halves the number of points.

        Returns:
            Features `[batch, points, filters]`, and 1 where there is a point, `[batch, points, 1]`.
        """
        there = ops.cast(ink[..., 2:] >= 0, "float32")
        # A step says where it goes; the sum of all before it, where it is.
        place = ops.cumsum(ink[..., :2], axis=1)
        corner = ops.minimum(ops.min(place, axis=1, keepdims=True), 0)
        x = ops.concatenate([ink, place - corner], axis=-1) * there
        for channels in filters:
            x = layers.Conv1D(channels, 5, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x)) * there
            x = layers.MaxPooling1D(2, padding="same")(x)
            there = layers.MaxPooling1D(2, padding="same")(there)
        return x, there

    def _pooled(self, x: keras.KerasTensor, there: keras.KerasTensor) -> keras.KerasTensor:
        """Return mean and maximum over the points that are there, `[batch, 2 * filters]`."""
        count = ops.maximum(ops.sum(there, axis=1), 1)
        pooled = [ops.sum(x * there, axis=1) / count, ops.max(x * there, axis=1)]
        return layers.Dropout(self.dropout)(layers.Concatenate()(pooled))


class StrokeRnnModel(_StrokeModel):
    """Convolutions along the strokes, and a bidirectional LSTM over what they make of them.

    Source: TensorFlow tutorial "Recurrent Neural Networks for Drawing Classification"
    (github.com/tensorflow/models, tutorials/rnn/quickdraw). Here each convolution is normalised and
    halves the number of points, as an LSTM takes them one by one. The classifier sees them beside
    the LSTM, the mean and the maximum of both.

    Attributes:
        filters: the channels of each convolution.
        units: the width of each LSTM, each way; () for none.
    """

    filters: tuple[int, ...] = (64, 128, 256)
    units: tuple[int, ...] = (128,)

    def features(self, ink: keras.KerasTensor) -> keras.KerasTensor:
        x, there = self._halved(ink, self.filters)
        every = [x]
        for units in self.units:
            every.append(layers.Bidirectional(layers.LSTM(units, return_sequences=True))(every[-1]))
        return self._pooled(layers.Concatenate()(every), there)


class StrokeTransformerModel(_StrokeModel):
    """A small transformer over groups of four points, normalised before each part.

    Source: Vaswani et al. 2017, "Attention Is All You Need", section 3; the place of the
    normalisation: Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture".
    Convolutions tell neighbours apart from others, in place of an encoding of positions.

    Attributes:
        width: of the features of a group of points.
        heads: of the attention.
        blocks: how many there are.
    """

    width: int = 96
    heads: int = 4
    blocks: int = 2

    def features(self, ink: keras.KerasTensor) -> keras.KerasTensor:
        x, there = self._halved(ink, (self.width, self.width))
        seen = ops.swapaxes(there, 1, 2) > 0
        for _ in range(self.blocks):
            y = layers.LayerNormalization()(x)
            attention = layers.MultiHeadAttention(self.heads, self.width // self.heads)
            x += layers.Dropout(self.dropout)(attention(y, y, attention_mask=seen))
            y = layers.LayerNormalization()(x)
            y = layers.Dense(2 * self.width, activation="gelu")(y)
            x += layers.Dropout(self.dropout)(layers.Dense(self.width)(y))
        return self._pooled(layers.LayerNormalization()(x), there)


class FusionModel(StrokeRnnModel):
    """`CnnModel` looks at the image while `StrokeRnnModel` follows the strokes.

    The classifier goes by the features of both. The parameters are those of `StrokeRnnModel`, which
    does here without its LSTM.
    """

    inputs = ("image", "ink")
    units: tuple[int, ...] = ()
    dropout: float = 0.4

    def create_model(
        self, drawing: dict[str, keras.KerasTensor], num_classes: int
    ) -> keras.KerasTensor:
        seen = CnnModel(dropout=self.dropout).features(drawing["image"])
        followed = self.features(drawing["ink"])
        return layers.Dense(num_classes)(layers.Concatenate()([seen, followed]))
