"""Random changes to the training drawings, on the device, anew in each step.

The random numbers are a pure function of (seed, step, place in the batch): a resumed run draws the
same ones, and so do several devices together. mixup and cutmix mix a drawing with its neighbour in
the batch (0 with 1, 2 with 3, …), the same one on any number of devices whose share of the batch is
even; of an odd share the last one stays as it is. A loss with a state, such as CenterLoss, sees the
labels of both.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from quickdraw.components.component import Component, create, parse_params
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.fields import field
from quickdraw.training import image_ops

_LEAST = {"shift": (0.5, "pixels"), "rotation": (1.0, "degrees")}
# Columns of the random numbers: for `apply`, for the mixing, and for the grid of displacements.
_NUMBERS = 10
_MIXING = 4
_GRID = 2 * image_ops.GRID**2


class Mixed(NamedTuple):
    """What a batch is to be taken for.

    Attributes:
        labels: int64 `[batch]`; of a mixed drawing, those of its larger part.
        others: int64 `[batch]`; those of its smaller part.
        share: of the larger part, float32 `[batch]`, 0.5 … 1.
    """

    labels: tf.Tensor
    others: tf.Tensor
    share: tf.Tensor


class Augmentation(Component):
    """What may happen to a drawing; by default nothing.

    Attributes:
        flip: mirrored left to right, half of the drawings.
        never_flip: the classes that `flip` leaves alone, such as letters: names, or numbers.
        shift: moved by up to so many pixels, each way.
        rotation: turned by up to so many degrees, each way.
        scale: made larger or smaller by up to this share; width and height by themselves.
        shear: slanted by up to this share, each way.
        elastic: bent: its parts moved by up to so many pixels, each way, neighbours alike (Simard
            et al. 2003, "Best Practices for Convolutional Neural Networks", section 2).
        thickness: the share of drawings whose strokes become thicker or, half of them, thinner.
        erasing: the share of drawings of which a rectangle is erased (Zhong et al. 2020, "Random
            Erasing Data Augmentation").
        mixup: alpha; laid over another drawing, in shares from Beta(alpha, alpha), and taken for
            both (Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization", section 2).
        cutmix: alpha; a rectangle is that of another drawing, in shares of the area from
            Beta(alpha, alpha) (Yun et al. 2019, "CutMix", section 3.1). With mixup too, half of the
            drawings get the one, half the other.
    """

    flip: bool = False
    never_flip: tuple[str | int, ...] = ()
    shift: float = field(0.0, low=0, high=1024)
    rotation: float = field(0.0, low=0, high=180)
    scale: float = field(0.0, low=0, high=0.9)
    shear: float = field(0.0, low=0, high=1)
    elastic: float = field(0.0, low=0, high=100)
    thickness: float = field(0.0, low=0, high=1)
    erasing: float = field(0.0, low=0, high=1)
    mixup: float = field(0.0, low=0, high=100)
    cutmix: float = field(0.0, low=0, high=100)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.never_flip and not self.flip:
            raise QuickdrawError("never_flip is for flip=True")

    def of_classes(self, names: list[str]) -> Augmentation:
        """Return the same augmentation, with class numbers for names in `never_flip`.

        Args:
            names: of all classes.

        Raises:
            QuickdrawError: no such class.
        """
        numbers = {key: number for number, name in enumerate(names) for key in (name, number)}
        for chosen in self.never_flip:
            if chosen not in numbers:
                raise QuickdrawError(
                    f"--augment: never_flip: no class {chosen!r}{did_you_mean(str(chosen), names)}"
                )
        return dataclasses.replace(
            self, never_flip=tuple(numbers[chosen] for chosen in self.never_flip)
        )

    def warn_of_units(self, image_size: int) -> None:
        """Warn of shifts and turns that change next to nothing, or leave nothing in the image."""
        for name, (least, unit) in _LEAST.items():
            if 0 < (value := getattr(self, name)) < least:
                log(f"warning: --augment: {name}={value:g} is in {unit}: next to nothing changes")
        if self.shift > image_size / 2:
            log(
                f"warning: --augment: shift={self.shift:g} moves drawings out of their images of "
                f"{image_size} x {image_size} pixels"
            )

    @property
    def mixes(self) -> bool:
        """Whether drawings are mixed, and with them their labels."""
        return self.mixup > 0 or self.cutmix > 0

    def numbers(self, seed: int, step: tf.Tensor, batch_size: int) -> tf.Tensor:
        """Draw the random numbers of a batch, which `apply` and `mix` take.

        They are stateless, a function of seed, step and place in the batch, and drawn for the whole
        batch: so a resumed run repeats them, and so does a run on another number of devices.

        Args:
            seed: of the run.
            step: integer scalar, counted from 0.
            batch_size: of all devices together.

        Returns:
            float32 `[batch_size, columns]`, from -1 to 1, but for the mixing shares, which are from
            0 to 1; the number of columns depends on what is switched on.
        """
        key = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
        numbers = [tf.random.stateless_uniform((batch_size, _NUMBERS), key, -1.0, 1.0)]
        if self.mixes:
            key = tf.random.experimental.stateless_fold_in(key, 1)
            uniform = tf.random.stateless_uniform((batch_size, _MIXING - 1), key, -1.0, 1.0)
            numbers += [uniform, self._shares(key, uniform[:, 0])]
        if self.elastic:
            key = tf.random.experimental.stateless_fold_in(key, 2)
            numbers.append(tf.random.stateless_uniform((batch_size, _GRID), key, -1.0, 1.0))
        return tf.concat(numbers, axis=1)

    def _shares(self, key: tf.Tensor, which: tf.Tensor) -> tf.Tensor:
        """Draw from Beta(alpha, alpha), as the share of one gamma variate in the sum of two."""
        key = tf.random.experimental.stateless_fold_in(key, 1)
        alpha = tf.cast(tf.where(self._cuts(which), self.cutmix, self.mixup), tf.float64)
        size = (2, which.shape[0])
        first, second = tf.unstack(tf.random.stateless_gamma(size, key, alpha, dtype=tf.float64))
        return tf.cast(first / (first + second), tf.float32)[:, None]

    def _cuts(self, which: tf.Tensor) -> tf.Tensor:
        """Return which drawings get cutmix rather than mixup, bool `[batch]`."""
        if self.mixup and self.cutmix:
            return which > 0
        return tf.fill(tf.shape(which), self.cutmix > 0)

    def apply(self, images: tf.Tensor, labels: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
        """Change images by their random numbers.

        Args:
            images: uint8 `[batch, size, size, channels]`.
            labels: int64 `[batch]`; `never_flip` goes by them.
            numbers: float32 `[batch, columns]`, from `numbers`.

        Returns:
            uint8, the shape of `images`.
        """
        columns = tf.unstack(numbers[:, :_NUMBERS], axis=1)
        if self.flip or self.shift or self.rotation or self.scale or self.shear:
            images = self._warp(images, self._sides(labels, columns[0]), columns[1:7])
        if self.elastic:
            grid = tf.reshape(numbers[:, -_GRID:], (-1, image_ops.GRID, image_ops.GRID, 2))
            images = image_ops.bend(images, self.elastic * grid)
        if self.thickness:
            images = image_ops.change_thickness(images, columns[7], self.thickness)
        if self.erasing:
            images = image_ops.erase(images, columns[8], columns[9], self.erasing)
        return images

    def _sides(self, labels: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
        """Return -1 for each drawing to be mirrored, 1 for the others, float32 `[batch]`."""
        if not self.flip:
            return tf.ones_like(numbers)
        sides = tf.sign(numbers)
        if self.never_flip:
            stays = tf.equal(labels[:, None], tf.constant(self.never_flip, labels.dtype))
            sides = tf.where(tf.reduce_any(stays, axis=1), 1.0, sides)
        return sides

    def _warp(self, images: tf.Tensor, sides: tf.Tensor, numbers: list[tf.Tensor]) -> tf.Tensor:
        right, down, turn, wide, high, slant = numbers
        return image_ops.warp(
            images,
            flip=sides,
            shift=(right * self.shift, down * self.shift),
            degrees=turn * self.rotation,
            scale=(1 + wide * self.scale, 1 + high * self.scale),
            shear=slant * self.shear,
        )

    def mix(
        self, images: tf.Tensor, labels: tf.Tensor, numbers: tf.Tensor
    ) -> tuple[tf.Tensor, Mixed]:
        """Mix each image with its neighbour; only where `mixes`.

        Args:
            images: uint8 `[batch, size, size, channels]`.
            labels: int64 `[batch]`.
            numbers: float32 `[batch, columns]`, from `numbers`.

        Returns:
            The mixed images, uint8 of the same shape, and what they are to be taken for.
        """
        neighbour = np.minimum(np.arange(images.shape[0]) ^ 1, images.shape[0] - 1)
        # As float32, since TensorFlow gathers no uint8 on GPUs.
        others = tf.cast(tf.gather(tf.cast(images, tf.float32), neighbour), images.dtype)
        other_labels = tf.gather(labels, neighbour)
        which, y, x, share = tf.unstack(numbers[:, _NUMBERS : _NUMBERS + _MIXING], axis=1)
        mixed, stayed = images, share
        if self.mixup:
            mixed = image_ops.blend(images, others, share)
        if self.cutmix:
            cut, left = image_ops.paste(images, others, share, y, x)
            cuts = self._cuts(which)
            mixed = tf.where(cuts[:, None, None, None], cut, mixed)
            stayed = tf.where(cuts, left, share)
        mine = stayed >= 0.5
        return mixed, Mixed(
            tf.where(mine, labels, other_labels),
            tf.where(mine, other_labels, labels),
            tf.maximum(stayed, 1 - stayed),
        )


def make_augmentation(chosen: str | Component) -> Augmentation:
    """Return the augmentation that `--augment` describes; an instance stands for itself.

    Raises:
        QuickdrawError: an unknown change (with the nearest known one), or a number out of bounds.
    """
    if isinstance(chosen, Augmentation):
        return chosen
    try:
        return create(Augmentation, parse_params(str(chosen)))
    except QuickdrawError as error:
        raise QuickdrawError(f"--augment: {error}") from None
