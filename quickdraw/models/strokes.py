"""Models of strokes, and of strokes with the image.

They need records with ink: `python -m quickdraw.datasets.prepare --keep_strokes`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from keras import layers, ops

from quickdraw.models.base import BaseModel
from quickdraw.models.images import CnnModel


class _StrokeModel(BaseModel):
    """Classifies by features of the strokes."""

    inputs: ClassVar[tuple[str, ...]] = ("ink",)
    max_points: int = 128  # type: ignore[misc]

    def create_model(self, ink, num_classes):
        return layers.Dense(num_classes)(self.features(ink))

    def features(self, ink):
        """What the classifier goes by, `[batch, num_features]`."""
        raise NotImplementedError


def _points(ink: Any) -> tuple[Any, Any]:
    """Each point's step, pen and place `[batch, points, 5]`, and 1 where there is one `[…, 1]`."""
    there = ops.cast(ink[..., 2:] >= 0, "float32")
    place = ops.cumsum(ink[..., :2], axis=1)
    return ops.concatenate([ink, place], axis=-1) * there, there


def _halved(x: Any, there: Any) -> tuple[Any, Any]:
    """Pairs of points: the larger features, and whether there is a point in the pair."""
    return layers.MaxPooling1D(2, padding="same")(x), layers.MaxPooling1D(2, padding="same")(there)


def _mean(x: Any, there: Any) -> Any:
    """The mean over the points that are there."""
    return ops.sum(x * there, axis=1) / ops.maximum(ops.sum(there, axis=1), 1)


class StrokeRnnModel(_StrokeModel):
    """Convolutions along the strokes, and a bidirectional LSTM over what they make of them.

    Source: TensorFlow tutorial "Recurrent Neural Networks for Drawing Classification"
    (github.com/tensorflow/models, tutorials/rnn/quickdraw). Here the places of the points are given
    beside their steps, each convolution halves the number of points, and the LSTM's outputs are
    averaged, not added up.

    Attributes:
        max_points: later points are left out.
        filters: the channels of each convolution.
        units: the width of each LSTM, each way.
        dropout: the share of features dropped before each LSTM and before the classifier.
    """

    filters: tuple[int, ...] = (48, 96)
    units: tuple[int, ...] = (128,)
    dropout: float = 0.3

    def features(self, ink):
        """What the classifier goes by, `[batch, 2 * units]`."""
        x, there = _points(ink)
        for filters in self.filters:
            x = layers.Conv1D(filters, 5, padding="same", activation="relu")(x) * there
            x, there = _halved(x, there)
        for units in self.units:
            x = layers.Dropout(self.dropout)(x)
            lstm = layers.LSTM(units, return_sequences=True)
            x = layers.Bidirectional(lstm)(x, mask=there[..., 0] > 0)
        return layers.Dropout(self.dropout)(_mean(x, there))


class StrokeTransformerModel(_StrokeModel):
    """A small transformer over pairs of points, with layer normalisation before each part.

    Source: Vaswani et al. 2017, "Attention Is All You Need", section 3; the place of the
    normalisation: Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture". A
    convolution tells neighbours apart from others, in place of an encoding of positions.

    Attributes:
        max_points: later points are left out.
        width: of the features of a pair of points.
        heads: of the attention.
        blocks: how many there are.
        dropout: the share of features dropped at the end of each part, and before the classifier.
    """

    width: int = 96
    heads: int = 4
    blocks: int = 3
    dropout: float = 0.1

    def features(self, ink):
        """What the classifier goes by, `[batch, width]`."""
        x, there = _points(ink)
        x = layers.Conv1D(self.width, 5, padding="same", activation="relu")(x) * there
        x, there = _halved(x, there)
        x = layers.Conv1D(self.width, 5, padding="same")(x) * there
        seen = ops.swapaxes(there, 1, 2) > 0
        for _ in range(self.blocks):
            y = layers.LayerNormalization()(x)
            y = layers.MultiHeadAttention(self.heads, self.width // self.heads)(
                y, y, attention_mask=seen
            )
            x += layers.Dropout(self.dropout)(y)
            y = layers.LayerNormalization()(x)
            y = layers.Dense(2 * self.width, activation="gelu")(y)
            x += layers.Dropout(self.dropout)(layers.Dense(self.width)(y))
        return layers.Dropout(self.dropout)(_mean(layers.LayerNormalization()(x), there))


class FusionModel(StrokeRnnModel):
    """`CnnModel` looks at the image, `StrokeRnnModel` follows the strokes; both are asked together.

    The parameters are those of `StrokeRnnModel`.
    """

    inputs = ("image", "ink")

    def create_model(self, drawing, num_classes):
        seen = CnnModel(dropout=self.dropout).features(drawing["image"])
        followed = self.features(drawing["ink"])
        return layers.Dense(num_classes)(layers.Concatenate()([seen, followed]))
