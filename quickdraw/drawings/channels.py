"""What a picture does not show: the order of the strokes, the time, the speed; as three channels.

Entrants of Kaggle's "Quick, Draw! Doodle Recognition Challenge" (2018) drew each line segment in
the brightness of such quantities, one a channel, instead of white. The drawing stays what it is;
each channel is brightest where its quantity is greatest, and no ink is darker than 55, so that ink
and paper can be told apart in every channel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quickdraw.drawings import Strokes

_DARKEST, _STROKES = 55.0, 10


def colours(
    points: np.ndarray, lengths: Sequence[int], strokes: Strokes
) -> list[tuple[int, int, tuple[int, int, int]]]:
    """Return the line segments of a drawing, with the colour of each.

    Args:
        points: float64 `[n, 2]`, all points of all strokes.
        lengths: number of points of each stroke.
        strokes: the strokes themselves, for their third list (milliseconds). Where there is none
            the pen is taken to move evenly; a segment's length then stands for its speed, as long
            straight ones are those that players draw fast.

    Returns:
        (first point, last point, (order, time, speed)) of each segment; a stroke of one point is a
        segment from that point to itself. Order: 255 for the first stroke, 20 less for each further
        one, down to 55. Time: 255 at the start, 55 at the end. Speed: 55 at rest, 155 at the
        drawing's mean speed, towards 255 above it.
    """
    pieces: list[tuple[int, int]] = []
    order: list[int] = []
    start = 0
    for number, length in enumerate(lengths):
        stop = start + length
        dot = [(start, start)] if length else []
        pieces += [(i, i + 1) for i in range(start, stop - 1)] or dot
        order += [number] * (len(pieces) - len(order))
        start = stop
    firsts, lasts = np.array(pieces).T
    distance = np.hypot(*(points[lasts] - points[firsts]).T)
    begun, speed = _clock(firsts, lasts, distance, strokes)
    span = np.ptp(begun) or 1.0
    mean = speed.mean() or 1.0
    levels = (
        1 - np.minimum(order, _STROKES) / _STROKES,
        1 - (begun - begun.min()) / span,
        speed / (speed + mean),
    )
    values = np.rint(_DARKEST + (255 - _DARKEST) * np.stack(levels, axis=1)).astype(int).tolist()
    return [(a, b, tuple(value)) for (a, b), value in zip(pieces, values, strict=True)]


def _clock(
    firsts: np.ndarray, lasts: np.ndarray, distance: np.ndarray, strokes: Strokes
) -> tuple[np.ndarray, np.ndarray]:
    """Return when each segment begins and how fast it is: float64 `[segments]` each."""
    if all(len(stroke) == 3 for stroke in strokes if len(stroke[0])):
        times = np.concatenate([np.asarray(s[2], float) for s in strokes if len(s[0])])
        # Two points in the same millisecond happen: one millisecond is the least.
        return times[firsts], distance / np.maximum(times[lasts] - times[firsts], 1.0)
    return np.cumsum(distance) - distance, distance
