"""The base of recognisers: images or strokes in, labelled probabilities out."""

from __future__ import annotations

import abc
import dataclasses
import reprlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from quickdraw.components.inputs import ModelInputs, preprocessed, unwrapped
from quickdraw.drawings import Strokes, greyscale
from quickdraw.drawings.drawing import SkippedDrawing, checked
from quickdraw.drawings.polarity import ALONE
from quickdraw.drawings.rendering import Rendering
from quickdraw.errors import QuickdrawError
from quickdraw.readers import BaseReader
from quickdraw.records import ink

Pictures = np.ndarray | Image.Image | Sequence[object]
"""One picture or several."""


@dataclasses.dataclass(frozen=True)
class Takes:
    """The input format of a model.

    Attributes:
        inputs: "image", "ink", or both.
        image_size: pixels a side.
        channels: 1 or 3.
        max_points: the number of points of ink.
    """

    inputs: tuple[str, ...]
    image_size: int
    channels: int
    max_points: int


class Recognises(abc.ABC):
    """Base of the recognisers of drawings, independent of the runtime.

    Args:
        labels: names of the classes, in label order.
        takes: the input format of the model.

    Attributes:
        labels: see above.
        takes: see above.
    """

    def __init__(self, labels: list[str], takes: Takes):
        self.labels, self.takes = labels, takes
        self._reader = BaseReader(image_size=takes.image_size)

    @abc.abstractmethod
    def probabilities(self, images: ModelInputs) -> np.ndarray:
        """Return class probabilities.

        Args:
            images: uint8 `[batch, size, size, channels]`; or ink, int16 `[batch, max_points, 3]`;
                or a dictionary of `image` and `ink`: as the model needs.

        Returns:
            float32 `[batch, num_classes]`.
        """

    @property
    @abc.abstractmethod
    def rendering(self) -> Rendering:
        """How the training drawings were rendered."""

    def predict(self, drawings: Pictures) -> list[dict[str, float]]:
        """Return labelled probabilities, the likeliest class first, for each drawing.

        Args:
            drawings: one or many: uint8 `[height, width]` or `[batch, height, width(, channels)]`
                with strokes 255 on 0, or Pillow images of any mode and size, which are read as
                `prepare` reads pictures: turned as their EXIF says, laid on paper, light on dark.
                They are resized to what the model takes or, where pen, place or paper are not those
                of the training drawings, redrawn (see `Rendering.legible`). A model that takes
                ink gets drawings as in Quick, Draw!'s ndjson files instead, lists of strokes
                `[[x0, x1, ...], [y0, y1, ...]]`, 0...255.

        Raises:
            QuickdrawError: not images, or not strokes.
        """
        takes = self.takes
        if "ink" in takes.inputs:
            every = _strokes_of(drawings)
            arrays = {"ink": np.stack([ink.padded(ink.ink_of(s), takes.max_points) for s in every])}
            if "image" in takes.inputs:
                size, channels = takes.image_size, takes.channels
                drawn = [self.rendering.image(strokes, size, channels) for strokes in every]
                arrays["image"] = self._resized(_as_batch(drawn, channels))
            scores = self.probabilities(unwrapped(arrays))
        else:
            scores = self.probabilities(self._resized(_as_batch(drawings, takes.channels)))
        return [
            {self.labels[i]: float(row[i]) for i in np.argsort(-row, kind="stable")}
            for row in scores
        ]

    def _resized(self, images: list[np.ndarray]) -> np.ndarray:
        change, size = self._reader.preprocess, self.takes.image_size
        legible = map(self._legible, images)
        return np.concatenate([preprocessed(change, image, size) for image in legible])

    def _legible(self, image: np.ndarray) -> np.ndarray:
        """Return uint8 `[1, height, width, channels]`."""
        size = self.takes.image_size
        if image.shape[3] != 1 or max(image.shape) <= size:
            return image
        return self.rendering.legible(image[0, :, :, 0], size)[None, :, :, None]


def _strokes_of(drawings: Any) -> list[Strokes]:
    """Return each drawing's strokes, validated; raw ones are simplified."""
    try:
        one = np.ndim(drawings[0][0][0]) == 0
        return [checked(drawing) for drawing in ([drawings] if one else drawings)]
    except (TypeError, ValueError, LookupError) as error:
        what = f" ({error})" if isinstance(error, SkippedDrawing) else ""
        raise QuickdrawError(
            "this model takes strokes: lists of [[x0, x1, ...], [y0, y1, ...]] expected, 0...255"
            f"{what}. Received: {type(drawings).__name__} {reprlib.repr(drawings)}"
        ) from None


def _as_batch(images: Pictures, channels: int) -> list[np.ndarray]:
    """Return each image as uint8 `[1, height, width, channels]`."""
    if isinstance(images, Image.Image) or (
        isinstance(images, np.ndarray) and (images.ndim == 2 or images.shape[2:] == (channels,))
    ):
        images = [images]
    batch = []
    for image in images if isinstance(images, Iterable) else [images]:
        array = _pixels(image, channels) if isinstance(image, Image.Image) else np.asarray(image)
        array = array[:, :, None] if array.ndim == 2 else array
        if (
            array.dtype != np.uint8
            or array.ndim != 3
            or array.shape[2] != channels
            or not array.size
        ):
            raise QuickdrawError(
                f"uint8 images [height, width, {channels}] or Pillow images expected. "
                f"Received: {array.dtype} {list(array.shape)}"
            )
        batch.append(array[None])
    if not batch:
        raise QuickdrawError("no images to predict. Received: an empty list")
    return batch


def _pixels(picture: Image.Image, channels: int) -> np.ndarray:
    """Return a picture as `prepare` would store it: uint8 `[side, side(, 3)]`."""
    try:
        with greyscale.damage():
            if channels == 3:
                return greyscale.colours(picture)
            return greyscale.on_black(greyscale.grey(picture), ALONE)[0]
    except SkippedDrawing as error:
        raise QuickdrawError(f"a picture that cannot be read: {error}") from None
