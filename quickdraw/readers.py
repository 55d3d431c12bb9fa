"""Readers: from PNG TFRecords to batches of uint8 images. Students may edit `preprocess`.

Training and test records go through the same code and the same `preprocess`; the two readers at
the end differ only in the feature that stands beside the image.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from quickdraw import dataset_info, png, records, storage
from quickdraw.errors import BadRecordError, QuickdrawError
from quickdraw.progress import log
from quickdraw.settings import OnBadRecord

_LARGEST_SIDE = 1024
_MOST_CLASSES = 100_000  # where no dataset.json says how many there are


class BaseReader:
    """Reads PNG TFRecords.

    Args:
        image_size: resize the images to this many pixels a side; None keeps their own size.
        num_classes: labels from here on are bad records; None takes it from dataset.json.
        on_bad_record: "error" stops at the first bad record, "skip" counts it and goes on.

    Attributes:
        chosen: which records to decode, by their number over all files; None is every one.
        bad_records: how many were skipped so far.
        first_bad_records: the first few of them, for a report.
    """

    target: str
    """The feature that is read beside `image`."""

    target_dtype: type
    """Of the array of targets."""

    def __init__(
        self,
        image_size: int | None = None,
        num_classes: int | None = None,
        on_bad_record: OnBadRecord = "error",
    ):
        self.image_size = image_size
        self.num_classes = num_classes
        self.on_bad_record = on_bad_record
        self.chosen: Callable[[int], bool] | None = None
        self.bad_records = 0
        self.first_bad_records: list[QuickdrawError] = []

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

    def batches(self, patterns: str, batch_size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields (images, targets), in the order of the files and of the records in them.

        Images are uint8 `[batch, size, size, channels]`; the last batch may be smaller.

        Raises:
            QuickdrawError: no such file, no record at all, or (unless skipped) a bad record.
        """
        files = storage.expand(patterns)
        batches = self.batches_of(files, self._describe(files), batch_size)
        first = next(batches, None)
        if first is None:
            raise QuickdrawError(f"{patterns}: no usable record in {len(files)} file(s)")
        yield first
        yield from batches

    def batches_of(
        self, files: list[str], info: dataset_info.DatasetInfo, batch_size: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The batches of some files of a set that is described already; there may be none."""
        shape = (info.image_size, info.image_size, info.channels)
        rows = self._rows(files, shape, self.num_classes or len(info.labels) or None)
        while batch := list(itertools.islice(rows, batch_size)):
            pixels, targets = zip(*batch, strict=True)
            flat = np.frombuffer(b"".join(pixels), np.uint8).reshape(len(batch), shape[0], -1)
            images = png.unfilter(flat, info.channels).reshape(-1, *shape)
            yield self.preprocess(images), np.asarray(targets, self.target_dtype)

    def dataset(self, patterns: str, batch_size: int = 128) -> Any:
        """The same batches as a plain `tf.data.Dataset`, read ahead."""
        import tensorflow as tf

        info = self.describe(patterns)
        size = self.image_size or info.image_size
        kind = tf.string if self.target_dtype is object else self.target_dtype
        signature = (
            tf.TensorSpec((None, size, size, info.channels), tf.uint8),
            tf.TensorSpec((None,), kind),
        )
        return tf.data.Dataset.from_generator(
            lambda: self.batches(patterns, batch_size), output_signature=signature
        ).prefetch(tf.data.AUTOTUNE)

    def report_bad_records(self) -> None:
        """Says how many records were skipped, and which the first of them were."""
        if self.bad_records:
            shown = "".join(f"\n  {error}" for error in self.first_bad_records)
            log(
                f"warning: {self.bad_records:,} bad records were skipped, the first of them:{shown}"
            )

    def parse(self, example: Any) -> tuple[bytes, Any]:
        """The PNG and the target of a `tf.train.Example`.

        Raises:
            ValueError: a feature is missing or of another type.
        """
        return _bytes_feature(example, "image"), self.parse_target(example)

    def parse_target(self, example: Any) -> Any:
        """The value that stands beside the image."""
        raise QuickdrawError(f"{type(self).__name__} must define parse_target(example)")

    def check_target(self, target: Any, num_classes: int | None) -> None:
        """Raises ValueError for a target that cannot be."""

    def _rows(
        self, files: list[str], shape: tuple[int, int, int], classes: int | None
    ) -> Iterator[tuple[bytes, Any]]:
        """Yields (filtered rows of the PNG, target) of each good record."""
        for place, (path, number, data) in enumerate(self._records(files)):
            if self.chosen and not self.chosen(place):
                continue
            try:
                image, target = self.parse(records.Example.FromString(data))
                self.check_target(target, classes)
                yield png.inflate(image, *shape), target
            except (ValueError, records.DecodeError) as error:
                what = f"not a tf.train.Example ({error})"
                if isinstance(error, ValueError):
                    what = str(error)
                self._bad(BadRecordError(path, number, what))

    def _records(self, files: list[str]) -> Iterator[tuple[str, int, bytes]]:
        for path in files:
            number = -1
            with storage.open_binary(path) as file:
                for number, data in enumerate(records.read(file, path)):
                    if isinstance(data, BadRecordError):
                        self._bad(data)
                    else:
                        yield path, number, data
            if number < 0:
                self._bad(BadRecordError(path, 0, "the file is empty"))

    def _bad(self, error: BadRecordError) -> None:
        if self.on_bad_record == "error":
            raise error
        self.bad_records += 1
        if len(self.first_bad_records) < 5:
            self.first_bad_records.append(error)

    def _first_size(self, files: list[str]) -> tuple[int, int, int]:
        """Height, width and channels of the first image that has them.

        Reads with a reader of its own: bad records are counted when the batches are read.
        """
        scout = type(self)(on_bad_record=self.on_bad_record)
        for path, number, data in scout._records(files):
            try:
                size = png.size(_bytes_feature(records.Example.FromString(data), "image"))
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
        values = _feature(example, "label").int64_list.value
        if len(values) != 1:
            raise ValueError(f"'label' must be one int64. Received: {len(values)} of them")
        return values[0]

    def check_target(self, target: int, num_classes: int | None) -> None:
        classes = num_classes or _MOST_CLASSES
        if not 0 <= target < classes:
            raise ValueError(f"the label must be 0…{classes - 1}. Received: {target}")


class QuickDrawTestFeatureReader(BaseReader):
    """Test records: `image` and `image_id` (bytes)."""

    target = "image_id"
    target_dtype = object  # bytes of any length

    def parse_target(self, example: Any) -> bytes:
        return _bytes_feature(example, "image_id")

    def check_target(self, target: bytes, num_classes: int | None) -> None:
        try:
            target.decode()
        except UnicodeDecodeError:
            raise ValueError(f"'image_id' must be UTF-8 text. Received: {target!r}") from None


def _resize(image: np.ndarray, side: tuple[int, int]) -> np.ndarray:
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    return np.asarray(picture.resize(side, Image.Resampling.LANCZOS))


def _feature(example: Any, name: str) -> Any:
    features = example.features.feature
    if name in features:
        return features[name]
    has = ", ".join(sorted(features)) or "none"
    hint = ""
    if name == "label" and "image_id" in features:
        hint = ". This looks like test data: training and evaluation need labels"
    if name == "image_id" and "label" in features:
        hint = ". This looks like training data: inference reads test records"
    raise ValueError(f"no feature {name!r}. The record has: {has}{hint}")


def _bytes_feature(example: Any, name: str) -> bytes:
    values = _feature(example, name).bytes_list.value
    if len(values) != 1:
        raise ValueError(f"{name!r} must be one bytes value. Received: {len(values)} of them")
    return values[0]
