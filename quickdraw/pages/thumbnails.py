"""Drawings as PNG in data: URLs.

Paper is transparent, so that the background of the page shows, light or dark.
"""

from __future__ import annotations

import base64
import io
import math

import numpy as np
from PIL import Image

_LEVELS = 16  # of opacity: 4 bits a pixel, which is visually lossless
_FAINT, _STRONG = (232, 93, 74), (38, 34, 98)
"""The colour scale of a mean drawing, from few lines to most."""
_FIRST, _SECOND = (75, 63, 167), (214, 82, 56)
"""Colours for right and wrong, or above and below 0."""


def sheet(images: list[np.ndarray], columns: int) -> str:
    """Return a contact sheet of drawings, a pixel apart, as a data: URL.

    Args:
        images: uint8 `[side, side]` each, strokes of up to 255 on 0.
        columns: the number of drawings in a row.
    """
    side = len(images[0]) + 1
    rows = math.ceil(len(images) / columns)
    canvas = np.zeros((rows * side - 1, min(columns, len(images)) * side - 1), np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * side, i % columns * side
        canvas[y : y + side - 1, x : x + side - 1] = image
    return _png((canvas.astype(np.uint16) * (_LEVELS - 1) + 127) // 255, [(0, 0, 0)] * _LEVELS, 4)


def mean(image: np.ndarray) -> str:
    """Return a mean drawing in colour, scaled so that its strongest pixel is opaque.

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
    """Encode a picture whose level 0 is transparent and whose highest is opaque.

    Args:
        levels: integers `[height, width]`.
        colours: red, green and blue of each level.
        bits: per pixel.
    """
    picture = Image.fromarray(levels.astype(np.uint8), "P")
    picture.putpalette([channel for colour in colours for channel in colour])
    opacity = bytes(round(255 * i / (len(colours) - 1)) for i in range(len(colours)))
    file = io.BytesIO()
    picture.save(file, "PNG", bits=bits, transparency=opacity, optimize=True)
    return _url(file)


def two_colours(strengths: np.ndarray, first: np.ndarray) -> str:
    """Return an array, such as a matrix, as a picture in two colours, one pixel a value.

    Args:
        strengths: float `[height, width]`, 0 (transparent) … 1.
        first: bool `[height, width]`, which pixels are of the first colour; the others are of the
            second.
    """
    alpha = np.round(255 * np.clip(strengths, 0, 1)).astype(np.uint8)
    colours = np.where(first[:, :, None], _FIRST, _SECOND).astype(np.uint8)
    return png_url(np.dstack([colours, alpha]))


def signed(values: np.ndarray) -> str:
    """Return values as a picture, positive and negative ones in two colours, 0 transparent.

    Args:
        values: float `[height, width]`; the largest magnitude is opaque.
    """
    return two_colours(np.abs(values) / max(float(np.abs(values).max()), 1e-9), values >= 0)


def png_url(pixels: np.ndarray) -> str:
    """Return uint8 `[height, width, 4]` (or 3, or none) as PNG in a data: URL."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return _url(file)


def _url(file: io.BytesIO) -> str:
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
