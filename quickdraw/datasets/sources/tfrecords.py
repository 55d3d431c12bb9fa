"""Existing TFRecords of `tf.train.Example`: with pictures, or with the strokes of a tutorial."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from quickdraw import storage
from quickdraw.console import log
from quickdraw.datasets.sources import bare_pixels, names
from quickdraw.datasets.sources.base import DrawingFile, Read, Record
from quickdraw.datasets.sources.idx import TRANSPOSED, is_transposed
from quickdraw.datasets.sources.labelling import IDS, KEYS, Feature, Labelling, Values, values_of
from quickdraw.drawings import Strokes, greyscale, key_ids
from quickdraw.drawings.drawing import Drawing, SkippedDrawing, checked, key_id_of, lost_id, rest_of
from quickdraw.errors import BadRecordError, QuickdrawError
from quickdraw.records import dataset_info, tfrecord
from quickdraw.records.class_names import clean, spaced

_OF_A_SET = re.compile(r"(.+)-[a-z]+\.tfrecord-\d{5}-of-\d{5}$")
_NUMBER = re.compile(r"-\d{5}-of-\d{5}$")
_SHARD = re.compile(r"(.*?)-?(\d+)-of-(\d+)(.*)")
_HEADER_SIZE = 12  # of a record: its length, and the checksum of that


class Records(DrawingFile):
    """A shard, unpacked; the records of one without labels are test records.

    Args:
        path: the shard.
        name: the shard as the user knows it.
        labelling: how its records are labelled.
        image_key: feature with a PNG or JPEG, strokes light on dark. A record without it is read
            as one of TensorFlow's tutorial on recurrent networks for drawings, with `ink` (float32:
            steps in a unit box, and whether the pen was lifted) and `shape`. The box has lost the
            drawing's proportions.
    """

    def __init__(
        self,
        path: str,
        name: str,
        labelling: Labelling,
        image_key: str = "image",
    ):
        super().__init__(path)
        self.name, self._labelling = name, labelling
        self._image_key = image_key
        self._is_transposed = is_transposed(name)

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
        values = values_of(data)
        word = self._labelling.word(values)
        known = Drawing(word, [], key_id=_key_id(values, is_test=word is None))
        try:
            if self._image_key in values:
                image, adjusted = greyscale.on_black(self._grey(values), self.polarity)
                return known._replace(strokes=None, image=image, adjusted=adjusted)
            if "ink" not in values:
                has = ", ".join(sorted(values)) or "none"
                raise SkippedDrawing(f"no feature {self._image_key!r}, nor 'ink'", has)
            return known._replace(strokes=checked(strokes_of(values["ink"]), raw=False))
        except SkippedDrawing as error:
            error.rest = known._replace(strokes=rest_of(error))
            raise

    def place(self, position: int) -> str:
        return f"{self.name}, byte {position:,}"

    def glimpse(self, count: int) -> Iterator[np.ndarray]:
        for _, data in itertools.islice(self.scan(0, self.size), count):
            with contextlib.suppress(SkippedDrawing):
                if isinstance(data, bytes) and self._image_key in (values := values_of(data)):
                    found = self._grey(values)
                    if not found.is_inked:
                        yield found.pixels

    def _grey(self, values: Values) -> greyscale.Grey:
        found = bare_pixels.grey_of(values[self._image_key], values)
        if not self._is_transposed:
            return found
        upright = np.ascontiguousarray(found.pixels.T)
        return found._replace(pixels=upright, adjusted=(*found.adjusted, TRANSPOSED))


def _key_id(values: Values, is_test: bool) -> str:
    """Return the id of a record; "" without one. That of a test record may be called otherwise."""
    found = next((values[name] for name in IDS if values.get(name)), None)
    if not found and is_test:
        others = {name.rpartition("/")[2].lower(): each for name, each in values.items() if each}
        found = next((others[name] for name in key_ids.NAMES if name in others), None)
    if not found:
        return ""
    if isinstance(found[0], float):
        raise lost_id(found[0])
    return key_id_of(text(found))


def warn_of_missing_shards(paths: Sequence[str]) -> None:
    """Say which shards are missing, as the names of the others tell: `train-00002-of-00005`."""
    numbers: dict[tuple[str, int, str], set[int]] = {}
    for path in paths:
        if found := _SHARD.fullmatch(path):
            start, number, total, ending = found.groups()
            numbers.setdefault((start, int(total), ending), set()).add(int(number))
    for (start, total, ending), there in numbers.items():
        if len(there) < total:
            first = next(
                number for number in itertools.count(min({*there, 1})) if number not in there
            )
            log(
                f"warning: {start}-*-of-{total:05}{ending}: {len(there):,} of {total:,} shards are "
                f"there; number {first} is missing"
            )


def set_of_shard(name: str) -> str:
    """Return `mnist` for `mnist-train.tfrecord-00000-of-00001` of TensorFlow Datasets, else ''."""
    found = _OF_A_SET.match(name)
    return found[1] if found else ""


def classes_of_all(
    by_folder: Mapping[str, Sequence[str]], label_key: str | None
) -> tuple[dict[str, list[str]], list[str] | None, list[str]]:
    """Return the classes of each folder, all in one spelling, and what comes of them together.

    Args:
        by_folder: the shards in each folder.
        label_key: see `classes_beside`.

    Returns:
        The classes of each folder; the label order of all, None where they are not the same
        classes; and the files that they stand in.

    Raises:
        QuickdrawError: see `classes_beside`.
    """
    classes, listings = {}, []
    spelt: dict[str, str] = {}
    for folder, paths in by_folder.items():
        own, files = classes_beside(paths, label_key)
        classes[folder] = [spelt.setdefault(spaced(clean(name)), name) for name in own]
        listings += files
    named = {folder: own for folder, own in classes.items() if own}
    if not named:
        return classes, None, listings
    (first, order), *others = named.items()
    differing = [folder for folder, own in others if own != order]
    if any(set(own) != set(order) for own in named.values()):
        log(
            f"warning: {first} and {differing[0]} have other labels than each other: every drawing "
            "keeps the name of its class, and labels are numbered anew"
        )
        return classes, None, listings
    if differing:
        log(
            f"warning: the labels of {differing[0]} are in another order than those of {first}: "
            "they are taken by the names of the classes"
        )
    return classes, order, listings


def classes_beside(paths: Sequence[str], label_key: str | None) -> tuple[list[str], list[str]]:
    """Return the names of the classes that lie beside shards, and the files they stand in.

    These are dataset.json, `NAME.classes` of the tutorial, or `label.labels.txt` of TensorFlow
    Datasets; no names without one.

    Raises:
        QuickdrawError: the shards have different classes.
    """
    folder = os.path.dirname(paths[0])
    if info := dataset_info.load(folder):
        return list(map(names.clean, info.labels)), [os.path.join(folder, dataset_info.FILE_NAME)]
    feature = (label_key or KEYS[0]).replace("/", "-")
    listings = {f"{_NUMBER.sub('', path)}.classes" for path in paths}
    listings.add(os.path.join(folder, f"{feature}.labels.txt"))
    found = {path: _lines(path) for path in sorted(listings) if storage.exists(path)}
    first, *others = found or [""]
    for path in others:
        if found[path] != found[first]:
            raise QuickdrawError(
                f"{first} and {path} name other classes: prepare one set at a time"
            )
    return found.get(first, []), list(found)


def _lines(path: str) -> list[str]:
    with storage.open_binary(path) as file:
        lines = file.read().decode("utf-8-sig", errors="replace").rstrip().splitlines()
    return [names.clean(line) for line in lines]


def text(values: Feature) -> str:
    """Return the first value of a feature as text."""
    value = values[0]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def strokes_of(ink: Sequence[float]) -> Strokes:
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
