"""Readers: from TFRecords to batches of uint8 images, of ink, or both. Students may edit
`preprocess`.

Training and test records go through the same code and the same `preprocess`; the readers at the
end differ only in the feature that stands beside the drawing, and in what they read of that.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from quickdraw import storage
from quickdraw.errors import BadRecordError, QuickdrawError
from quickdraw.formats import dataset_info, features, ink, png, records
from quickdraw.formats.shard_reader import ShardReader
from quickdraw.inputs import Specs, specs, unwrapped
from quickdraw.settings import OnBadRecord

_LARGEST_SIDE = 1024
_MOST_CLASSES = 100_000  # where no dataset.json says how many there are


class BaseReader(ShardReader):
    """Reads TFRecords of drawings.

    Args:
        image_size: resize the images to this many pixels a side; None keeps their own size.
        num_classes: labels from here on are bad records; None takes it from dataset.json.
        on_bad_record: "error" stops at the first bad record, "skip" counts it and goes on.
        inputs: what to read of a drawing: "image", "ink" (see `quickdraw.formats.ink`), or both;
            None for what this class reads.
        max_points: how many points of the ink to keep, the first ones.

    Attributes:
        chosen: which records to decode, by their number over all files; None is every one.
    """

    inputs: tuple[str, ...] = ("image",)
    """What is read of a drawing."""

    target: str
    """The feature that is read beside the drawing."""

    target_dtype: type
    """Of the array of targets."""

    def __init__(
        self,
        image_size: int | None = None,
        num_classes: int | None = None,
        on_bad_record: OnBadRecord = "error",
        inputs: tuple[str, ...] | None = None,
        max_points: int = 128,
    ):
        super().__init__(on_bad_record)
        self.image_size = image_size
        self.inputs, self.max_points = inputs or self.inputs, max_points
        self.num_classes = num_classes
        self.chosen: Callable[[int], bool] | None = None

    def preprocess(self, images: np.ndarray) -> np.ndarray:
        """What is done to every image, for training and for test alike.

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

    def describe(self, patterns: str) -> dataset_info.DatasetInfo:
        """What the records are: dataset.json beside them, or what the first record shows.

        Without a dataset.json the labels are `num_classes` numbers, none if that is not known.
        """
        return self._describe(storage.expand(patterns))

    def _describe(self, files: list[str]) -> dataset_info.DatasetInfo:
        info = dataset_info.load(os.path.dirname(files[0]))
        if info is None:
            height, width, channels = self._first_size(files)
            names = [str(label) for label in range(self.num_classes or 0)]
            if height != width:
                raise QuickdrawError(
                    f"{files[0]}: square images expected. Received: {height}x{width}"
                )
            info = dataset_info.DatasetInfo(names, height, channels, source="no dataset.json")
        return info

    def specs(self, info: dataset_info.DatasetInfo) -> Specs:
        """Shape, without the batch, and dtype of each input."""
        size = self.image_size or info.image_size
        return specs(self.inputs, size, info.channels, self.max_points)

    def batches(self, patterns: str, batch_size: int) -> Iterator[tuple[Any, np.ndarray]]:
        """Yields (drawings, targets), in the order of the files and of the records in them.

        Drawings are images, uint8 `[batch, size, size, channels]`, or ink, int16 `[batch,
        max_points, 3]`, or a dictionary of both; the last batch may be smaller.

        Raises:
            QuickdrawError: no such file, no record at all, or (unless skipped) a bad record.
        """
        files = storage.expand(patterns)
        batches = self.batches_of(files, self._describe(files), batch_size)
        first = next(batches, None)
        if first is None:
            raise QuickdrawError(f"{patterns}: no usable record in {len(files)} file(s)")
        for arrays, targets in itertools.chain([first], batches):
            yield unwrapped(arrays), targets

    def batches_of(
        self, files: list[str], info: dataset_info.DatasetInfo, batch_size: int
    ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        """The batches of some files of a set that is described already; there may be none.

        Yields (arrays by input, targets).
        """
        shape = (info.image_size, info.image_size, info.channels)
        rows = self._rows(files, shape, self.num_classes or len(info.labels) or None)
        while batch := list(itertools.islice(rows, batch_size)):
            *columns, targets = zip(*batch, strict=True)
            arrays = {
                name: self._array(name, b"".join(column), shape)
                for name, column in zip(self.inputs, columns, strict=True)
            }
            yield arrays, np.asarray(targets, self.target_dtype)

    def dataset(self, patterns: str, batch_size: int = 128) -> Any:
        """The same batches as a plain `tf.data.Dataset`, read ahead."""
        import tensorflow as tf

        drawings = {
            name: tf.TensorSpec((None, *shape), dtype)
            for name, (shape, dtype) in self.specs(self.describe(patterns)).items()
        }
        kind = tf.string if self.target_dtype is object else self.target_dtype
        return tf.data.Dataset.from_generator(
            lambda: self.batches(patterns, batch_size),
            output_signature=(unwrapped(drawings), tf.TensorSpec((None,), kind)),
        ).prefetch(tf.data.AUTOTUNE)

    def parse_target(self, example: Any) -> Any:
        """The value that stands beside the drawing.

        Raises:
            ValueError: the feature is missing or of another type.
        """
        raise QuickdrawError(f"{type(self).__name__} must define parse_target(example)")

    def check_target(self, target: Any, num_classes: int | None) -> None:
        """Raises ValueError for a target that cannot be."""

    def _rows(
        self, files: list[str], shape: tuple[int, int, int], classes: int | None
    ) -> Iterator[tuple]:
        """Yields (bytes of the first input, …, target) of each good record."""
        parsers = [self._parser(name, shape) for name in self.inputs]
        for place, (path, number, data) in enumerate(self._records(files)):
            if self.chosen and not self.chosen(place):
                continue
            try:
                yield self._row(records.Example.FromString(data), parsers, classes)
            except (ValueError, records.DecodeError) as error:
                what = f"not a tf.train.Example ({error})"
                if isinstance(error, ValueError):
                    what = str(error)
                self._bad(BadRecordError(path, number, what))

    def _row(self, example: Any, parsers: list[Callable], classes: int | None) -> tuple:
        drawing = [parse(example) for parse in parsers]
        target = self.parse_target(example)
        self.check_target(target, classes)
        return *drawing, target

    def _parser(self, name: str, shape: tuple[int, int, int]) -> Callable[[Any], bytes]:
        """What takes from one Example the bytes that `_array` makes an array of."""
        if name == "ink":
            return lambda example: ink.padded(features.ink_of(example), self.max_points).tobytes()
        return lambda example: png.inflate(features.bytes_of(example, "image"), *shape)

    def _array(self, name: str, content: bytes, shape: tuple[int, int, int]) -> np.ndarray:
        if name == "ink":
            return np.frombuffer(content, ink.DTYPE).reshape(-1, self.max_points, 3)
        height, width, channels = shape
        rows = np.frombuffer(content, np.uint8).reshape(-1, height, 1 + width * channels)
        return self.preprocess(png.unfilter(rows, channels).reshape(-1, *shape))

    def _first_size(self, files: list[str]) -> tuple[int, int, int]:
        """Height, width and channels of the first image that has them.

        Reads with a reader of its own: bad records are counted when the batches are read.
        """
        scout = type(self)(on_bad_record=self.on_bad_record)
        for path, number, data in scout._records(files):
            try:
                size = png.size(features.bytes_of(records.Example.FromString(data), "image"))
                if max(size) > _LARGEST_SIDE:
                    raise ValueError(
                        f"images of at most {_LARGEST_SIDE} pixels a side expected. "
                        f"Received: {size[0]}x{size[1]}"
                    )
                return size
            except (ValueError, records.DecodeError) as error:
                scout._bad(BadRecordError(path, number, str(error)))
        raise QuickdrawError(f"{files[0]}: no usable record in {len(files)} file(s)")


class QuickDrawFeatureReader(BaseReader):
    """Training and validation records: `image` and `label` (int64)."""

    target = "label"
    target_dtype = np.int64

    def parse_target(self, example: Any) -> int:
        return features.int_of(example, "label")

    def check_target(self, target: int, num_classes: int | None) -> None:
        classes = num_classes or _MOST_CLASSES
        if not 0 <= target < classes:
            raise ValueError(f"the label must be 0…{classes - 1}. Received: {target}")


class StrokeReader(QuickDrawFeatureReader):
    """Training and validation records with strokes: `image`, `ink`, `shape`, and `label`."""

    inputs = ("image", "ink")


class QuickDrawTestFeatureReader(BaseReader):
    """Test records: `image` and `image_id` (bytes)."""

    target = "image_id"
    target_dtype = object  # bytes of any length

    def parse_target(self, example: Any) -> bytes:
        return features.bytes_of(example, "image_id")

    def check_target(self, target: bytes, num_classes: int | None) -> None:
        try:
            target.decode()
        except UnicodeDecodeError:
            raise ValueError(f"'image_id' must be UTF-8 text. Received: {target!r}") from None


class StrokeTestReader(QuickDrawTestFeatureReader):
    """Test records with strokes: `image`, `ink`, `shape`, and `image_id`."""

    inputs = ("image", "ink")


def _resize(image: np.ndarray, side: tuple[int, int]) -> np.ndarray:
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    return np.asarray(picture.resize(side, Image.Resampling.LANCZOS))
