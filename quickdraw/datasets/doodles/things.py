"""Boomerangs, cakes, scissors, skulls, televisions and traffic lights, each in several ways."""

from __future__ import annotations

import numpy as np

from quickdraw.datasets.doodles.pens import (
    TURN,
    Rng,
    Stroke,
    about,
    arc,
    box,
    chance,
    eyes,
    facing,
    line,
    loop,
    mouth,
    outline,
    path,
    placed,
    scribble,
    spread,
    zigzag,
)


def boomerang(rng: Rng) -> list[Stroke]:
    """Draw two arms, a crescent or a check mark, turned any way."""
    opening, wide = rng.uniform(0.6, 1.25), about(rng, 0.28)
    arms = np.array(((-np.sin(opening), np.cos(opening)), (np.sin(opening), np.cos(opening))))
    (x0, y0), (x1, y1) = (arms * [[about(rng, 1.6, 0.15)], [about(rng, 1.6, 0.15)]]).tolist()
    kind = rng.random()
    if kind < 0.45:  # two arms of even width
        deep = wide / np.sin(opening)
        x2, y2 = x0 + wide * np.cos(opening), y0 + wide * np.sin(opening)
        x3, y3 = x1 - wide * np.cos(opening), y1 + wide * np.sin(opening)
        strokes = [outline(rng, (0, 0), (x1, y1), (x3, y3), (0, deep), (x2, y2), (x0, y0))]
    elif kind < 0.8:  # a crescent with round ends
        start = rng.uniform(0.1, 0.8)
        outer = arc(0, 0, 1, 1, np.pi + start, TURN - start)
        inner = arc(0, wide, 0.95 - 0.5 * wide, 1 - wide / 2, TURN - start, np.pi + start)
        strokes = [np.concatenate((outer, inner, outer[: rng.integers(3)]))]
    elif kind < 0.92:  # a sharp check mark
        strokes = [outline(rng, (0, 0), (x1, y1), (0, about(rng, 2.5) * wide), (x0, y0))]
    else:
        strokes = [path((x0, y0), (0, 0), (x1, y1))]
    extra = rng.random()
    if extra < 0.1:  # it flies
        strokes += [line(x - 0.3, -0.5 - x, x + 0.3, -0.3 - x) for x in (-0.3, 0.1, 0.5)]
    elif extra < 0.2:
        strokes += [line(x, y, x + wide, y) for x, y in ((x0, y0 - 0.2), (x1 - 0.2, y1 - 0.2))]
    elif extra < 0.26:
        strokes.append(zigzag(x0, y0, x1, y1, 6, 0.8))
    return placed(strokes, angle=rng.uniform(0, TURN))


def cake(rng: Rng) -> list[Stroke]:
    """Draw one to three tiers with candles, or a slice."""
    kind = rng.random()
    if kind < 0.12:
        return _slice_of_cake(rng)
    tiers = 1 if kind < 0.65 else int(rng.integers(2, 4))
    width, height = about(rng, 2.4, 0.2), about(rng, 1.3, 0.2)
    strokes, top = [], 0.0
    for tier in range(tiers):
        last = tier == tiers - 1
        strokes += _tier(rng, top, width, height, round_top=last and kind > 0.35 and kind < 0.8)
        top -= height
        if not last:
            width, height = 0.7 * width, 0.8 * height
    strokes += _candles(rng, top, width)
    if chance(rng, 0.3):
        plate = 1.4 * max(np.ptp(stroke[:, 0]) for stroke in strokes)
        if chance(rng, 0.5):
            strokes.append(loop(rng, 0, 0.05, plate / 2, 0.3))
        else:
            strokes.append(line(-plate / 2, 0.1, plate / 2, 0.1))
    return strokes


def _tier(rng: Rng, floor: float, width: float, height: float, round_top: bool) -> list[Stroke]:
    half = width / 2
    if round_top:
        strokes = [loop(rng, 0, floor - height, half, about(rng, 0.3))]
        side = [line(x, floor - height, x, floor) for x in (-half, half)]
        strokes += [*side, line(-half, floor, half, floor, bend=about(rng, 0.07))]
    else:
        strokes = [box(rng, 0, floor - height / 2, width, height)]
    icing = rng.random()
    level = floor - rng.uniform(0.3, 0.8) * height
    if icing < 0.3:
        strokes.append(zigzag(half, level, -half, level, int(rng.integers(3, 8)), 0.25))
    elif icing < 0.55:
        layers = spread(rng, floor - 0.7 * height, floor - 0.3 * height, int(rng.integers(1, 4)))
        strokes += [line(-half, y, half, y) for y in layers]
    elif icing < 0.65:
        dots = rng.uniform(-0.4, 0.4, (int(rng.integers(3, 7)), 2)).tolist()
        strokes += [loop(rng, x * width, floor - height / 2 + y * height, 0.08) for x, y in dots]
    return strokes


def _candles(rng: Rng, top: float, width: float) -> list[Stroke]:
    count = int(rng.choice((0, 1, 1, 2, 3, 3, 4, 5, 6)))
    high, lit, fat = about(rng, 0.6), chance(rng, 0.6), chance(rng, 0.3)
    reach = 0.38 * width if count > 1 else 0
    candles = []
    for x in spread(rng, -reach, reach, count):
        tip = top - about(rng, high, 0.1)
        if fat:
            candles.append(path((x - 0.09, top), (x - 0.09, tip), (x + 0.09, tip), (x + 0.09, top)))
        else:
            candles.append(line(x, top + 0.05, x, tip))
        if lit:
            candles.append(loop(rng, x, tip - 0.17, 0.09, 0.16))
    return candles


def _slice_of_cake(rng: Rng) -> list[Stroke]:
    depth, high = about(rng, 0.8), about(rng, 1.0)
    tip, right, back = (-1.5, 0), (1.2, 0.2), (0.9, -depth)
    strokes = [outline(rng, tip, right, back)]
    strokes.append(path(tip, (tip[0], high), (right[0], high + 0.2), right))
    if chance(rng, 0.7):
        strokes.append(line(tip[0], high / 2, right[0], high / 2 + 0.2))
    if chance(rng, 0.5):
        strokes.append(loop(rng, 0.3, -depth / 2 - 0.2, 0.25))
    return facing(strokes, rng)


def scissor(rng: Rng) -> list[Stroke]:
    """Draw blades as lines or with two edges, more or less open, and two rings."""
    half_open = abs(rng.normal(0.3, 0.18)) + 0.05
    blade, grip = about(rng, 1.8), about(rng, 0.7)
    ring = min(about(rng, 0.42), 0.45 + half_open)
    kind, strokes = rng.random(), []
    for side in (-1, 1):
        sin, cos = side * np.sin(half_open), np.cos(half_open)
        handle = (-sin * grip, cos * grip)
        if kind < 0.55:  # one line from grip to tip
            strokes.append(line(*handle, sin * blade, -cos * blade, rng.normal(0, 0.03)))
        else:  # a blade with two edges
            edge = side * about(rng, 0.28)
            tip, bulge = (sin * blade, -cos * blade), (sin * blade / 2 + edge, -cos * blade / 2)
            strokes.append(path(handle, (0, 0), tip, bulge, (edge, 0.1)))
        out = (grip + 0.8 * ring) / grip
        x, y = handle[0] * out - np.sign(sin) * 0.15, handle[1] * out
        strokes.append(loop(rng, x, y, ring, about(rng, 1.2 * ring)))
        if kind > 0.85:
            strokes.append(loop(rng, x, y, 0.55 * ring, 0.6 * ring))
    if chance(rng, 0.2):
        strokes.append(loop(rng, 0, 0, 0.1))
    return placed(strokes, angle=rng.choice((0.0, 0.0, np.pi, rng.uniform(0, TURN))))


def skull(rng: Rng) -> list[Stroke]:
    """Draw a dome and jaw, or an oval, with sockets and mostly a nose and teeth."""
    jaw, jaw_y = about(rng, 0.55, 0.15), about(rng, 1.4, 0.1)
    strokes, kind = [], rng.random()
    if kind < 0.6:  # dome and jaw in one go
        spread = np.arccos(min(jaw, 0.95))
        dome = arc(0, 0, about(rng, 1.1, 0.1), 1, np.pi - spread, TURN + spread)
        chin = path(tuple(dome[-1]), (jaw, jaw_y), (-jaw, jaw_y), tuple(dome[0]))
        strokes.append(np.concatenate((dome, chin[1:])))
    elif kind < 0.8:
        strokes.append(loop(rng, 0, 0, 1.05, 1))
        strokes.append(path((-jaw, 0.8), (-jaw, jaw_y), (jaw, jaw_y), (jaw, 0.8)))
    else:
        strokes.append(loop(rng, 0, 0.2, 0.9, 1.2))
    strokes += _sockets(rng)
    nose = rng.random()
    if nose < 0.35:
        strokes.append(outline(rng, (0, 0.25), (0.14, 0.5), (-0.14, 0.5)))
    elif nose < 0.6:
        strokes += [line(x, 0.3, x * 1.3, 0.5) for x in (-0.08, 0.08)]
    elif nose < 0.75:
        strokes.append(path((-0.15, 0.5), (0, 0.25), (0.15, 0.5)))
    strokes += _teeth(rng, jaw, jaw_y)
    if chance(rng, 0.07):  # crossed bones
        strokes += [line(-1.6, y, 1.6, 2.6 - y) for y in (0.9, 1.7)]
    return strokes


def _sockets(rng: Rng) -> list[Stroke]:
    size, y, dark = about(rng, 0.27), rng.uniform(-0.15, 0.1), chance(rng, 0.3)
    sockets = []
    for x in (-0.42, 0.42):
        sockets.append(loop(rng, x, y, size, about(rng, size, 0.15)))
        if dark:
            sockets.append(scribble(rng, x, y, size, size))
    return sockets


def _teeth(rng: Rng, jaw: float, jaw_y: float) -> list[Stroke]:
    kind, count = rng.random(), int(rng.integers(2, 6))
    top = jaw_y - about(rng, 0.45)
    if kind < 0.5:
        return [line(x, top, x, jaw_y) for x in spread(rng, -0.6 * jaw, 0.6 * jaw, count)]
    if kind < 0.75:
        mid = (top + jaw_y) / 2
        bars = [line(x, top, x, jaw_y - 0.1) for x in spread(rng, -0.7 * jaw, 0.7 * jaw, count)]
        return [line(-jaw, mid, jaw, mid), *bars]
    return [zigzag(jaw, top, -jaw, top, count, 0.2)] if kind < 0.85 else []


def television(rng: Rng) -> list[Stroke]:
    """Draw a box, mostly with a screen and an aerial, sometimes with knobs or a stand."""
    width, height = about(rng, 2.6, 0.18), about(rng, 1.8, 0.15)
    strokes = [box(rng, 0, 0, width, height)]
    knobs = chance(rng, 0.3)
    if chance(rng, 0.7):
        shift, inner = (-0.1 * width, 0.66) if knobs else (0, about(rng, 0.78, 0.08))
        strokes.append(box(rng, shift, 0, inner * width, about(rng, 0.75, 0.06) * height))
    if knobs:
        levels = spread(rng, -0.3 * height, 0.2 * height, int(rng.integers(2, 4)))
        strokes += [loop(rng, 0.37 * width, y, 0.13) for y in levels]
    antenna = rng.random()
    if antenna < 0.7:
        length, foot = about(rng, 0.9), rng.normal(0, 0.15)
        tips = [(side * about(rng, 0.6), -height / 2 - length) for side in (-1, 1)]
        if antenna < 0.4:
            strokes += [line(foot, -height / 2, *tip) for tip in tips]
        else:
            strokes.append(path(tips[0], (foot, -height / 2), tips[1]))
        if chance(rng, 0.2):
            strokes += [loop(rng, *tip, 0.1) for tip in tips]
    strokes += _stand(rng, width, height / 2)
    if chance(rng, 0.1):  # something is on
        strokes += placed([loop(rng, 0, 0, 1), *eyes(rng), *mouth(rng)], 0, 0, 0.4)
    return strokes


def _stand(rng: Rng, width: float, floor: float) -> list[Stroke]:
    kind, high = rng.random(), about(rng, 0.4)
    if kind < 0.35:
        feet = (-0.3 * width, 0.3 * width)
        return [line(x, floor, x * 1.2, floor + high) for x in feet]
    if kind < 0.6:
        base = about(rng, 0.25) * width
        post = [line(x, floor, x, floor + high) for x in (-0.15, 0.15)]
        return [*post, line(-base, floor + high, base, floor + high)]
    return []


def traffic_light(rng: Rng) -> list[Stroke]:
    """Draw two to four lights in a box: on a pole, hanging, lying, or alone."""
    count = int(rng.choice((2, 3, 3, 3, 3, 3, 3, 4)))
    width, height = about(rng, 1.1), 1.05 * count
    size, filled = min(about(rng, 0.34), 0.45 * width), chance(rng, 0.15)
    strokes = [box(rng, 0, 0, width, height)]
    for y in spread(rng, -0.33 * height, 0.33 * height, count):
        strokes.append(loop(rng, 0, y, size, about(rng, size, 0.12)))
        if filled:
            strokes.append(scribble(rng, 0, y, 0.8 * size, 0.8 * size))
    if chance(rng, 0.12):
        levels = spread(rng, -0.33 * height, 0.33 * height, count)
        strokes += [line(side * 0.6, y, side * 1.1, y - 0.2) for y in levels for side in (-1, 1)]
    support = rng.random()
    if support < 0.5:
        strokes += _pole(rng, height / 2)
    elif support < 0.6:  # hanging from an arm
        strokes += [line(0, -height / 2, 0, -height / 2 - 0.5)]
        strokes += [line(-0.3, -height / 2 - 0.5, about(rng, 2), -height / 2 - 0.5)]
    elif support < 0.68:
        return placed(strokes, angle=np.pi / 2)
    return strokes


def _pole(rng: Rng, top: float) -> list[Stroke]:
    foot, half = top + about(rng, 2, 0.4), about(rng, 0.13)
    if chance(rng, 0.5):
        strokes = [line(0, top, 0, foot)]
    else:
        strokes = [line(x, top, x, foot) for x in (-half, half)]
    if chance(rng, 0.25):
        strokes.append(line(-0.6, foot, 0.6, foot))
    return strokes
