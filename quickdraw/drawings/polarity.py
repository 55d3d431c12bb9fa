"""Which way round a picture is: dark ink on light paper, or light ink on dark paper.

Paper is what the border shows and what most of a picture is. Where the two agree the picture speaks
for itself; where they do not (a frame that fills the picture, a stroke as broad as the paper beside
it) it is taken as most of its file are.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from PIL import Image

_PURE = 32  # of 255: corners closer to black, or to white, are paper without a further look
_SIDE = 64  # pixels: a larger picture is looked at in this size, and may be a photograph
_NOISE = 16  # grey levels by which paper differs from itself
_EVEN = 0.9  # of the border's pixels: paper without a shadow on it
_CLEAR = 0.75  # of a small picture's border: what is left is ink that touches it
_PAPER = 0.5  # of all pixels
_FITS = 4  # until the surface stays where it is
_CLEARLY = 2.0  # times as much ink on one side of the paper's grey as on the other


class Verdict(NamedTuple):
    """What a picture alone shows.

    Attributes:
        dark: whether its ink is dark.
        sure: whether border and area agree; otherwise it is what the border says.
    """

    dark: bool
    sure: bool


class Polarity(NamedTuple):
    """What is known about the pictures of a file.

    Attributes:
        dark: whether the ink of most of them is dark; None where a picture comes alone.
        told: whether that is so of all of them, and none is looked at.
    """

    dark: bool | None = False
    told: bool = True

    def is_dark(self, image: np.ndarray) -> bool:
        """Return whether the ink of a picture, uint8 `[height, width]`, is dark."""
        dark, told = self
        if told:
            return bool(dark)
        if dark is None:
            verdict = judge(image)
            return verdict.dark and (verdict.sure or max(image.shape) > _SIDE)
        first, last = image.item(0), image.item(-1)
        if (first > 255 - _PURE < last) if dark else (first < _PURE > last):
            return dark
        verdict = judge(image)
        return verdict.dark if verdict.sure else dark


ALONE = Polarity(dark=None, told=False)
"""A picture of which no others are known.

If it is not clear by itself, a large one is what its border says, and a small one light on dark, as
data sets are.
"""


def judge(image: np.ndarray) -> Verdict:
    """Judge a picture, uint8 `[height, width]`, by its border and its area.

    Light on photographed paper falls off smoothly: where the border of a large picture is uneven, a
    surface of the second degree is taken off first. Small ones are drawn, and have an even border.
    """
    is_small = max(image.shape) <= _SIDE
    grey = (image if is_small else _reduced(image)).astype(np.float32)
    paper, evenness = _paper(grey)
    if evenness < _EVEN and not is_small:
        grey = grey - _shade(grey)
        paper = _median(border(grey))
    dark, light = _ink(grey, paper)
    if not dark and not light and grey.min() < grey.max():
        # Ink as pale as noise: on black paper it can but be lighter, on white paper darker.
        return Verdict(paper > 255 - _NOISE, not _NOISE <= paper <= 255 - _NOISE)
    darker, lighter = _ink(grey, _median(grey.ravel()))
    sure = (
        (evenness >= _CLEAR or not is_small)
        and np.count_nonzero(np.abs(grey - paper) <= _NOISE) >= _PAPER * grey.size
        and (dark > _CLEARLY * light and darker > _CLEARLY * lighter)
        | (light > _CLEARLY * dark and lighter > _CLEARLY * darker)
    )
    return Verdict(dark > light, bool(sure))


def above_paper(image: np.ndarray) -> np.ndarray:
    """Return how much lighter than its paper a picture is, with the light on it as in `judge`.

    Args:
        image: uint8 `[height, width]`.

    Returns:
        float32 `[height, width]`, negative where it is darker.
    """
    grey = image.astype(np.float32)
    if max(image.shape) > _SIDE:
        reduced = _reduced(image).astype(np.float32)
        if _paper(reduced)[1] < _EVEN:
            height, width = image.shape
            shade = Image.fromarray(_shade(reduced)).resize((width, height))
            grey -= np.asarray(shade)
    return grey - _median(grey.ravel())


def _paper(grey: np.ndarray) -> tuple[float, float]:
    """Return the grey of a picture's border, and how much of the border has it."""
    edge = border(grey)
    paper = _median(edge)
    return paper, np.count_nonzero(np.abs(edge - paper) <= _NOISE) / edge.size


def _shade(grey: np.ndarray) -> np.ndarray:
    """Return the surface of the second degree through the paper of a reduced picture.

    Least trimmed squares (Rousseeuw 1984, "Least Median of Squares Regression", section 4): the
    half that is farthest from a surface, where ink is, is left out of the next one.

    Args:
        grey: float32 `[64, 64]`.

    Returns:
        The same shape.
    """
    basis, values = _surface(), grey.ravel()
    near = np.ones(len(values), bool)
    for _ in range(_FITS):
        fitted = basis[near]
        surface = basis @ np.linalg.solve(fitted.T @ fitted, fitted.T @ values[near])
        away = np.abs(values - surface)
        near = away <= _median(away)
    return surface.reshape(grey.shape)


def border(grey: np.ndarray) -> np.ndarray:
    """Return the outermost pixels of a picture, `[height, width]` to `[n]`."""
    return np.concatenate((grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]))


def _median(values: np.ndarray) -> float:
    """Return the median of `[n]`, the upper one of two; a fifth of what NumPy's takes."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


def _ink(grey: np.ndarray, paper: float) -> tuple[float, float]:
    """Return how much there is that is darker, and lighter, than paper: sums of squares."""
    above = grey - paper
    dark, light = np.minimum(above + _NOISE, 0), np.maximum(above - _NOISE, 0)
    return float(np.vdot(dark, dark)), float(np.vdot(light, light))


def _reduced(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.BOX))


@functools.cache
def _surface() -> np.ndarray:
    """Return the six functions of a surface of the second degree, float32 `[64 * 64, 6]`."""
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    functions = (np.ones_like(x), x, y, x * x, x * y, y * y)
    return np.stack([each.ravel() for each in functions], axis=1).astype(np.float32)
