"""Drawings as PNG in data: URLs.

They are strokes on nothing, so that the page's paper shows through, light or dark.
"""

from __future__ import annotations

import base64
import io
import math

import numpy as np
from PIL import Image

_LEVELS = 16  # of opacity: 4 bits a pixel, and no eye sees the difference
_FAINT, _STRONG = (232, 93, 74), (38, 34, 98)
"""Colours of a mean drawing, from where few lines pass to where most do."""
_FIRST, _SECOND = (75, 63, 167), (214, 82, 56)
"""Colours of what is right and wrong, or above and below 0."""


def sheet(images: list[np.ndarray], columns: int) -> str:
    """Return drawings in rows and columns, a pixel apart.

    Args:
        images: uint8 `[side, side]` each, strokes of up to 255 on 0.
        columns: drawings in a row.
    """
    side = len(images[0]) + 1
    rows = math.ceil(len(images) / columns)
    canvas = np.zeros((rows * side - 1, min(columns, len(images)) * side - 1), np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * side, i % columns * side
        canvas[y : y + side - 1, x : x + side - 1] = image
    return _png((canvas.astype(np.uint16) * (_LEVELS - 1) + 127) // 255, [(0, 0, 0)] * _LEVELS, 4)


def mean(image: np.ndarray) -> str:
    """Return a mean drawing in colour, whose strongest pixel is opaque.

    Args:
        image: float64 `[side, side]`.
    """
    share = image / max(float(image.max()), 1e-9)
    levels = 64
    colours = [
        tuple(round(a + (b - a) * (i / (levels - 1))) for a, b in zip(_FAINT, _STRONG, strict=True))
        for i in range(levels)
    ]
    return _png(np.round(share * (levels - 1)).astype(np.uint8), colours, 8)


def _png(levels: np.ndarray, colours: list[tuple[int, ...]], bits: int) -> str:
    """Return a picture in which level 0 is transparent and the last one opaque.

    Args:
        levels: integers `[height, width]`.
        colours: red, green and blue of each level.
        bits: how many a pixel takes.
    """
    picture = Image.fromarray(levels.astype(np.uint8), "P")
    picture.putpalette([channel for colour in colours for channel in colour])
    opacity = bytes(round(255 * i / (len(colours) - 1)) for i in range(len(colours)))
    file = io.BytesIO()
    picture.save(file, "PNG", bits=bits, transparency=opacity, optimize=True)
    return _url(file)


def two_colours(strengths: np.ndarray, first: np.ndarray) -> str:
    """Return a picture of one pixel a number, in two colours on nothing, such as a matrix.

    Args:
        strengths: float `[height, width]`, 0 (nothing) … 1.
        first: bool `[height, width]`, which pixels are of the first colour; the others are of the
            second.
    """
    alpha = np.round(255 * np.clip(strengths, 0, 1)).astype(np.uint8)
    colours = np.where(first[:, :, None], _FIRST, _SECOND).astype(np.uint8)
    return png_url(np.dstack([colours, alpha]))


def signed(values: np.ndarray) -> str:
    """Return numbers as a picture: above 0 in one colour, below in another, 0 is nothing.

    Args:
        values: float `[height, width]`; the one farthest from 0 is opaque.
    """
    return two_colours(np.abs(values) / max(float(np.abs(values).max()), 1e-9), values >= 0)


def png_url(pixels: np.ndarray) -> str:
    """Return uint8 `[height, width, 4]` (or 3, or none) as PNG in a data: URL."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return _url(file)


def _url(file: io.BytesIO) -> str:
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
