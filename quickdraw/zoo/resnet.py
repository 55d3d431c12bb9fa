"""Residual networks for drawings of 28 to 64 pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import keras
from keras import layers

from quickdraw.components.base_model import BaseModel
from quickdraw.errors import QuickdrawError


def stages(filters: tuple[int, ...], blocks: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield the channels and strides of each block."""
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

    def create_model(self, images: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
        x = layers.Conv2D(self.filters[0], 3, padding="same", use_bias=False)(images)
        for filters, strides in stages(self.filters, self.blocks):
            x = self._block(x, filters, strides)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = _POOLING[self.pooling]()(x)
        x = layers.Dropout(self.dropout)(x)
        return layers.Dense(num_classes)(x)

    def _block(self, x: keras.KerasTensor, filters: int, strides: int) -> keras.KerasTensor:
        active = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        if strides > 1 or x.shape[-1] != filters:
            x = layers.AveragePooling2D(strides)(active) if strides > 1 else active
            x = layers.Conv2D(filters, 1, use_bias=False)(x)
        y = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(active)
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
        y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
        if self.squeeze:
            gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
            gate = layers.Conv2D(filters // self.squeeze, 1, activation="relu")(gate)
            y = layers.Multiply()([y, layers.Conv2D(filters, 1, activation="sigmoid")(gate)])
        return layers.Add()([x, y])
