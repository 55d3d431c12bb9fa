"""What augmentation does to pixels: uint8 images `[batch, size, size, channels]` in and out."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

GRID = 4
"""Points a side of the grid of displacements that `bend` takes."""


def warp(
    images: tf.Tensor,
    flip: tf.Tensor,
    shift: tuple[tf.Tensor, tf.Tensor],
    degrees: tf.Tensor,
    scale: tuple[tf.Tensor, tf.Tensor],
    shear: tf.Tensor,
) -> tf.Tensor:
    """Apply an affine map about the centre; each image has its own.

    All arguments but the images are float32 `[batch]`, or pairs of such.

    Args:
        images: uint8 `[batch, size, size, channels]`.
        flip: -1 mirrors left to right, 1 does not.
        shift: to the right and down, in pixels.
        degrees: how far to turn.
        scale: by which factor width and height change.
        shear: how far to slant, as a share of the height.

    Returns:
        uint8, the shape of `images`.
    """
    # An output pixel (x, y) comes from M (x, y) + t.
    angle = degrees * math.pi / 180
    across, along = flip / scale[0], 1 / scale[1]
    cosine, sine = tf.cos(angle), tf.sin(angle)
    a, b = across * cosine, across * (shear * cosine - sine)
    c, d = along * sine, along * (shear * sine + cosine)
    centre = (images.shape[1] - 1) / 2
    x, y = centre + shift[0], centre + shift[1]
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


def bend(images: tf.Tensor, displacements: tf.Tensor) -> tf.Tensor:
    """Move pixels by a smooth field of displacements.

    Source: Simard et al. 2003, "Best Practices for Convolutional Neural Networks", section 2. They
    smooth a random field with a Gaussian; here a coarse field is interpolated smoothly.

    Args:
        images: uint8 `[batch, size, size, channels]`.
        displacements: in pixels, float32 `[batch, GRID, GRID, 2]` (down and to the right).

    Returns:
        uint8, the shape of `images`.
    """
    size = images.shape[1]
    weights = _enlarging(size)
    field = tf.einsum("yi,nijc,xj->nyxc", weights, displacements, weights)
    places = tf.stack(tf.meshgrid(*[tf.range(size, dtype=tf.float32)] * 2, indexing="ij"), axis=-1)
    # A margin of paper: whatever is fetched from outside the image is fetched from it.
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    source = tf.clip_by_value(places + field + 1, 0.0, size + 1.0)
    corner = tf.minimum(tf.floor(source), float(size))
    down, right = tf.unstack((source - corner)[..., None, :], axis=-1)
    side = size + 2
    # int64 and float32, not int32 and uint8: for those TensorFlow has no such kernels on GPUs.
    row, column = (tf.cast(each, tf.int64) for each in tf.unstack(corner, axis=-1))
    flat = tf.cast(tf.reshape(padded, (-1, side * side, images.shape[3])), tf.float32)

    def pixel(rows: int, columns: int) -> tf.Tensor:
        index = (row + rows) * side + column + columns
        return tf.gather(flat, index, batch_dims=1)

    above = pixel(0, 0) * (1 - right) + pixel(0, 1) * right
    below = pixel(1, 0) * (1 - right) + pixel(1, 1) * right
    return _as_bytes(above * (1 - down) + below * down)


def _enlarging(size: int) -> np.ndarray:
    """Return the weight of each grid point for each pixel, float32 `[size, GRID]`.

    It is a smooth step: 1 at the point itself and 0 at its neighbours.
    """
    places = np.linspace(0, GRID - 1, size, dtype=np.float32)
    near = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(GRID, dtype=np.float32)))
    return near**2 * (3 - 2 * near)


def change_thickness(images: tf.Tensor, number: tf.Tensor, share: float) -> tf.Tensor:
    """Make strokes thicker or thinner: move each pixel halfway to its neighbours' extreme.

    Args:
        images: uint8 `[batch, size, size, channels]`.
        number: float32 `[batch]`, -1 … 1: below `share` in size the image is changed, and its sign
            tells thicker (+) from thinner (-).
        share: of the images that change.

    Returns:
        uint8, the shape of `images`.
    """
    ink = tf.cast(images, tf.float32)
    thick = (ink + tf.nn.max_pool2d(ink, 3, 1, "SAME")) / 2
    thin = (ink - tf.nn.max_pool2d(-ink, 3, 1, "SAME")) / 2
    number = number[:, None, None, None]
    changed = tf.where(number > 0, thick, thin)
    return tf.cast(tf.where(tf.abs(number) < share, changed, ink), tf.uint8)


def erase(images: tf.Tensor, across: tf.Tensor, along: tf.Tensor, share: float) -> tf.Tensor:
    """Erase a square of a third of the width, somewhere, from a share of the drawings.

    Args:
        images: uint8 `[batch, size, size, channels]`.
        across: float32 `[batch]`, -1 … 1: whether, and how far to the right.
        along: float32 `[batch]`, -1 … 1: how far down.
        share: of the images that are erased in.

    Returns:
        uint8, the shape of `images`.
    """
    size = images.shape[1]
    side = size / 3
    # The first number decides twice: its size whether, its sign and what is left of it where.
    chosen = tf.abs(across) < share
    left = (across / share + 1) / 2 * (size - side)
    top = (along + 1) / 2 * (size - side)
    hole = chosen[:, None, None] & _inside(top, top + side, left, left + side, size)
    return tf.where(hole[..., None], tf.zeros_like(images), images)


def blend(images: tf.Tensor, others: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Blend each image with another (Zhang et al. 2018, "mixup", section 2).

    Args:
        images: uint8 `[batch, size, size, channels]`.
        others: the same shape and dtype.
        share: of `images`, float32 `[batch]`, 0 … 1; the rest is of `others`.

    Returns:
        uint8, the shape of `images`.
    """
    share = share[:, None, None, None]
    return _as_bytes(
        share * tf.cast(images, tf.float32) + (1 - share) * tf.cast(others, tf.float32)
    )


def paste(
    images: tf.Tensor, others: tf.Tensor, share: tf.Tensor, y: tf.Tensor, x: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Paste a rectangle of the others into images (Yun et al. 2019, "CutMix", section 3.1).

    Args:
        images: uint8 `[batch, size, size, channels]`.
        others: from where the rectangles come; the same shape and dtype.
        share: float32 `[batch]`, of each image that stays, unless the rectangle reaches over the
            edge.
        y: the centre of the rectangle, float32 `[batch]`, -1 (top) … 1.
        x: the same, -1 (left) … 1.

    Returns:
        The images, uint8 of the same shape, and the share of each that stayed, float32 `[batch]`.
    """
    size = images.shape[1]
    half = tf.sqrt(1 - share) * size / 2
    top, left = (y + 1) / 2 * size - half, (x + 1) / 2 * size - half
    inside = _inside(top, top + 2 * half, left, left + 2 * half, size)
    stayed = 1 - tf.reduce_mean(tf.cast(inside, tf.float32), axis=[1, 2])
    return tf.where(inside[..., None], others, images), stayed


def _inside(
    top: tf.Tensor, bottom: tf.Tensor, left: tf.Tensor, right: tf.Tensor, size: int
) -> tf.Tensor:
    """Return which pixels lie in a rectangle, for each image: bool `[batch, size, size]`."""
    pixels = tf.range(size, dtype=tf.float32)
    rows = (pixels >= top[:, None]) & (pixels < bottom[:, None])
    columns = (pixels >= left[:, None]) & (pixels < right[:, None])
    return rows[:, :, None] & columns[:, None, :]


def _as_bytes(pixels: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.round(pixels), tf.uint8)
