"""The few drawings that are displayed, read again from their records."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from quickdraw.drawings import Strokes
from quickdraw.drawings.rasterise import rasterise
from quickdraw.records import example, ink
from quickdraw.records.shards import BadRecords, Shards

_LARGEST = 64  # pixels a side of a displayed drawing


@dataclasses.dataclass
class Shown:
    """A displayed drawing.

    Attributes:
        image: uint8 `[side, side]`, strokes on 0, at most 64 pixels a side.
        place: its file and the number of its record, in words.
        strokes: `[[x0, x1, ...], [y0, y1, ...]]` each, 0...255, if the record has ink; the
            longer side of the drawing is 255. A third list has milliseconds, if it has times.
    """

    image: np.ndarray
    place: str
    strokes: Strokes | None


def read_shown(shards: Shards, places: dict[int, int]) -> dict[int, Shown]:
    """Read some drawings.

    Args:
        shards: where they are.
        places: the index of the record over all files → the index of the drawing.

    Returns:
        By index, the drawings.
    """
    found: dict[int, Shown] = {}
    last = max(places)
    for place, (_, path, number, data) in enumerate(shards.read(BadRecords("skip"))):
        if place in places:
            record = example.Example.FromString(data)
            found[places[place]] = _shown(record, f"{os.path.basename(path)}, record {number}")
        if place == last:
            break
    return found


def _shown(record: example.Example, place: str) -> Shown:
    features = record.features.feature
    image = _decoded(example.bytes_of(record, "image")) if "image" in features else None
    strokes = None
    if "ink" in features:
        times = features["times"].int64_list.value if "times" in features else ()
        strokes = strokes_of(example.ink_of(record), image, times)
    if image is None:
        image = rasterise(strokes) if strokes else np.zeros((28, 28), np.uint8)
    return Shown(image, place, strokes)


def _decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        # The brightest channel, as in inspect.
        pixels = np.asarray(picture)
    grey = pixels.max(axis=2) if pixels.ndim == 3 else pixels
    if max(grey.shape) <= _LARGEST:
        return grey
    small = Image.fromarray(grey)
    small.thumbnail((_LARGEST, _LARGEST), Image.Resampling.LANCZOS)
    return np.asarray(small)


def strokes_of(
    steps: np.ndarray, image: np.ndarray | None = None, times: Sequence[int] = ()
) -> Strokes:
    """Convert ink to strokes.

    Ink is scaled to a square; the bounding box of the image, if there is one, gives the aspect
    ratio.

    Args:
        steps: float32 `[points, 3]`, see `quickdraw.records.ink`.
        image: uint8 `[side, side]`.
        times: milliseconds of each point, one more than steps; ignored at any other length.

    Returns:
        `[[x0, x1, ...], [y0, y1, ...]]` of each stroke, 0...255, and a third list of the times.
    """
    places = np.concatenate((np.zeros((1, 2)), np.cumsum(steps[:, :2], axis=0)))
    places -= places.min(axis=0)
    points = 255 * places * _sides(image)
    if len(times) == len(points):
        points = np.column_stack((points, times))
    ends = np.flatnonzero(steps[:-1, 2] > 0.5) + 2
    return [part.T.tolist() for part in np.split(points, ends)]


def _sides(image: np.ndarray | None) -> np.ndarray:
    """Return width and height of a drawing, the longer one 1."""
    if image is None or not (there := image > 64).any():
        return np.ones(2)
    pen = 16 / 304 * len(image)  # as `rasterise` draws
    lines = [np.flatnonzero(there.any(axis=axis)) for axis in (0, 1)]
    sides = np.array([max(line[-1] - line[0] + 1 - pen, 0.5) for line in lines])
    return sides / sides.max()


def inputs_of(strokes: Strokes, max_points: int) -> np.ndarray:
    """Return strokes as a model of ink takes them, int16 `[max_points, 3]`."""
    return ink.padded(ink.ink_of(strokes), max_points)
