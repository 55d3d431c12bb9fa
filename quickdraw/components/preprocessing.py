"""What a model does to images before its first layer of weights: kept with the run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from keras import layers

if TYPE_CHECKING:
    import keras

NORMALISE = "normalise"
"""The name of the layer whose output `create_model` gets."""


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """Crop and normalise, inside the model: training, prediction and exports cannot differ.

    Attributes:
        crop: keep so many pixels a side, in the middle; None for all.
        pixel_mean: is subtracted, of pixels of 0 (paper) … 1 (ink).
        pixel_std: what is left is divided by it.
    """

    crop: int | None = None
    pixel_mean: float = 0.0
    pixel_std: float = 1.0

    def __call__(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Make what `create_model` gets.

        Args:
            images: uint8 Keras tensor `[batch, size, size, channels]`, strokes 255 on 0.

        Returns:
            float Keras tensor `[batch, crop, crop, channels]`.
        """
        cut = images.shape[1] - (self.crop or images.shape[1])
        if cut:
            around = (cut // 2, cut - cut // 2)
            images = layers.Cropping2D((around, around), name="crop")(images)
        scale, offset = 1 / (255 * self.pixel_std), (0 - self.pixel_mean) / self.pixel_std
        return layers.Rescaling(scale, offset, name=NORMALISE)(images)


AS_IT_IS = Preprocessing()
