"""Ink: the strokes of a drawing as one array `[points, 3]`.

The layout is that of TensorFlow's tutorial on recurrent networks for drawings.
A row is a step from the point before, (dx, dy), in the drawing's unit box, and 1 where a stroke
ends, else 0. Models get a fixed number of rows; those behind the last point are (0, 0, -1). On
the way to them it is int16, in units of 1/32767.
Source: github.com/tensorflow/models, tutorials/rnn/quickdraw/create_dataset.py, `parse_line`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quickdraw.drawings import Strokes

DTYPE = np.int16
SCALE = 32767
_NO_POINT = (0, 0, -SCALE)
_LONGEST = 1e9  # milliseconds: more is a time of the day, or none


def ink_of(strokes: Strokes) -> np.ndarray:
    """Convert strokes `[[x0, x1, ...], [y0, y1, ...]]` to ink, float32 `[points - 1, 3]`."""
    if not strokes:
        return np.zeros((0, 3), np.float32)
    ink = np.zeros((sum(len(stroke[0]) for stroke in strokes), 3), np.float32)
    for axis in (0, 1):
        ink[:, axis] = [value for stroke in strokes for value in stroke[axis]]
    ink[np.cumsum([len(stroke[0]) for stroke in strokes]) - 1, 2] = 1
    low, span = ink[:, :2].min(axis=0), np.ptp(ink[:, :2], axis=0)
    ink[:, :2] = (ink[:, :2] - low) / np.where(span == 0, 1, span)
    ink[1:, :2] -= ink[:-1, :2].copy()
    return ink[1:]


def times_of(strokes: Strokes) -> list[int]:
    """Return when each point was drawn, in milliseconds since the first: the feature `times`.

    It has one value more than `ink` has rows; none where not every stroke has a third list, or not
    of times.
    """
    if not strokes or any(len(stroke) < 3 for stroke in strokes):
        return []
    try:
        every = np.concatenate([np.asarray(stroke[2], float) for stroke in strokes])
    except (TypeError, ValueError):
        return []
    since = every - every[0]
    if not np.isfinite(since).all() or np.abs(since).max() > _LONGEST:
        return []
    return np.rint(since).astype(int).tolist()


def from_record(values: Sequence[float], shape: Sequence[int]) -> np.ndarray:
    """Return the ink in a record's `ink` and `shape`: float32 `[points, 3]`.

    Raises:
        ValueError: not three finite numbers a point, as many as `shape` says, within the unit box.
    """
    ink = np.array(values, np.float32)
    if list(shape) != [len(ink) // 3, 3] or len(ink) % 3:
        raise ValueError(
            "'ink' must be 3 floats a point, and 'shape' [points, 3]. "
            f"Received: {len(ink)} floats and the shape {list(shape)}"
        )
    if not np.isfinite(ink).all():
        raise ValueError(f"'ink' must be finite. Received: {ink[~np.isfinite(ink)][0]}")
    ink = ink.reshape(-1, 3)
    if len(ink) and (np.abs(ink).max() > 1 or ink[:, 2].min() < 0):
        raise ValueError(
            "'ink' must be steps of -1…1, and 0 or 1 for the pen. "
            f"Received: {ink.min():g} to {ink.max():g}"
        )
    return ink


def padded(ink: np.ndarray, max_points: int) -> np.ndarray:
    """Cut or pad ink, float32 `[points, 3]`, to `max_points` rows: int16 `[max_points, 3]`."""
    rows = np.full((max_points, 3), _NO_POINT, DTYPE)
    rows[: len(ink)] = np.rint(ink[:max_points] * SCALE)
    return rows


def mirrored(ink: np.ndarray) -> np.ndarray:
    """Mirror ink `[..., points, 3]` of any signed dtype left to right; keep shape and dtype."""
    return ink * np.array([-1, 1, 1], ink.dtype)
