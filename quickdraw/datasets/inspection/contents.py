"""TFRecords of drawings, whatever their sizes and labels, as batches for `inspect`.

Unlike a reader it stops at nothing: what is wrong with a record is noted and the next one is read.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from quickdraw.datasets import splits
from quickdraw.errors import BadRecordError
from quickdraw.records import png
from quickdraw.records.example import DecodeError, Example, bytes_of, id_of, int_of
from quickdraw.records.shards import BadRecords, read_shards, renumber

UNLABELLED = -1
"""The class of test records."""
_LARGEST_LABEL = 9999
_LARGEST_SIDE = 1024
_BATCH_BYTES = 6 << 20
_BAD_SHOWN = 100
_HEADER_BYTES = 29
"""Signature and IHDR chunk of a PNG, without the checksum: the same for all images of a size."""

Shape = tuple[int, int, int]
"""Height, width and channels."""
_Row = tuple[bytes, int, str, int, int]
"""A record: filtered pixels, label, image_id, index of the file and position in it."""


@dataclasses.dataclass
class Batch:
    """Drawings of one size.

    Attributes:
        images: uint8 `[n, height, width]`; of a colour image the strongest channel.
        keys: uint64 `[n]`, equal where the pixels are.
        labels: int64 `[n]`; `UNLABELLED` for test records.
        files: int64 `[n]`, index of the file.
        numbers: int64 `[n]`, the record's position in its file, from 0.
        ids: n texts, the `image_id` of test records.
    """

    images: np.ndarray
    keys: np.ndarray
    labels: np.ndarray
    files: np.ndarray
    numbers: np.ndarray
    ids: list[str]


class Contents:
    """What files hold: drawings in batches, and counts of everything else.

    Args:
        files: the shards.
        num_classes: labels from here on are bad; None where nobody knows.
        numbers: by folder, what to take each label for; of folders that have them in another order.

    Attributes:
        files: the shards.
        splits: of each file, from the start of its name.
        sizes: (height, width, channels) → records.
        features: (name, kind) → records.
        bad: the records that cannot be used.
    """

    def __init__(
        self,
        files: list[str],
        num_classes: int | None = None,
        numbers: Mapping[str, list[int]] | None = None,
    ):
        self.files = files
        self._numbers = [(numbers or {}).get(os.path.dirname(path)) for path in files]
        self.splits = [split_in_name(path) for path in files]
        self.sizes: collections.Counter[Shape] = collections.Counter()
        self.features: collections.Counter[tuple[str, str]] = collections.Counter()
        self.bad = BadRecords("skip", _BAD_SHOWN)
        self._shapes: dict[bytes, Shape] = {}
        self._largest_label = _LARGEST_LABEL if num_classes is None else num_classes - 1

    @property
    def first_bad(self) -> list[BadRecordError]:
        """The first records that cannot be used."""
        return [error for error in self.bad.first if isinstance(error, BadRecordError)]

    def batches(self) -> Iterator[Batch]:
        """Yield every usable drawing, those of one size together."""
        waiting: dict[Shape, list[_Row]] = collections.defaultdict(list)
        names: collections.Counter[tuple[str, ...]] = collections.Counter()
        kinds: dict[str, str] = {}
        for file, path, number, data in read_shards(self.files, self.bad):
            try:
                example = Example.FromString(data)
                names[tuple(example.features.feature)] += 1
                _note_kinds(example, kinds)
                shape, pixels, label, image_id = self._parse(example)
            except (ValueError, DecodeError) as error:
                self.bad.add(BadRecordError(path, number, _reason(error)))
                continue
            rows = waiting[shape]
            rows.append((pixels, label, image_id, file, number))
            if len(rows) * len(pixels) > _BATCH_BYTES:
                yield self._batch(shape, waiting.pop(shape))
        for shape, rows in waiting.items():
            yield self._batch(shape, rows)
        for together, count in names.items():
            self.features.update({(name, kinds.get(name, "?")): count for name in together})

    def _parse(self, example: Any) -> tuple[Shape, bytes, int, str]:
        """Return the image's shape, its filtered pixels, the label and the image_id.

        Raises:
            ValueError: something about the record is wrong.
        """
        image = bytes_of(example, "image")
        shape = self._shape(image)
        label, image_id = UNLABELLED, ""
        features = example.features.feature
        if "label" in features:
            label = int_of(example, "label")
            if not 0 <= label <= self._largest_label:
                raise ValueError(f"the label must be 0…{self._largest_label}. Received: {label}")
        elif "image_id" in features:
            image_id = id_of(example, "image_id").decode("utf-8", "replace")
        else:
            raise ValueError(
                f"neither 'label' nor 'image_id'. The record has: {', '.join(sorted(features))}"
            )
        return shape, png.inflate(image, *shape), label, image_id

    def _shape(self, image: bytes) -> Shape:
        header = image[:_HEADER_BYTES]
        shape = self._shapes.get(header)
        if shape is None:
            shape = png.size(image)
            if max(shape) > _LARGEST_SIDE:
                raise ValueError(
                    f"images of at most {_LARGEST_SIDE} pixels a side expected. "
                    f"Received: {shape[0]}x{shape[1]}"
                )
            self._shapes[header] = shape
        return shape

    def _batch(self, shape: Shape, rows: list[_Row]) -> Batch:
        self.sizes[shape] += len(rows)
        height, width, channels = shape
        pixels, labels, ids, files, numbers = zip(*rows, strict=True)
        flat = np.frombuffer(b"".join(pixels), np.uint8).reshape(len(rows), height, -1)
        images = np.ascontiguousarray(png.unfilter(flat, channels))
        keys = np.array([splits.key_of(splits.content_of(image)) for image in images], np.uint64)
        if channels > 1:
            images = images.reshape(-1, height, width, channels).max(axis=3)
        classes = np.array(labels)
        renumber(classes, files, self._numbers)
        return Batch(images, keys, classes, np.array(files), np.array(numbers), list(ids))


def split_in_name(path: str) -> str:
    """Return what the name of a shard starts with: `train` of `train-00000-of-00004.tfrecords`."""
    name = os.path.basename(path)
    match = re.match(r"(.*?[a-zA-Z])[-_.]?\d+(?:-of-\d+|\.|$)", name)
    return (match[1] if match else name).split(".")[0]


def _note_kinds(example: Any, kinds: dict[str, str]) -> None:
    """Add the kinds of features that are new: bytes, float, int64 or empty."""
    features = example.features.feature
    for name in features:
        if name not in kinds:
            kinds[name] = (features[name].WhichOneof("kind") or "empty").removesuffix("_list")


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"not a tf.train.Example ({error})"
