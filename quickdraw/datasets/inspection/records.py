"""TFRecords of drawings, whatever their sizes and labels, as batches for `inspect`.

Unlike a reader it stops at nothing: what is wrong with a record is noted and the next one is read.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from quickdraw import storage
from quickdraw.datasets import splits
from quickdraw.errors import BadRecordError
from quickdraw.formats import png, records

UNLABELLED = -1
"""The class of test records."""
_LARGEST_LABEL = 9999
_LARGEST_SIDE = 1024
_BATCH_BYTES = 6 << 20
_FIRST = 100

Shape = tuple[int, int, int]


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


class Records:
    """Reads files and counts what they hold besides pixels.

    Args:
        files: the shards.
        classes: labels from here on are bad; None where nobody knows.

    Attributes:
        splits: of each file, from the start of its name.
        sizes: (height, width, channels) → records.
        features: (name, kind) → records.
        bad: how many records cannot be used.
        first_bad: the first of them.
    """

    def __init__(self, files: list[str], classes: int | None = None):
        self.files = files
        self.splits = [split_of(path) for path in files]
        self.sizes: collections.Counter[Shape] = collections.Counter()
        self.features: collections.Counter[tuple[str, str]] = collections.Counter()
        self.bad = 0
        self.first_bad: list[BadRecordError] = []
        self._shapes: dict[bytes, Shape] = {}
        self._largest_label = _LARGEST_LABEL if classes is None else classes - 1

    def batches(self) -> Iterator[Batch]:
        """Yields every usable drawing, those of one size together."""
        rows: dict[Shape, list[tuple]] = {}
        features: collections.Counter[tuple[str, ...]] = collections.Counter()
        kinds: dict[str, str] = {}
        for file, number, data in self._read():
            try:
                example = records.Example.FromString(data).features.feature
                features[tuple(example)] += 1
                shape, row = self._parse(example, kinds)
            except (ValueError, records.DecodeError) as error:
                self._note_bad(BadRecordError(self.files[file], number, _reason(error)))
                continue
            waiting = rows.setdefault(shape, [])
            waiting.append((*row, file, number))
            if len(waiting) * len(row[0]) > _BATCH_BYTES:
                yield self._batch(shape, rows.pop(shape))
        for shape, waiting in rows.items():
            yield self._batch(shape, waiting)
        for names, count in features.items():
            self.features.update({(name, kinds.get(name, "?")): count for name in names})

    def _read(self) -> Iterator[tuple[int, int, bytes]]:
        for index, path in enumerate(self.files):
            number = -1
            with storage.open_binary(path) as file:
                for number, data in enumerate(records.read(file, path)):
                    if isinstance(data, BadRecordError):
                        self._note_bad(data)
                    else:
                        yield index, number, data
            if number < 0:
                self._note_bad(BadRecordError(path, 0, "the file is empty"))

    def _parse(self, example: Any, kinds: dict[str, str]) -> tuple[Shape, tuple[bytes, int, str]]:
        for name in example:
            if name not in kinds:
                kinds[name] = (example[name].WhichOneof("kind") or "empty").removesuffix("_list")
        image = _one(example, "image", "bytes_list")
        shape = self._shape(image)
        label, text = UNLABELLED, ""
        if "label" in example:
            label = _one(example, "label", "int64_list")
            if not 0 <= label <= self._largest_label:
                raise ValueError(f"the label must be 0…{self._largest_label}. Received: {label}")
        elif "image_id" in example:
            text = _one(example, "image_id", "bytes_list").decode("utf-8", "replace")
        else:
            raise ValueError(
                f"neither 'label' nor 'image_id'. The record has: {', '.join(sorted(example))}"
            )
        return shape, (png.inflate(image, *shape), label, text)

    def _shape(self, image: bytes) -> Shape:
        # All images of a size start with the same 29 bytes.
        shape = self._shapes.get(image[:29])
        if shape is None:
            shape = png.size(image)
            if max(shape) > _LARGEST_SIDE:
                raise ValueError(
                    f"images of at most {_LARGEST_SIDE} pixels a side expected. "
                    f"Received: {shape[0]}x{shape[1]}"
                )
            self._shapes[image[:29]] = shape
        return shape

    def _note_bad(self, error: BadRecordError) -> None:
        self.bad += 1
        if len(self.first_bad) < _FIRST:
            self.first_bad.append(error)

    def _batch(self, shape: Shape, rows: list[tuple]) -> Batch:
        self.sizes[shape] += len(rows)
        height, width, channels = shape
        pixels, labels, ids, files, numbers = zip(*rows, strict=True)
        flat = np.frombuffer(b"".join(pixels), np.uint8).reshape(len(rows), height, -1)
        images = np.ascontiguousarray(png.unfilter(flat, channels))
        keys = np.array([splits.key_of(splits.content_of(image)) for image in images], np.uint64)
        if channels > 1:
            images = images.reshape(-1, height, width, channels).max(axis=3)
        return Batch(images, keys, np.array(labels), np.array(files), np.array(numbers), list(ids))


def split_of(path: str) -> str:
    """What the name of a shard starts with: `train` of `train-00000-of-00004.tfrecords`."""
    name = os.path.basename(path)
    match = re.match(r"(.*?[a-zA-Z])[-_.]?\d+(?:-of-\d+|\.|$)", name)
    return (match[1] if match else name).split(".")[0]


def _one(example: Any, name: str, kind: str) -> Any:
    if name not in example:
        raise ValueError(f"no feature {name!r}. The record has: {', '.join(sorted(example))}")
    values = getattr(example[name], kind).value
    if len(values) != 1:
        wanted = kind.removesuffix("_list")
        raise ValueError(f"{name!r} must be one {wanted} value. Received: {len(values)} of them")
    return values[0]


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"not a tf.train.Example ({error})"
