"""The machinery below the readers: from TFRecords to batches, whatever stands beside a drawing."""

from __future__ import annotations

import abc
import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from quickdraw.components.inputs import Batch, ModelInputs, Specs, preprocessed, specs, unwrapped
from quickdraw.console import log
from quickdraw.errors import BadRecordError, QuickdrawError
from quickdraw.records import dataset_info, example, ink, listing, png
from quickdraw.records.shards import BadRecords, OnBadRecord, Shards, read_shards

_LARGEST_SIDE = 1024
_Parser = Callable[[example.Example], bytes]


class RecordReader(abc.ABC):
    """Reads TFRecords of drawings.

    Args:
        image_size: resize the images to this many pixels a side; None keeps their own size.
        num_classes: labels from here on are bad records; None takes it from dataset.json.
        on_bad_record: "error" stops at the first bad record, "skip" counts it and goes on.
        inputs: what to read of a drawing: "image", "ink" (see `quickdraw.records.ink`), or both;
            None for what this class reads.
        max_points: how many points of the ink to keep, the first ones.
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
        self.image_size, self.num_classes = image_size, num_classes
        self.on_bad_record = on_bad_record
        self.inputs, self.max_points = inputs or self.inputs, max_points

    @abc.abstractmethod
    def preprocess(self, images: np.ndarray) -> np.ndarray:
        """Change images, uint8 `[batch, height, width, channels]`; see `readers.BaseReader`."""

    @abc.abstractmethod
    def parse_target(self, record: Any) -> Any:
        """Return the value that stands beside the drawing in a `tf.train.Example`.

        Raises:
            ValueError: the feature is missing or of another type.
        """

    def check_target(self, target: Any, num_classes: int | None) -> None:
        """Raise ValueError for a target that cannot be; any will do here."""
        return

    def open(
        self, patterns: str, labels: Sequence[str] | None = None, whose: str = "the run"
    ) -> Shards:
        """List the files that patterns name, and describe what is in them.

        The description is the dataset.json beside the first file, or what the first record shows.
        Folders are compared by the names of their classes: a `label` that is read is a number of
        one list, whatever it is in its own folder.

        Args:
            patterns: comma-separated.
            labels: that list; each folder's names must be among them. Without it, the list of the
                first folder that has one; all must have the same names.
            whose: whose list it is, in words.

        Raises:
            QuickdrawError: no such file, no usable record, or other names.
        """
        files, passed_over = listing.find(patterns, self.target)
        if passed_over:
            log(passed_over)
        infos = dataset_info.beside(files)
        info = infos[os.path.dirname(files[0])]
        if info is None:
            height, width, channels = self._first_size(files)
            if height != width:
                raise QuickdrawError(
                    f"{files[0]}: square images expected. Received: {height}x{width}"
                )
            info = dataset_info.DatasetInfo([], height, channels, source="no dataset.json")
        if self.target == "label":
            names, numbers = dataset_info.in_one_order(infos, labels, whose)
        else:
            names, numbers = dataset_info.one_list(infos), {}
        return Shards(patterns, files, dataclasses.replace(info, labels=names), numbers)

    def classes(self, shards: Shards) -> int | None:
        """Return how many classes there are; labels from there on are bad records."""
        return self.num_classes or len(shards.info.labels) or None

    def specs(self, info: dataset_info.DatasetInfo) -> Specs:
        """Return the shape, without the batch, and the dtype of each input."""
        size = self.image_size or info.image_size
        return specs(self.inputs, size, info.channels, self.max_points)

    def read(
        self,
        shards: Shards,
        batch_size: int,
        bad: BadRecords,
        chosen: Callable[[int], bool] = lambda number: True,
    ) -> Iterator[Batch]:
        """Yield (inputs by name, targets) in the order of the files and of the records in them.

        Args:
            shards: what to read.
            batch_size: how many drawings at once; the last batch may be smaller.
            bad: gets the records that cannot be used.
            chosen: which records to decode, by their number over all files.

        Returns:
            `image`, uint8 `[batch, size, size, channels]`, and `ink`, int16 `[batch, max_points,
            3]`, as far as the reader has them; targets `[batch]`, int32 labels or ids.
        """
        shape = (shards.info.image_size, shards.info.image_size, shards.info.channels)
        rows = self._rows(shards, shape, bad, chosen)
        while batch := list(itertools.islice(rows, batch_size)):
            *columns, targets, files = zip(*batch, strict=True)
            arrays = {
                name: self._array(name, b"".join(column), shape)
                for name, column in zip(self.inputs, columns, strict=True)
            }
            yield arrays, shards.renumbered(np.asarray(targets, self.target_dtype), files)

    def batches(
        self, patterns: str, batch_size: int, bad: BadRecords | None = None
    ) -> Iterator[tuple[ModelInputs, np.ndarray]]:
        """Yield (drawings, targets), in the order of the files and of the records in them.

        Drawings are images, uint8 `[batch, size, size, channels]`, or ink, int16 `[batch,
        max_points, 3]`, or a dictionary of both; the last batch may be smaller. `bad` gets the
        records that cannot be used.

        Raises:
            QuickdrawError: no such file, no record at all, or (unless skipped) a bad record.
        """
        shards = self.open(patterns)
        for arrays, targets in self.some(shards, batch_size, bad):
            yield unwrapped(arrays), targets

    def some(
        self, shards: Shards, batch_size: int, bad: BadRecords | None = None
    ) -> Iterator[Batch]:
        """Yield what `read` does, of the same shapes; one batch at least.

        Raises:
            QuickdrawError: no usable record, or (unless skipped) a bad one.
        """
        batches = self.read(shards, batch_size, bad or BadRecords(self.on_bad_record))
        first = next(batches, None)
        if first is None:
            raise shards.nothing_usable()
        yield first
        yield from batches

    def dataset(self, patterns: str, batch_size: int = 128) -> Any:
        """Return the same batches as a plain `tf.data.Dataset`, read ahead."""
        import tensorflow as tf

        drawings = {
            name: tf.TensorSpec((None, *shape), dtype)
            for name, (shape, dtype) in self.specs(self.open(patterns).info).items()
        }
        kind = tf.string if self.target_dtype is object else self.target_dtype
        return tf.data.Dataset.from_generator(
            lambda: self.batches(patterns, batch_size),
            output_signature=(unwrapped(drawings), tf.TensorSpec((None,), kind)),
        ).prefetch(tf.data.AUTOTUNE)

    def _rows(
        self,
        shards: Shards,
        shape: tuple[int, int, int],
        bad: BadRecords,
        chosen: Callable[[int], bool],
    ) -> Iterator[tuple[object, ...]]:
        """Yield (bytes of the first input, …, target, index of its file) of each good record."""
        parsers = [self._parser(name, shape) for name in self.inputs]
        own = map(shards.numbers_of, shards.files)
        classes = [self.classes(shards) if one is None else len(one) for one in own]
        for place, (file, path, number, data) in enumerate(shards.read(bad)):
            if not chosen(place):
                continue
            try:
                record = example.Example.FromString(data)
                yield *self._row(record, parsers, classes[file]), file
            except (ValueError, example.DecodeError) as error:
                what = f"not a tf.train.Example ({error})"
                if isinstance(error, ValueError):
                    what = str(error)
                bad.add(BadRecordError(path, number, what))

    def _row(self, record: Any, parsers: list[_Parser], classes: int | None) -> tuple[object, ...]:
        drawing = [parse(record) for parse in parsers]
        target = self.parse_target(record)
        self.check_target(target, classes)
        return *drawing, target

    def _parser(self, name: str, shape: tuple[int, int, int]) -> _Parser:
        """Return what takes from one Example the bytes that `_array` makes an array of."""
        if name == "ink":
            return lambda record: ink.padded(example.ink_of(record), self.max_points).tobytes()
        return lambda record: png.inflate(example.bytes_of(record, "image"), *shape)

    def _array(self, name: str, content: bytes, shape: tuple[int, int, int]) -> np.ndarray:
        if name == "ink":
            return np.frombuffer(content, ink.DTYPE).reshape(-1, self.max_points, 3)
        height, width, channels = shape
        rows = np.frombuffer(content, np.uint8).reshape(-1, height, 1 + width * channels)
        images = png.unfilter(rows, channels).reshape(-1, *shape)
        return preprocessed(self.preprocess, images, self.image_size)

    def _first_size(self, files: list[str]) -> tuple[int, int, int]:
        """Return height, width and channels of the first image that has them."""
        bad = BadRecords(self.on_bad_record)  # they are counted when the batches are read
        for _, path, number, data in read_shards(files, bad):
            try:
                size = png.size(example.bytes_of(example.Example.FromString(data), "image"))
                if max(size) > _LARGEST_SIDE:
                    raise ValueError(
                        f"images of at most {_LARGEST_SIDE} pixels a side expected. "
                        f"Received: {size[0]}x{size[1]}"
                    )
                return size
            except (ValueError, example.DecodeError) as error:
                bad.add(BadRecordError(path, number, str(error)))
        raise QuickdrawError(f"{files[0]}: no usable record in {len(files)} file(s)")
