"""Models for students to read, to edit and to add to: a drawing in, logits out.

A class that is written below, or in a module of your own, is found by its name:

    class MyModel(BaseModel):                 # --model=MyModel
        units: int = 64                       # --model_params="units=128"

        def create_model(self, images, num_classes):
            x = layers.Flatten()(images)
            x = layers.Dense(self.units, activation="relu")(x)
            return layers.Dense(num_classes)(x)

`--model=my_models.MyModel` finds one in `my_models.py` of the current folder. The strongest models
are in `quickdraw/zoo`; what a model may take beside images, `BaseModel` says.
"""

from __future__ import annotations

import keras
from keras import layers

from quickdraw.components.base_model import BaseModel

__all__ = ["BaseModel", "CnnModel", "LogisticModel", "MlpModel"]


class LogisticModel(BaseModel):
    """Softmax regression on the pixels: the baseline that everything else must beat."""

    def create_model(self, images: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
        return layers.Dense(num_classes)(layers.Flatten()(images))


class MlpModel(BaseModel):
    """A multilayer perceptron.

    Attributes:
        units: the width of each hidden layer.
        dropout: the share of activations dropped after each hidden layer.
    """

    units: tuple[int, ...] = (256, 128)
    dropout: float = 0.2

    def create_model(self, images: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
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

    def create_model(self, images: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
        return layers.Dense(num_classes)(self.features(images))

    def features(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Return the features before the classifier, a float Keras tensor `[batch, dense_units]`.

        `images` are float32 `[batch, height, width, channels]`, 0 (paper) … 1 (ink).
        """
        x = images
        for filters in self.filters:
            x = layers.Conv2D(filters, 3, padding="same")(x)
            # Pooling first: ReLU commutes with the maximum, and has a quarter of the pixels left.
            x = layers.ReLU()(layers.MaxPooling2D()(x))
        x = layers.Flatten()(x)
        x = layers.Dense(self.dense_units, activation="relu")(x)
        return layers.Dropout(self.dropout)(x)
