"""Readers: which features of a record are read, and what is done to every image.

Students may edit `preprocess`. Training, validation and test records go through the same one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from quickdraw.components.record_reader import RecordReader
from quickdraw.records import example

__all__ = [
    "BaseReader",
    "QuickDrawFeatureReader",
    "QuickDrawTestFeatureReader",
    "StrokeReader",
    "StrokeTestReader",
]

_MOST_CLASSES = 100_000  # where no dataset.json says how many there are


class BaseReader(RecordReader):
    """What the readers share; see `RecordReader` for its arguments and methods."""

    def preprocess(self, images: np.ndarray) -> np.ndarray:
        """Change every image, for training and for test alike.

        Args:
            images: uint8 `[batch, height, width, channels]`, strokes 255 on 0.

        Returns:
            uint8 `[batch, image_size, image_size, channels]`.
        """
        if self.image_size is None or images.shape[1:3] == (self.image_size, self.image_size):
            return images
        side = (self.image_size, self.image_size)
        resized = [_resize(image, side) for image in images]
        return np.stack(resized).reshape(len(images), *side, images.shape[3])

    def parse_target(self, record: Any) -> Any:
        """Return nothing: a reader of images alone; those below read a label or an id."""
        return None


class QuickDrawFeatureReader(BaseReader):
    """Training and validation records: `image` and `label` (int64)."""

    target = "label"
    target_dtype = np.int64

    def parse_target(self, record: Any) -> int:
        return example.int_of(record, "label")

    def check_target(self, target: int, num_classes: int | None) -> None:
        classes = num_classes or _MOST_CLASSES
        if not 0 <= target < classes:
            raise ValueError(f"the label must be 0…{classes - 1}. Received: {target}")


class StrokeReader(QuickDrawFeatureReader):
    """Training and validation records with strokes: `image`, `ink`, `shape`, and `label`."""

    inputs = ("image", "ink")


class QuickDrawTestFeatureReader(BaseReader):
    """Test records: `image` and `image_id` (bytes, or int64: its digits)."""

    target = "image_id"
    target_dtype = object  # bytes of any length

    def parse_target(self, record: Any) -> bytes:
        return example.id_of(record, "image_id")

    def check_target(self, target: bytes, num_classes: int | None) -> None:
        try:
            target.decode()
        except UnicodeDecodeError:
            raise ValueError(f"'image_id' must be UTF-8 text. Received: {target!r}") from None


class StrokeTestReader(QuickDrawTestFeatureReader):
    """Test records with strokes: `image`, `ink`, `shape`, and `image_id`."""

    inputs = ("image", "ink")


def _resize(image: np.ndarray, side: tuple[int, int]) -> np.ndarray:
    """Resize uint8 `[height, width, channels]` to uint8 `[*side]` or `[*side, 3]`."""
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    return np.asarray(picture.resize(side, Image.Resampling.LANCZOS))
