"""Sample doodles: drawings of the camp's ten categories, made up without any data.

They stand in for Quick, Draw! where it cannot be downloaded: for a first run, a test, a benchmark.
What is drawn, and how badly, follows what players draw in their twenty seconds: several ways to
draw each thing, parts left out, drawings broken off, and now and then something else altogether.
A category is a function that returns strokes in its own units; `draw` adds the human touch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quickdraw.datasets.doodles import animals, things
from quickdraw.datasets.doodles.pens import (
    Rng,
    Stroke,
    chance,
    hand,
    line,
    scribble,
    simplified,
)
from quickdraw.errors import QuickdrawError

_WAYS: dict[str, Callable[[Rng], list[Stroke]]] = {
    "ants": animals.ants,
    "boomerang": things.boomerang,
    "cake": things.cake,
    "lion": animals.lion,
    "monkey": animals.monkey,
    "pig": animals.pig,
    "scissor": things.scissor,
    "skull": things.skull,
    "television": things.television,
    "traffic_light": things.traffic_light,
}
CATEGORIES = tuple(_WAYS)  # in label order, spelt as the camp spells them


def draw(category: str, rng: np.random.Generator) -> list[list[list[int]]]:
    """Draw one doodle, the same for the same state of `rng`.

    Args:
        category: one of `CATEGORIES`.
        rng: source of every choice; it is advanced.

    Returns:
        Strokes `[[x0, x1, ...], [y0, y1, ...]]` as in Quick, Draw!'s simplified files: whole
        numbers from 0, the longer side up to 255. About one drawing in twenty is broken off or is
        not what it should be.

    Raises:
        QuickdrawError: where the category is not one of the ten.
    """
    if category not in _WAYS:
        known = ", ".join(CATEGORIES)
        raise QuickdrawError(f"Unknown category: expected one of {known}. Received: {category!r}")
    return simplified(_mishaps(hand(_WAYS[category](rng), rng), rng))


def _mishaps(strokes: list[Stroke], rng: Rng) -> list[Stroke]:
    """Apply what a twenty-second limit does to order, direction and completeness."""
    strokes = [stroke[::-1] if chance(rng, 0.3) else stroke for stroke in strokes]
    if len(strokes) > 2 and chance(rng, 0.3):
        first, second = rng.choice(len(strokes), 2, replace=False)
        strokes[first], strokes[second] = strokes[second], strokes[first]
    if len(strokes) > 3 and chance(rng, 0.25):
        del strokes[rng.integers(1, len(strokes))]
    fate = rng.random()
    if fate < 0.04:  # the clock ran out
        strokes = strokes[: 1 + len(strokes) // 2]
        strokes[-1] = strokes[-1][: max(3, int(len(strokes[-1]) * rng.uniform(0.4, 1)))]
    elif fate < 0.055:  # crossed out
        strokes.append(scribble(rng, *_middle(strokes), 0.5, 0.4))
    elif fate < 0.065:  # a stray mark beside it
        strokes.append(line(*rng.uniform(-0.3, 1.3, 4)))
    elif fate < 0.08:  # nothing but a scribble
        strokes = [scribble(rng, 0, 0, 1, rng.uniform(0.4, 1.2))]
    return strokes


def _middle(strokes: list[Stroke]) -> tuple[float, float]:
    x, y = np.concatenate(strokes).mean(axis=0)
    return x, y
