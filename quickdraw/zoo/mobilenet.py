"""A network for phones."""

from __future__ import annotations

import keras
from keras import layers

from quickdraw.components.base_model import BaseModel
from quickdraw.zoo.resnet import stages


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

    def create_model(self, images: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
        x = layers.Conv2D(self.filters[0], 3, 2, padding="same", use_bias=False)(images)
        x = self._active(x)
        for filters, strides in stages(self.filters, self.blocks):
            x = self._block(x, filters, strides)
        x = self._active(layers.Conv2D(4 * self.filters[-1], 1, use_bias=False)(x))
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Dropout(self.dropout)(x)
        return layers.Dense(num_classes)(x)

    def _block(self, x: keras.KerasTensor, filters: int, strides: int) -> keras.KerasTensor:
        y = layers.Conv2D(self.expansion * x.shape[-1], 1, use_bias=False)(x)
        y = self._active(y)
        y = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False)(y)
        y = layers.Conv2D(filters, 1, use_bias=False)(self._active(y))
        y = layers.BatchNormalization(momentum=0.9)(y)
        return layers.Add()([x, y]) if x.shape == y.shape else y

    def _active(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x))
