"""What every model shares."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import ClassVar

import keras
from keras import ops

from quickdraw.components.batch_norm import fuse
from quickdraw.components.component import Component
from quickdraw.components.inputs import specs, unwrapped
from quickdraw.components.preprocessing import AS_IT_IS, Preprocessing
from quickdraw.components.user_code import explained, mistake
from quickdraw.errors import QuickdrawError
from quickdraw.records.ink import SCALE


class BaseModel(Component):
    """What every model shares. A subclass writes `create_model` and names its parameters.

    Attributes:
        inputs: what it takes of a drawing: "image", "ink", or both.
        max_points: how many points of the ink it sees; a model of ink may make it a parameter.
    """

    homes: ClassVar[tuple[str, ...]] = ("quickdraw.models", "quickdraw.zoo")
    inputs: ClassVar[tuple[str, ...]] = ("image",)
    max_points: ClassVar[int] = 128

    def create_model(
        self, images: keras.KerasTensor | dict[str, keras.KerasTensor], num_classes: int
    ) -> keras.KerasTensor:
        """Build the network.

        Args:
            images: float32 Keras tensor `[batch, height, width, channels]`, 0 (paper) … 1 (ink),
                or what --crop, --pixel_mean and --pixel_std make of them.
                A model of ink gets that instead, float32 `[batch, max_points, 3]` (see
                `quickdraw.records.ink`); one of both a dictionary of `image` and `ink`.
            num_classes: how many classes there are.

        Returns:
            The logits, a Keras tensor `[batch, num_classes]`: no softmax.
        """
        raise QuickdrawError(f"{type(self).__name__} must define create_model(images, num_classes)")

    def build(
        self,
        image_size: int,
        channels: int,
        num_classes: int,
        preprocessing: Preprocessing = AS_IT_IS,
    ) -> keras.Model:
        """Build the Keras model, from uint8 images `[batch, size, size, channels]` to logits.

        Other `inputs` are given as `quickdraw.components.inputs.unwrapped` says.

        Raises:
            QuickdrawError: `create_model` failed, or returned something else than
                `[batch, num_classes]`.
        """
        given = {
            name: keras.Input(shape, dtype=keras.backend.standardize_dtype(dtype), name=name)
            for name, (shape, dtype) in specs(
                self.inputs, image_size, channels, self.max_points
            ).items()
        }
        seen = unwrapped({name: _seen(each, preprocessing) for name, each in given.items()})
        with explained(type(self).create_model), _channels_last():
            logits = self.create_model(seen, num_classes)
        if isinstance(logits, keras.Model):
            raise mistake(
                type(self).create_model,
                "must return logits: what calling the model gives, model(images). "
                f"Received: the {type(logits).__name__} itself",
            )
        if getattr(logits, "shape", None) != (None, num_classes):
            received = getattr(logits, "shape", f"a {type(logits).__name__}")
            raise mistake(
                type(self).create_model,
                f"must return logits of shape (None, {num_classes}). "
                f"Received: {None if logits is None else received}",
            )
        if not keras.backend.is_float_dtype(logits.dtype):
            raise mistake(
                type(self).create_model,
                f"must return logits of a float dtype. Received: {logits.dtype}",
            )
        with explained(type(self).create_model):
            try:
                model = keras.Model(unwrapped(given), logits)
            except ValueError as error:
                if "not connected" not in str(error):
                    raise
                raise mistake(
                    type(self).create_model,
                    "must make its logits from the images that it is given, and makes them from "
                    "something else, such as a keras.Input of its own: begin with the images, or "
                    "call a whole model with them, model(images)",
                ) from None
            _check_names(model)
        return fuse(model)


@contextlib.contextmanager
def _channels_last() -> Iterator[None]:
    """Let layers see images as they are, whatever ~/.keras/keras.json says."""
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(before)


def _check_names(model: keras.Model) -> None:
    for layer in model._flatten_layers(include_self=False):
        if not re.fullmatch(r"[\w.>-]+", layer.name, re.ASCII):
            raise ValueError(
                "TensorFlow takes Latin letters, digits, _, - and . in a layer's name only. "
                f"Received: {layer.name!r} (a {type(layer).__name__})"
            )


def _seen(given: keras.KerasTensor, preprocessing: Preprocessing) -> keras.KerasTensor:
    if given.dtype == "uint8":
        return preprocessing(given)
    return ops.cast(given, "float32") / SCALE
