"""What stands beside a drawing in its record, or can be seen of it: noted while it is read."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from quickdraw.readers import QuickDrawFeatureReader

UNKNOWN = -1
_COLUMNS = (np.int64, np.int32, np.int32, bool, np.int8, None)
"""Of the facts: a country takes as many letters as the longest."""
_AS_TUPLES = 1024


@dataclasses.dataclass
class Beside:
    """Facts of `n` drawings; -1 and "" where a record does not carry them.

    Attributes:
        places: int64 `[n]`, the number of the record over all files, from 0.
        strokes: int32 `[n]`.
        points: int32 `[n]`, points of the ink.
        timed: bool `[n]`, whether it is known when each point was drawn.
        recognised: int8 `[n]`, whether Google's model recognised the drawing.
        countries: `[n]` country codes, str.
        ink: float32 `[n]`, share of the paper that is ink; NaN of models that see no image.
        size: float32 `[n]`, share of the paper that the bounding box takes; NaN likewise.
    """

    places: np.ndarray
    strokes: np.ndarray
    points: np.ndarray
    timed: np.ndarray
    recognised: np.ndarray
    countries: np.ndarray
    ink: np.ndarray
    size: np.ndarray


class NotingReader(QuickDrawFeatureReader):
    """A reader that notes of each drawing what else its record says."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._place = -1
        self._now: tuple[object, ...] = ()
        self._notes: list[tuple[object, ...]] = []
        self._noted: list[tuple[np.ndarray, ...]] = []
        self._seen: list[tuple[np.ndarray, np.ndarray]] = []

    def goes_to(self, place: int) -> bool:
        """Note the number of the record that comes next; it is always wanted."""
        self._place = place
        return True

    def parse_target(self, record: Any) -> int:
        self._now = (self._place, *_facts(record.features.feature))
        return super().parse_target(record)

    def check_target(self, target: int, num_classes: int | None) -> None:
        super().check_target(target, num_classes)
        self._notes.append(self._now)  # only here nothing can be wrong with the record any more
        if len(self._notes) == _AS_TUPLES:
            self._condense()

    def preprocess(self, images: np.ndarray) -> np.ndarray:
        changed = super().preprocess(images)
        pixels = images.max(axis=3)
        self._seen.append((pixels.mean(axis=(1, 2), dtype=np.float32) / 255, _sizes(pixels)))
        return changed

    def noted(self) -> Beside:
        """Return what was noted of all drawings that were handed out."""
        self._condense()
        facts = [np.concatenate(parts) for parts in zip(*self._noted, strict=True)]
        nothing = np.full(len(facts[0]), np.nan, np.float32)
        seen = [np.concatenate(parts) for parts in zip(*self._seen, strict=True)]
        return Beside(*facts, *(seen or (nothing, nothing)))

    def _condense(self) -> None:
        """Make arrays of notes: as tuples they take ten times as much."""
        if self._notes:
            columns = zip(*self._notes, strict=True)
            self._noted.append(tuple(map(np.array, columns, _COLUMNS)))
            self._notes = []


def _facts(features: Any) -> tuple[int, int, bool, int, str]:
    """Return strokes, points, whether these have times, if it was recognised, and the country."""
    strokes = points = recognised = UNKNOWN
    country = ""
    if "ink" in features:
        ink = np.array(features["ink"].float_list.value, np.float32)
        # The last point ends a stroke, whether the record says so or not.
        strokes = int((ink[2:-3:3] > 0.5).sum()) + 1
        points = len(ink) // 3 + 1
    if "countrycode" in features and (values := features["countrycode"].bytes_list.value):
        country = values[0].decode("utf-8", "replace").strip()
    if "recognized" in features and (values := features["recognized"].int64_list.value):
        recognised = int(values[0] != 0)
    timed = "times" in features and len(features["times"].int64_list.value) == points
    return strokes, points, timed, recognised, country


def _sizes(pixels: np.ndarray) -> np.ndarray:
    """Return which share of the paper bounding boxes take, float32 `[n]`, of `[n, side, side]`."""
    share = np.ones(len(pixels), np.float32)
    for axis in (1, 2):
        line = np.any(pixels > 64, axis=axis)
        length = line.shape[1] - line.argmax(1) - line[:, ::-1].argmax(1)
        share *= np.where(line.any(1), length, 0) / line.shape[1]
    return share
