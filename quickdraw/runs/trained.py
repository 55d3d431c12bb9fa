"""A trained model, and what people give it to recognise: images, or strokes."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from quickdraw.components.inputs import preprocessed, unwrapped
from quickdraw.drawings import greyscale
from quickdraw.drawings.drawing import SkippedDrawing, checked
from quickdraw.drawings.polarity import Polarity
from quickdraw.drawings.rasterise import rasterise
from quickdraw.errors import QuickdrawError
from quickdraw.readers import BaseReader
from quickdraw.records import ink
from quickdraw.runs import calibration, factory, record
from quickdraw.runs.record import Run

if TYPE_CHECKING:
    import keras

Which = Literal["best", "latest"]
"""A checkpoint: the best on the validation records, or the latest."""


class TrainedModel:
    """A trained model with the names of its classes.

    Attributes:
        model: the Keras model; uint8 images `[batch, size, size, channels]` in, logits out. One
            that takes ink gets int16 `[batch, max_points, 3]` (see `quickdraw.records.ink`)
            instead, or a dictionary of `image` and `ink`.
        labels: names of the classes, in label order.
        step: how many steps it was trained.
        run: everything that made it.
        temperature: what the logits are divided by, before the softmax.
    """

    def __init__(self, model: keras.Model, run: Run, step: int, temperature: float = 1.0):
        import tensorflow as tf

        self.model, self.run, self.step, self.temperature = model, run, step, temperature
        self.labels = run.labels
        self._softmax = tf.nn.softmax
        self._forward = tf.function(
            lambda images: tf.cast(model(images, training=False), tf.float32),
            autograph=False,
            reduce_retracing=True,
        )

    def logits(self, images: Any) -> np.ndarray:
        """Return the model's logits, before temperature and softmax.

        Args:
            images: uint8 `[batch, size, size, channels]`; or ink, int16 `[batch, max_points, 3]`;
                or a dictionary of both: whatever the model takes.

        Returns:
            float32 `[batch, num_classes]`.
        """
        return self._forward(images).numpy()

    def probabilities(self, images: Any) -> np.ndarray:
        """Return class probabilities.

        Args:
            images: what the model takes, as for `logits`.

        Returns:
            float32 `[batch, num_classes]`.
        """
        return self._softmax(self._forward(images) / self.temperature).numpy()

    def predict(self, drawings: Any) -> list[dict[str, float]]:
        """Return labelled probabilities, the likeliest class first, for each drawing.

        Args:
            drawings: one or many: uint8 `[height, width]` or `[batch, height, width(, channels)]`
                with strokes 255 on 0, or Pillow images of any mode and size, which are read as
                `prepare` reads pictures: turned as their EXIF says, laid on paper, light on dark.
                They are resized to what the model takes. A model that takes ink gets drawings as
                in Quick, Draw!'s ndjson files instead, lists of strokes
                `[[x0, x1, ...], [y0, y1, ...]]`, 0...255.

        Raises:
            QuickdrawError: not images, or not strokes.
        """
        takes = factory.create_model(self.run)
        if "ink" in takes.inputs:
            every = _strokes_of(drawings)
            arrays = {"ink": np.stack([ink.padded(ink.ink_of(s), takes.max_points) for s in every])}
            if "image" in takes.inputs:
                arrays["image"] = self._drawn(every)
            scores = self.probabilities(unwrapped(arrays))
        else:
            scores = self.probabilities(self._resized(_as_batch(drawings, self.run.channels)))
        return [
            {self.labels[i]: float(row[i]) for i in np.argsort(-row, kind="stable")}
            for row in scores
        ]

    def _resized(self, images: list[np.ndarray]) -> np.ndarray:
        size = self.run.image_size
        reader = BaseReader(image_size=size)
        return np.concatenate([preprocessed(reader.preprocess, image, size) for image in images])

    def _drawn(self, drawings: list[list]) -> np.ndarray:
        run = self.run
        images = [rasterise(each, run.image_size, channels=run.channels) for each in drawings]
        return self._resized(_as_batch(images, run.channels))


def _strokes_of(drawings: Any) -> list[list]:
    """Return each drawing's strokes, checked; raw ones are simplified."""
    try:
        one = np.ndim(drawings[0][0][0]) == 0
        return [checked(drawing) for drawing in ([drawings] if one else drawings)]
    except (TypeError, ValueError, LookupError) as error:
        what = f" ({error})" if isinstance(error, SkippedDrawing) else ""
        raise QuickdrawError(
            "this model takes strokes: lists of [[x0, x1, ...], [y0, y1, ...]] expected, 0...255"
            f"{what}. Received: {type(drawings).__name__} {reprlib.repr(drawings)}"
        ) from None


def _as_batch(images: Any, channels: int) -> list[np.ndarray]:
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
            return greyscale.on_black(greyscale.grey(picture), Polarity(told=False))[0]
    except SkippedDrawing as error:
        raise QuickdrawError(f"a picture that cannot be read: {error}") from None


def load(train_dir: str, checkpoint: Which = "best") -> TrainedModel:
    """Load the trained model of a run, calibrated if `quickdraw.calibrate` was run on it.

    Args:
        train_dir: the folder of the run.
        checkpoint: "best" on the validation records (the latest, where there were none), or
            "latest".

    Raises:
        QuickdrawError: no run, no checkpoint yet, or the model's code has changed since.
    """
    from quickdraw.runs import checkpoints

    run = record.read(train_dir)
    factory.warn_of_changed_code(run, train_dir)
    model = factory.build_model(run, to_predict=True)
    if checkpoint == "best" and checkpoints.has_best(train_dir):
        step = checkpoints.restore_best(model, train_dir)
    else:
        step = checkpoints.restore_latest(model, train_dir)
    return TrainedModel(model, run, step, calibration.load(train_dir, step))
