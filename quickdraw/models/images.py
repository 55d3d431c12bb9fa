"""Models of images. Students add theirs here, or anywhere as `--model=module.Class`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from keras import layers

from quickdraw.errors import QuickdrawError
from quickdraw.models.base import BaseModel


class LogisticModel(BaseModel):
    """Softmax regression on the pixels: the baseline that everything else must beat."""

    def create_model(self, images, num_classes):
        return layers.Dense(num_classes)(layers.Flatten()(images))


class MlpModel(BaseModel):
    """A multilayer perceptron.

    Attributes:
        units: the width of each hidden layer.
        dropout: the share of activations dropped after each hidden layer.
    """

    units: tuple[int, ...] = (256, 128)
    dropout: float = 0.2

    def create_model(self, images, num_classes):
        x = layers.Flatten()(images)
        for units in self.units:
            x = layers.Dense(units, activation="relu")(x)
            x = layers.Dropout(self.dropout)(x)
        return layers.Dense(num_classes)(x)


class CnnModel(BaseModel):
    """Three 3 x 3 convolutions with max-pooling and a dense layer, as in the game "Deep Draw".

    Attributes:
        filters: the channels of each convolution.
        dense_units: the width of the dense layer.
        dropout: the share of activations dropped before the classifier.
    """

    filters: tuple[int, ...] = (16, 32, 64)
    dense_units: int = 128
    dropout: float = 0.0

    def create_model(self, images, num_classes):
        return layers.Dense(num_classes)(self.features(images))

    def features(self, images):
        """What the classifier goes by, `[batch, dense_units]`."""
        x = images
        for filters in self.filters:
            x = layers.Conv2D(filters, 3, padding="same")(x)
            # ReLU and maximum may change places: so it has a quarter to do.
            x = layers.ReLU()(layers.MaxPooling2D()(x))
        x = layers.Flatten()(x)
        x = layers.Dense(self.dense_units, activation="relu")(x)
        return layers.Dropout(self.dropout)(x)


def _stages(filters: tuple[int, ...], blocks: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yields the channels and strides of each block."""
    if len(filters) != len(blocks):
        raise QuickdrawError(
            f"filters and blocks must be of as many stages. Received: {filters} and {blocks}"
        )
    for stage, (channels, count) in enumerate(zip(filters, blocks, strict=True)):
        for block in range(count):
            yield channels, 2 if stage and not block else 1


_POOLING = {
    "mean": layers.GlobalAveragePooling2D,
    "max": layers.GlobalMaxPooling2D,
    "none": layers.Flatten,
}


class ResNetModel(BaseModel):
    """A residual network with pre-activation blocks for drawings of 28 to 64 pixels.

    Source: He et al. 2016, "Identity Mappings in Deep Residual Networks", section 4; squeeze and
    excitation: Hu et al. 2018, "Squeeze-and-Excitation Networks", section 3.

    Attributes:
        filters: the channels of each stage; each stage but the first halves height and width.
        blocks: how many blocks each stage has.
        squeeze: the reduction of the squeeze-and-excitation gates; 0 leaves them out.
        pooling: the classifier sees the mean over all places, the maximum, or each place ("none").
        dropout: the share of features dropped before the classifier.
    """

    filters: tuple[int, ...] = (16, 32, 64)
    blocks: tuple[int, ...] = (2, 2, 2)
    squeeze: int = 0
    pooling: Literal["mean", "max", "none"] = "mean"
    dropout: float = 0.0

    def create_model(self, images, num_classes):
        x = layers.Conv2D(self.filters[0], 3, padding="same", use_bias=False)(images)
        for filters, strides in _stages(self.filters, self.blocks):
            x = self._block(x, filters, strides)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = _POOLING[self.pooling]()(x)
        x = layers.Dropout(self.dropout)(x)
        return layers.Dense(num_classes)(x)

    def _block(self, x, filters, strides):
        active = layers.ReLU()(layers.BatchNormalization()(x))
        if strides > 1 or x.shape[-1] != filters:
            x = layers.AveragePooling2D(strides)(active) if strides > 1 else active
            x = layers.Conv2D(filters, 1, use_bias=False)(x)
        y = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(active)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
        if self.squeeze:
            gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
            gate = layers.Conv2D(filters // self.squeeze, 1, activation="relu")(gate)
            y = layers.Multiply()([y, layers.Conv2D(filters, 1, activation="sigmoid")(gate)])
        return layers.Add()([x, y])


class MobileNetModel(BaseModel):
    """Inverted residuals with depthwise separable convolutions: 80,000 weights, for a phone.

    Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", section
    3.

    Attributes:
        filters: the channels of each stage; each stage but the first halves height and width.
        blocks: how many blocks each stage has.
        expansion: by how much a block widens its channels.
        dropout: the share of features dropped before the classifier.
    """

    filters: tuple[int, ...] = (16, 24, 48)
    blocks: tuple[int, ...] = (1, 2, 3)
    expansion: int = 4
    dropout: float = 0.0

    def create_model(self, images, num_classes):
        x = layers.Conv2D(self.filters[0], 3, 2, padding="same", use_bias=False)(images)
        x = self._active(x)
        for filters, strides in _stages(self.filters, self.blocks):
            x = self._block(x, filters, strides)
        x = self._active(layers.Conv2D(4 * self.filters[-1], 1, use_bias=False)(x))
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Dropout(self.dropout)(x)
        return layers.Dense(num_classes)(x)

    def _block(self, x, filters, strides):
        y = layers.Conv2D(self.expansion * x.shape[-1], 1, use_bias=False)(x)
        y = self._active(y)
        y = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False)(y)
        y = layers.Conv2D(filters, 1, use_bias=False)(self._active(y))
        y = layers.BatchNormalization()(y)
        return layers.Add()([x, y]) if x.shape == y.shape else y

    def _active(self, x):
        return layers.ReLU(6.0)(layers.BatchNormalization()(x))
