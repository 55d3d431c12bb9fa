"""Ants, lions, monkeys and pigs, each drawn in several ways; a head has radius 1 about (0, 0)."""

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
    frill,
    line,
    loop,
    mouth,
    outline,
    path,
    placed,
    scallops,
    scribble,
    spiral,
    spread,
)


def ants(rng: Rng) -> list[Stroke]:
    """Draw two to four round segments, or a bar, with legs and feelers."""
    segments = int(rng.choice((2, 3, 3, 3, 4)))
    joints = np.cumsum([0] + [about(rng, 1, 0.1) for _ in range(segments - 1)])
    radii = [about(rng, 0.52) for _ in range(segments)]
    radii[0] *= 0.85
    radii[-1] *= 1.2
    slope = rng.normal(0, 0.12)
    strokes = [
        loop(rng, x, slope * x, 0.95 * r, about(rng, 0.8 * r))
        for x, r in zip(joints, radii, strict=True)
    ]
    if chance(rng, 0.08):
        strokes = [line(-0.5, 0, joints[-1] + 0.5, 0, rng.normal(0, 0.1))]
    strokes += _ant_legs(rng, joints[-1])
    if chance(rng, 0.8):
        lean, length = rng.uniform(-0.7, 0.1), about(rng, 0.7)
        for dx in (-0.2, 0.2):
            end = (dx + lean, -radii[0] - length)
            strokes.append(line(dx, -0.7 * radii[0], *end, rng.normal(0, 0.2)))
            if chance(rng, 0.2):
                strokes.append(loop(rng, *end, 0.1))
    if chance(rng, 0.5):
        strokes.append(loop(rng, -0.15, -0.1, 0.1))
    if chance(rng, 0.2):
        strokes.append(arc(-0.2, 0.05, 0.25, 0.2, 0.3, 2.6))
    return facing(strokes, rng)


def _ant_legs(rng: Rng, length: float) -> list[Stroke]:
    """Draw legs below the body or, as seen from above, on both sides of it."""
    count, knee = int(rng.choice((2, 3, 3, 3, 4, 4, 6))), chance(rng, 0.35)
    reach, lean = about(rng, 0.9), rng.normal(0, 0.2)
    low, high = (0.4, 0.7 * length) if chance(rng, 0.5) else (0, length)
    sides = (1, -1) if chance(rng, 0.2) else (1,)
    legs = []
    for side in sides:
        for x in spread(rng, low, high, count):
            hip, foot = (x, side * 0.35), (x + lean + (x - length / 2) * 0.3, side * (0.35 + reach))
            if knee:
                bow = np.sign(x - length / 2) * 0.35
                legs.append(path(hip, (foot[0] + bow, side * 0.6), foot))
            else:
                legs.append(line(*hip, *foot))
    return legs


def lion(rng: Rng) -> list[Stroke]:
    """Draw a face in its mane; one in four has a body, seen from the side."""
    head = _lion_head(rng)
    if chance(rng, 0.75):
        return head
    return facing(placed(head, -1.9, -0.6, 0.7, rng.normal(0, 0.2)) + _trunk(rng), rng)


def _lion_head(rng: Rng) -> list[Stroke]:
    reach, start = about(rng, 1.2, 0.1), rng.uniform(0, TURN)
    teeth, depth = int(rng.integers(8, 20)), about(rng, 0.4, 0.3)
    kind = rng.random()
    if kind < 0.4:
        mane = [frill(0, 0, reach, reach, teeth, depth, start)]
    elif kind < 0.7:
        mane = [scallops(0, 0, reach, reach, int(rng.integers(6, 13)), depth, start)]
    elif kind < 0.85:
        angles = np.array(spread(rng, start, start + 0.95 * TURN, teeth))
        ends = np.stack((np.cos(angles), np.sin(angles)), axis=1)
        mane = [line(*end, *(end * (1.1 + depth))) for end in ends]
    else:
        mane = [spiral(0, 0, 1.05, 1.1 + depth, rng.uniform(2, 3.5), start)]
        mane[0] += rng.normal(0, 0.12, mane[0].shape)
    face = [] if chance(rng, 0.12) else [loop(rng, 0, 0, 1, about(rng, 1, 0.1))]
    if chance(rng, 0.85):
        face += eyes(rng)
    face += _muzzle(rng) if chance(rng, 0.4) else _nose(rng) + mouth(rng)
    if chance(rng, 0.25):
        face += [loop(rng, side * 0.75, -0.85, 0.3) for side in (-1, 1)]
    return mane + face if chance(rng, 0.4) else face + mane


def _trunk(rng: Rng) -> list[Stroke]:
    """Draw a four-legged body behind a head at (-2, -0.6), with its tail."""
    long, high = about(rng, 1.7, 0.12), about(rng, 0.75, 0.15)
    strokes = [loop(rng, 0, 0, long, high)]
    strokes += _legs(rng, -0.7 * long, 0.7 * long, 0.75 * high, 1.1)
    end = (long + about(rng, 0.8), rng.normal(-0.6, 0.5))
    strokes.append(line(0.95 * long, -0.1, *end, rng.normal(0, 0.25)))
    if chance(rng, 0.5):
        strokes.append(scribble(rng, *end, 0.22, 0.22))
    return strokes


def monkey(rng: Rng) -> list[Stroke]:
    """Draw a face with big ears, and often a body with arms, legs and a curled tail."""
    wide, tall = about(rng, 1, 0.1), about(rng, 1, 0.1)
    ear, ear_y = about(rng, 0.38), rng.uniform(-0.5, 0.1)
    strokes = [loop(rng, 0, 0, wide, tall)]
    ear_x, inner_ears = wide + 0.6 * ear, chance(rng, 0.25)
    for side in (-1, 1):
        strokes.append(arc(ear_x, ear_y, ear, about(rng, ear, 0.15), 2.5, -2.5) * (side, 1))
        if inner_ears:
            strokes.append(loop(rng, side * ear_x, ear_y, 0.5 * ear))
    face = rng.random()
    if face < 0.25:  # lighter muzzle
        strokes.append(loop(rng, 0, 0.45, 0.65, 0.45))
    elif face < 0.4:  # heart-shaped face
        half = ((0.0, -0.3), (0.5, -0.6), (0.75, 0.1), (0.0, 0.8))
        strokes.append(path(*half, *((-x, y) for x, y in half[2:0:-1])))
    strokes += eyes(rng, 0.35)
    strokes += _nose(rng, 0.25) if chance(rng, 0.5) else []
    strokes += mouth(rng, 0.5)
    if chance(rng, 0.55):
        strokes += _stick_body(rng)
        if chance(rng, 0.75):
            strokes += _curled_tail(rng)
    return facing(strokes, rng)


def _stick_body(rng: Rng) -> list[Stroke]:
    """Draw a body with arms and legs under a head of radius 1."""
    hip = about(rng, 3.2, 0.15)
    if chance(rng, 0.7):
        body = loop(rng, 0, (hip + 1) / 2, about(rng, 0.75), (hip - 0.9) / 2)
        girth = 0.6
    else:
        body, girth = line(0, 1, 0, hip), 0.0
    strokes = [body]
    lift = rng.normal(0.2, 0.7)
    for side in (-1, 1):
        strokes.append(line(side * girth, 1.6, side * 2, 1.6 + lift, rng.normal(0, 0.12)))
        strokes.append(line(side * girth / 2, hip - 0.2, side * 1.1, hip + 1.3, rng.normal(0, 0.1)))
    return strokes


def _curled_tail(rng: Rng) -> list[Stroke]:
    end_x, end_y = rng.uniform(1.5, 2.6), rng.uniform(1.0, 3.4)
    curl = spiral(end_x - 0.35, end_y, 0.35, 0.05, about(rng, -0.9), 0)
    return [np.concatenate((line(0.5, 2.9, end_x, end_y + 0.2, about(rng, 0.25)), curl))]


def pig(rng: Rng) -> list[Stroke]:
    """Draw a face with snout and pointed ears, or a body with a curly tail."""
    if chance(rng, 0.6):
        return _pig_face(rng)
    head = placed(_pig_face(rng), -1.9, -0.3, 0.62)
    if chance(rng, 0.3):  # seen from the side: the snout is a stub in front
        head = [loop(rng, -1.9, -0.2, 0.6), box(rng, -2.6, -0.1, 0.4, 0.4)]
        head += [loop(rng, -2, -0.4, 0.08), path((-1.9, -0.7), (-1.7, -1.1), (-1.5, -0.6))]
    long, high = about(rng, 1.6, 0.1), about(rng, 0.95, 0.12)
    strokes = [loop(rng, 0, 0, long, high), *head]
    strokes += _legs(rng, -0.65 * long, 0.65 * long, 0.8 * high, 0.7)
    if chance(rng, 0.85):
        turns = rng.uniform(0.8, 2.2)
        curl = spiral(long + 0.2, -0.1, 0.2, 0.2, turns, np.pi)
        curl[:, 0] += np.linspace(0, 0.3 + 0.2 * turns, len(curl))
        strokes.append(curl)
    return facing(strokes, rng)


def _pig_face(rng: Rng) -> list[Stroke]:
    wide, tall = about(rng, 1.05, 0.12), about(rng, 1, 0.1)
    strokes = [loop(rng, 0, 0, wide, tall)]
    tip, floppy = about(rng, 0.5), chance(rng, 0.3)
    for side in (-1, 1):
        base = ((side * 0.85 * wide, -0.55 * tall), (side * 0.3 * wide, -0.95 * tall))
        height = -0.5 if floppy else -1 - tip
        ear = path(base[0], (side * (0.8 + 0.5 * floppy), height), base[1])
        strokes.append(ear)
    snout, snout_y = about(rng, 0.36), rng.uniform(0.1, 0.35)
    strokes.append(loop(rng, 0, snout_y, about(rng, 1.2, 0.1) * snout, 0.8 * snout))
    if chance(rng, 0.9):
        size, gap = 0.25 * snout, 0.45 * snout
        if chance(rng, 0.5):
            strokes += [loop(rng, x, snout_y, 0.6 * size, size) for x in (-gap, gap)]
        else:
            strokes += [line(x, snout_y - size, x, snout_y + size) for x in (-gap, gap)]
    strokes += eyes(rng, y=-0.35) if chance(rng, 0.9) else []
    strokes += mouth(rng, 0.7) if chance(rng, 0.45) else []
    return strokes


def _muzzle(rng: Rng) -> list[Stroke]:
    """Draw a cat's nose and mouth, with or without whiskers."""
    strokes = [*_nose(rng), line(0, 0.2, 0, 0.4)]
    strokes += [arc(-0.2, 0.4, 0.2, 0.15, 0, np.pi), arc(0.2, 0.4, 0.2, 0.15, np.pi, 0)]
    if chance(rng, 0.4):
        for side in (-1, 1):
            strokes += [line(side * 0.3, 0.25, side * 0.85, y) for y in (0.1, 0.35)]
    return strokes


def _nose(rng: Rng, y: float = 0.1) -> list[Stroke]:
    if chance(rng, 0.5):
        return [outline(rng, (-0.15, y - 0.1), (0.15, y - 0.1), (0, y + 0.1))]
    return [loop(rng, 0, y, 0.12, 0.09)]


def _legs(rng: Rng, low: float, high: float, top: float, length: float) -> list[Stroke]:
    """Draw an animal's legs from the side: lines, or narrow boxes open at the top."""
    count, wide = int(rng.integers(2, 5)), chance(rng, 0.4)
    foot = top + about(rng, length)
    if wide:
        return [
            path((x - 0.1, top), (x - 0.1, foot), (x + 0.12, foot), (x + 0.12, top))
            for x in spread(rng, low, high, count)
        ]
    return [line(x, top, x + rng.normal(0, 0.06), foot) for x in spread(rng, low, high, count)]
