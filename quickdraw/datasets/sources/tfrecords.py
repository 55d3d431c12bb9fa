"""Existing TFRecords of `tf.train.Example`: with pictures, or with the strokes of a tutorial."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence

import numpy as np

from quickdraw import storage
from quickdraw.datasets.sources.base import DrawingFile, Read, Record
from quickdraw.datasets.sources.pictures import decode
from quickdraw.drawings.drawing import Drawing, SkippedDrawing, checked
from quickdraw.errors import BadRecordError
from quickdraw.records import example, tfrecord

_IDS = ("image_id", "key_id")
_HEADER_SIZE = 12  # of a record: its length, and the checksum of that
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")


class Records(DrawingFile):
    """A shard, unpacked. Records without a label are test records.

    Args:
        path: the shard.
        name: the shard as the user knows it.
        labels: names of the classes where labels are numbers; their decimals otherwise.
        image_key: feature with a PNG or JPEG, strokes light on dark. A record without it is read
            as one of TensorFlow's tutorial on recurrent networks for drawings, with `ink` (float32:
            steps in a unit box, and whether the pen was lifted) and `shape`. The box has lost the
            drawing's proportions.
        label_key: feature with an int64 or a name; `label` or `class_index` when not given.
        inverted: whether the pictures are dark on light.
    """

    def __init__(
        self,
        path: str,
        name: str,
        labels: Sequence[str] = (),
        image_key: str = "image",
        label_key: str | None = None,
        inverted: bool = False,
    ):
        super().__init__(path)
        self.name, self.labels = name, list(labels)
        self._image_key, self._inverted = image_key, inverted
        self._label_keys = (label_key,) if label_key else ("label", "class_index")

    def scan(self, start: int, stop: int) -> Iterator[Record]:
        with storage.open_binary(self.path) as file:
            position = 0
            for data in tfrecord.read(file, self.name):
                if isinstance(data, BadRecordError):
                    yield position, SkippedDrawing("a damaged record", str(data))
                else:
                    yield position, data
                position = file.tell()

    @contextlib.contextmanager
    def opened(self) -> Iterator[Read]:
        with super().opened() as read:
            yield lambda position, size: read(position + _HEADER_SIZE, size)

    def parse(self, position: int, data: bytes) -> Drawing:
        try:
            features = example.Example.FromString(data).features.feature
        except example.DecodeError:
            raise SkippedDrawing("not a tf.train.Example") from None
        values = {name: _value(features[name]) for name in features}
        key_id = next((text(values[name]) for name in _IDS if values.get(name)), "")
        word = self._word(values)
        if self._image_key in values:
            return Drawing(word, image=self._image(values[self._image_key]), key_id=key_id)
        if "ink" not in values:
            has = ", ".join(sorted(values)) or "none"
            raise SkippedDrawing(f"no feature {self._image_key!r}, nor 'ink'", has)
        return Drawing(word, checked(strokes_of(values["ink"]), raw=False), key_id=key_id)

    def place(self, position: int) -> str:
        return f"{self.name}, byte {position:,}"

    def _image(self, values: Sequence) -> np.ndarray:
        if len(values) != 1 or not isinstance(values[0], bytes):
            raise SkippedDrawing("an image that is not one PNG or JPEG", f"{len(values)} values")
        return decode(values[0], self._inverted)

    def _word(self, values: dict) -> str | None:
        label = next((values[key] for key in self._label_keys if values.get(key)), None)
        if label is None:
            return None
        if isinstance(label[0], bytes):
            return text(label)
        if not isinstance(label[0], int) or label[0] < 0:
            raise SkippedDrawing("a label that is no class", str(label[0]))
        if not self.labels:
            return str(label[0])
        if label[0] >= len(self.labels):
            raise SkippedDrawing("a label that is no class", f"{label[0]} of {len(self.labels)}")
        return self.labels[label[0]]


def text(values: Sequence) -> str:
    """Return the first value of a feature as text."""
    value = values[0]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def labels_beside(path: str) -> list[str]:
    """Return the classes in `NAME.classes` beside the tutorial's shards; none without it."""
    listing = f"{_SHARD.sub('', path)}.classes"
    if not os.path.exists(listing):
        return []
    with storage.open_binary(listing) as file:
        return [line.strip() for line in file.read().decode(errors="replace").splitlines()]


def strokes_of(ink: Sequence) -> list:
    """Return the strokes of the tutorial's `ink`, scaled to 0...255.

    Raises:
        SkippedDrawing: not three finite numbers a point.
    """
    steps = np.array(ink)
    if steps.dtype.kind != "f" or steps.size % 3 or not np.isfinite(steps).all():
        raise SkippedDrawing("ink that is not three finite numbers a point")
    steps = steps.reshape(-1, 3)
    places = np.concatenate((np.zeros((1, 2)), np.cumsum(steps[:, :2], axis=0)))
    places -= places.min(axis=0)
    points = np.rint(255 * places / (places.max() or 1.0)).astype(int)
    ends = np.flatnonzero(steps[:-1, 2] > 0.5) + 2
    return [part.T.tolist() for part in np.split(points, ends)]


def _value(feature: object) -> Sequence:
    """Return the values of a feature of any kind."""
    kind = feature.WhichOneof("kind")  # type: ignore[attr-defined]
    return getattr(feature, kind).value if kind else ()
