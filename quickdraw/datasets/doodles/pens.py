"""Pen strokes of a hurried hand: the primitives that sample doodles are made of.

A stroke is a float array `[n, 2]` of x (to the right) and y (downwards), in any unit: a drawing is
scaled only at the end, by `simplified`. Angles are radians, 0 to the right, growing clockwise on
the screen.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

import numpy as np

Stroke = np.ndarray
Rng = np.random.Generator
TURN = 2 * np.pi


def chance(rng: Rng, probability: float) -> bool:
    """Return True with this probability."""
    return rng.random() < probability


def about(rng: Rng, value: float, spread: float = 0.2) -> float:
    """Vary a value: log-normal, with this relative spread."""
    return value * math.exp(rng.normal(0, spread))


def facing(strokes: list[Stroke], rng: Rng) -> list[Stroke]:
    """Return the drawing or, with equal probability, its mirror image."""
    return strokes if chance(rng, 0.5) else [stroke * (-1, 1) for stroke in strokes]


def spread(rng: Rng, low: float, high: float, count: int) -> list[float]:
    """Return `count` unevenly spaced places from about `low` to about `high`."""
    gap = (high - low) / max(count - 1, 1)
    return (np.linspace(low, high, count) + rng.normal(0, 0.12 * gap, count)).tolist()


@functools.cache
def _ramp(count: int) -> np.ndarray:
    """Return float64 `[count]` from 0 to 1; cached, or it would take most of a doodle's time."""
    ramp = np.linspace(0.0, 1.0, count)
    ramp.flags.writeable = False
    return ramp


def line(x0: float, y0: float, x1: float, y1: float, bend: float = 0.0) -> Stroke:
    """Draw a line in four points; `bend` is how far it bulges, as a share of its length."""
    start, way = np.array((x0, y0)), np.array((x1 - x0, y1 - y0))
    across = np.array((y0 - y1, x1 - x0))
    at = _ramp(4)[:, None]
    return start + at * way + 4 * bend * at * (1 - at) * across


def arc(x: float, y: float, rx: float, ry: float, start: float = 0.0, stop: float = TURN) -> Stroke:
    """Draw an arc of an ellipse about (x, y), in steps of about 25 degrees."""
    angle = start + (stop - start) * _ramp(3 + int(abs(stop - start) / 0.45))
    return np.array((x + rx * np.cos(angle), y + ry * np.sin(angle))).T


def loop(rng: Rng, x: float, y: float, rx: float, ry: float | None = None) -> Stroke:
    """Draw an ellipse that starts anywhere and whose ends leave a gap or overlap."""
    start = rng.uniform(0, TURN)
    stroke = arc(x, y, rx, rx if ry is None else ry, start, start + TURN + rng.normal(0.1, 0.25))
    drift = rng.normal(0, 0.07 * rx, 2)
    return stroke + _ramp(len(stroke))[:, None] * drift


def path(*corners: tuple[float, float]) -> Stroke:
    """Draw straight lines from corner to corner, three points to a line."""
    at = np.arange(3 * len(corners) - 2) / 3
    x, y = np.array(corners, dtype=float).T
    knots = np.arange(len(corners))
    return np.array((np.interp(at, knots, x), np.interp(at, knots, y))).T


def outline(rng: Rng, *corners: tuple[float, float]) -> Stroke:
    """Draw a closed figure that starts at any corner and does not quite end there."""
    first = rng.integers(len(corners))
    around = corners[first:] + corners[:first]
    closing = rng.normal(1.0, 0.06)
    (x0, y0), (x1, y1) = around[-1], around[0]
    return path(*around, (x0 + closing * (x1 - x0), y0 + closing * (y1 - y0)))


def box(rng: Rng, x: float, y: float, width: float, height: float) -> Stroke:
    """Draw a rectangle about (x, y), no corner quite where it should be."""
    w, h = width / 2, height / 2
    corners = np.array(((-w, -h), (w, -h), (w, h), (-w, h))) * rng.normal(1, 0.04, (4, 2))
    return outline(rng, *((x + dx, y + dy) for dx, dy in corners.tolist()))


def zigzag(x0: float, y0: float, x1: float, y1: float, teeth: int, height: float) -> Stroke:
    """Draw `teeth` points, `height` high, on one side of the way from (x0, y0) to (x1, y1)."""
    at = _ramp(2 * teeth + 1)[:, None]
    way = np.array((x1 - x0, y1 - y0))
    across = np.array((way[1], -way[0])) / np.hypot(*way)
    return np.array((x0, y0)) + at * way + (np.arange(2 * teeth + 1) % 2)[:, None] * height * across


def frill(  # noqa: PLR0913
    x: float, y: float, rx: float, ry: float, teeth: int, depth: float, start: float
) -> Stroke:
    """Draw a closed ring of pointed teeth about an ellipse; `depth` is a share of the radius."""
    turns = _ramp(2 * teeth + 1)
    reach = 1 + depth * (np.arange(2 * teeth + 1) % 2)
    angle = start + TURN * turns
    return np.array((x + rx * reach * np.cos(angle), y + ry * reach * np.sin(angle))).T


def scallops(  # noqa: PLR0913
    x: float, y: float, rx: float, ry: float, teeth: int, depth: float, start: float
) -> Stroke:
    """Draw a closed ring of round petals about an ellipse; `depth` is a share of the radius."""
    turns = _ramp(4 * teeth + 1)
    reach = 1 + depth * np.abs(np.sin(np.pi * teeth * turns))
    angle = start + TURN * turns
    return np.array((x + rx * reach * np.cos(angle), y + ry * reach * np.sin(angle))).T


def spiral(x: float, y: float, inner: float, outer: float, turns: float, start: float) -> Stroke:
    """Draw a spiral from the inner to the outer radius; negative turns run the other way."""
    at = _ramp(3 + int(abs(turns) * 9))
    radius, angle = inner + at * (outer - inner), start + TURN * turns * at
    return np.array((x + radius * np.cos(angle), y + radius * np.sin(angle))).T


def scribble(rng: Rng, x: float, y: float, rx: float, ry: float) -> Stroke:
    """Draw to and fro within an ellipse, as players fill an area or cross something out."""
    at = _ramp(int(rng.integers(16, 40)))
    swing = at * TURN * rng.uniform(3, 7)
    # Narrow loops that wander across: from a flat zigzag to a ball of wool.
    across, along = 2 * at - 1 + 0.2 * np.sin(swing), np.cos(swing + rng.uniform(-1.2, 1.2) * at)
    flat = np.array((along * np.sqrt(1.1 - (2 * at - 1) ** 2), across)).T
    flat += rng.normal(0, 0.1, flat.shape)
    return np.array((x, y)) + flat @ _rotation(rng.uniform(0, TURN)) * np.array((rx, ry))


def placed(
    strokes: Sequence[Stroke], x: float = 0, y: float = 0, scale: float = 1, angle: float = 0
) -> list[Stroke]:
    """Return the strokes turned about the origin, scaled, and moved to (x, y)."""
    matrix, origin = scale * _rotation(angle), np.array((x, y))
    return [stroke @ matrix + origin for stroke in strokes]


def _rotation(angle: float) -> np.ndarray:
    """Return the matrix, float64 `[2, 2]`, that turns row vectors clockwise on the screen."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array(((cos, sin), (-sin, cos)))


def eyes(rng: Rng, gap: float = 0.4, y: float = -0.25, size: float = 0.13) -> list[Stroke]:
    """Draw the eyes of a head of radius 1 about (0, 0): bars, blots, or rings."""
    size = about(rng, size, 0.3)
    kind = rng.integers(4)
    pair = []
    for x in (-gap, gap):
        if kind == 0:
            pair.append(line(x, y - size, x, y + size))
        elif kind == 1:
            pair.append(spiral(x, y, 0, size, rng.uniform(1.2, 2.5), rng.uniform(0, TURN)))
        else:
            pair.append(loop(rng, x, y, size, about(rng, size)))
        if kind == 3:
            pair.append(loop(rng, x, y, size / 3))
    return pair


def mouth(rng: Rng, y: float = 0.35) -> list[Stroke]:
    """Draw the mouth of a head of radius 1 about (0, 0): a line, an open ring, or a smile."""
    kind, width = rng.integers(4), about(rng, 0.35)
    if kind == 0:
        return [line(-width, y, width, y, bend=-0.05)]
    if kind == 1:
        return [loop(rng, 0, y + 0.1, width, 0.5 * width)]
    return [arc(0, y - 0.1, width, about(rng, 0.3), 0.1 * np.pi, 0.9 * np.pi)]


def hand(strokes: Sequence[Stroke], rng: Rng) -> list[Stroke]:
    """Make strokes look drawn by hand, all strokes of a drawing in the same manner.

    Parts sit a little off and are a little too large or small, lines waver slowly and tremble, and
    the whole is stretched, tilted and sheared. How much depends on how careful this player is.
    """
    points = np.concatenate(strokes)
    lengths = np.array([len(stroke) for stroke in strokes])
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    points = points - points.min(axis=0)
    points /= points.max()
    careless = 0.5 + rng.gamma(2.0, 0.4)

    count = len(strokes)
    centres = np.repeat(np.add.reduceat(points, starts) / lengths[:, None], lengths, axis=0)
    sizes = np.repeat(np.exp(rng.normal(0, 0.05 * careless, (count, 2))), lengths, axis=0)
    shifts = np.repeat(rng.normal(0, 0.012 * careless, (count, 2)), lengths, axis=0)
    points = centres + (points - centres) * sizes + shifts

    steps = np.abs(np.diff(points, axis=0, prepend=points[:1])).sum(axis=1)
    waves = np.array((4.0, 9.0, 21.0)) * rng.uniform(0.7, 1.4, 3)
    wavering = np.sin(np.cumsum(steps)[:, None] * waves + rng.uniform(0, TURN, 3))
    points += wavering @ (rng.normal(0, careless, (3, 2)) * np.array([[0.02], [0.012], [0.006]]))
    points += rng.normal(0, 0.004 * careless, points.shape)

    stretch, shear = np.exp(rng.normal(0, 0.15)), rng.normal(0, 0.1)
    points = points @ np.array(((stretch, 0), (shear, 1))) @ _rotation(rng.normal(0, 0.1))
    return [points[a : a + n] for a, n in zip(starts.tolist(), lengths.tolist(), strict=True)]


def simplified(strokes: Sequence[Stroke]) -> list[list[list[int]]]:
    """Return strokes in the layout of Quick, Draw!'s simplified files.

    Whole numbers, from 0 on both axes to 255 on the longer one; points that lie within a unit or
    so of the line between their neighbours are left out, as the dataset's thinning does.
    """
    points = np.concatenate(strokes)
    points = points - points.min(axis=0)
    points *= 255 / points.max()
    first = np.cumsum([0] + [len(stroke) for stroke in strokes])
    keep = _kept(points, first)
    whole = np.rint(points).astype(int)
    return [whole[a:b][keep[a:b]].T.tolist() for a, b in itertools.pairwise(first)]


def _kept(points: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return which points stay: every other one may go if close to its neighbours' line."""
    before, here, after = points[:-2], points[1:-1], points[2:]
    chord, way = after - before, here - before
    area = np.abs(chord[:, 0] * way[:, 1] - chord[:, 1] * way[:, 0])
    keep = np.ones(len(points), bool)
    keep[1:-1] = area > 1.5 * np.hypot(*chord.T)
    keep[::2] = True
    keep[points.argmin(axis=0)] = keep[points.argmax(axis=0)] = True
    keep[first[:-1]] = keep[first[1:] - 1] = True
    return keep
