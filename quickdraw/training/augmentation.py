"""Random changes to the training drawings, on the device, anew in each step.

The random numbers are a pure function of (seed, step, place in the batch): a resumed run draws the
same ones, and so do several devices together.
"""

from __future__ import annotations

import math

import tensorflow as tf

from quickdraw.components import Component
from quickdraw.errors import QuickdrawError

_NUMBERS = 10


class Augmentation(Component):
    """What may happen to a drawing; by default nothing.

    Attributes:
        flip: mirrored left to right, half of the drawings.
        shift: moved by up to so many pixels, each way.
        rotation: turned by up to so many degrees, each way.
        scale: made larger or smaller by up to this share; width and height by themselves.
        shear: slanted by up to this share, each way.
        thickness: the share of drawings whose strokes become thicker or, half of them, thinner.
        erasing: the share of drawings of which a rectangle is erased (Zhong et al. 2020, "Random
            Erasing Data Augmentation").
    """

    flip: bool = False
    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    thickness: float = 0.0
    erasing: float = 0.0

    def __post_init__(self) -> None:
        for name, most in (("scale", 0.9), ("shear", 1.0), ("thickness", 1.0), ("erasing", 1.0)):
            if not 0 <= getattr(self, name) <= most:
                raise QuickdrawError(
                    f"{name} must be from 0 to {most:g}. Received: {getattr(self, name)}"
                )

    def numbers(self, seed: int, step: tf.Tensor, batch_size: int) -> tf.Tensor:
        """Random numbers for each drawing of a batch, uniform in -1…1."""
        key = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
        return tf.random.stateless_uniform((batch_size, _NUMBERS), key, -1.0, 1.0)

    def apply(self, images: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
        """Changes uint8 images `[batch, size, size, channels]` by their `numbers`."""
        columns = tf.unstack(numbers, axis=1)
        if self.flip or self.shift or self.rotation or self.scale or self.shear:
            images = self._warp(images, columns[:7])
        if self.thickness:
            images = _change_thickness(images, columns[7], self.thickness)
        if self.erasing:
            images = _erase(images, columns[8], columns[9], self.erasing)
        return images

    def _warp(self, images: tf.Tensor, numbers: list[tf.Tensor]) -> tf.Tensor:
        """One affine map about the centre: an output pixel (x, y) comes from M (x, y) + t."""
        mirrored, right, down, turn, wide, high, slant = numbers
        angle = turn * self.rotation * math.pi / 180
        across = 1 / (1 + wide * self.scale)
        along = 1 / (1 + high * self.scale)
        if self.flip:
            across *= tf.sign(mirrored)
        cosine, sine, slant = tf.cos(angle), tf.sin(angle), slant * self.shear
        a, b = across * cosine, across * (slant * cosine - sine)
        c, d = along * sine, along * (slant * sine + cosine)
        centre = (images.shape[1] - 1) / 2
        x, y = centre + right * self.shift, centre + down * self.shift
        zero = tf.zeros_like(a)
        matrix = [a, b, centre - a * x - b * y, c, d, centre - c * x - d * y, zero, zero]
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=tf.stack(matrix, axis=1),
            output_shape=images.shape[1:3],
            interpolation="BILINEAR",
            fill_mode="CONSTANT",
            fill_value=0.0,
        )


def _change_thickness(images: tf.Tensor, number: tf.Tensor, share: float) -> tf.Tensor:
    """Lightens or darkens each pixel halfway to the lightest or darkest of its neighbours."""
    ink = tf.cast(images, tf.float32)
    thick = (ink + tf.nn.max_pool2d(ink, 3, 1, "SAME")) / 2
    thin = (ink - tf.nn.max_pool2d(-ink, 3, 1, "SAME")) / 2
    number = number[:, None, None, None]
    changed = tf.where(number > 0, thick, thin)
    return tf.cast(tf.where(tf.abs(number) < share, changed, ink), tf.uint8)


def _erase(images: tf.Tensor, across: tf.Tensor, along: tf.Tensor, share: float) -> tf.Tensor:
    """Erases a square of a third of the width, somewhere, from a share of the drawings."""
    size = images.shape[1]
    side = size / 3
    # The first number decides twice: its size whether, its sign and what is left of it where.
    chosen = tf.abs(across) < share
    left = (across / share + 1) / 2 * (size - side)
    top = (along + 1) / 2 * (size - side)
    pixels = tf.range(size, dtype=tf.float32)
    in_columns = (pixels >= left[:, None]) & (pixels < left[:, None] + side)
    in_rows = (pixels >= top[:, None]) & (pixels < top[:, None] + side)
    hole = chosen[:, None, None] & in_rows[:, :, None] & in_columns[:, None, :]
    return tf.where(hole[..., None], tf.zeros_like(images), images)
