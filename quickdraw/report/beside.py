"""Metadata of drawings, from their records and their pixels, collected while reading."""

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
    """Metadata of `n` drawings; -1 and "" where a record does not have it.

    Attributes:
        places: int64 `[n]`, the number of the record over all files, from 0.
        strokes: int32 `[n]`, the number of strokes.
        points: int32 `[n]`, the number of points of the ink.
        timed: bool `[n]`, whether the record has the time of each point.
        recognised: int8 `[n]`, whether Google's model recognised the drawing.
        countries: `[n]` country codes, str.
        ink: float32 `[n]`, the mean brightness of the image, 0…1; NaN for models without images.
        size: float32 `[n]`, the share of the image in the bounding box; NaN likewise.
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
    """A reader that also collects the metadata of each drawing."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._place = -1
        self._now: tuple[object, ...] = ()
        self._notes: list[tuple[object, ...]] = []
        self._noted: list[tuple[np.ndarray, ...]] = []
        self._seen: list[tuple[np.ndarray, np.ndarray]] = []

    def goes_to(self, place: int) -> bool:
        """Remember the index of the next record; always return True, so that it is read."""
        self._place = place
        return True

    def parse_target(self, record: Any) -> int:
        self._now = (self._place, *_facts(record.features.feature))
        return super().parse_target(record)

    def check_target(self, target: int, num_classes: int | None) -> None:
        super().check_target(target, num_classes)
        self._notes.append(self._now)  # from here on the record is known to be valid
        if len(self._notes) == _AS_TUPLES:
            self._condense()

    def preprocess(self, images: np.ndarray) -> np.ndarray:
        changed = super().preprocess(images)
        pixels = images.max(axis=3)
        self._seen.append((pixels.mean(axis=(1, 2), dtype=np.float32) / 255, _sizes(pixels)))
        return changed

    def noted(self) -> Beside:
        """Return the metadata of all drawings that were read."""
        self._condense()
        facts = [np.concatenate(parts) for parts in zip(*self._noted, strict=True)]
        nothing = np.full(len(facts[0]), np.nan, np.float32)
        seen = [np.concatenate(parts) for parts in zip(*self._seen, strict=True)]
        return Beside(*facts, *(seen or (nothing, nothing)))

    def _condense(self) -> None:
        """Convert tuples to arrays, which take a tenth of the memory."""
        if self._notes:
            columns = zip(*self._notes, strict=True)
            self._noted.append(tuple(map(np.array, columns, _COLUMNS)))
            self._notes = []


def _facts(features: Any) -> tuple[int, int, bool, int, str]:
    """Return the numbers of strokes and points, whether it has times, recognised, country."""
    strokes = points = recognised = UNKNOWN
    country = ""
    if "ink" in features:
        ink = np.array(features["ink"].float_list.value, np.float32)
        # The last point ends a stroke even if the record does not mark it.
        strokes = int((ink[2:-3:3] > 0.5).sum()) + 1
        points = len(ink) // 3 + 1
    if "countrycode" in features and (values := features["countrycode"].bytes_list.value):
        country = values[0].decode("utf-8", "replace").strip()
    if "recognized" in features and (values := features["recognized"].int64_list.value):
        recognised = int(values[0] != 0)
    timed = "times" in features and len(features["times"].int64_list.value) == points
    return strokes, points, timed, recognised, country


def _sizes(pixels: np.ndarray) -> np.ndarray:
    """Return the share of each image in its bounding box, float32 `[n]`, of `[n, side, side]`."""
    share = np.ones(len(pixels), np.float32)
    for axis in (1, 2):
        line = np.any(pixels > 64, axis=axis)
        length = line.shape[1] - line.argmax(1) - line[:, ::-1].argmax(1)
        share *= np.where(line.any(1), length, 0) / line.shape[1]
    return share
