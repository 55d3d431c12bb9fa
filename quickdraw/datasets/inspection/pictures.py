"""Pictures inside a page: PNG as data: addresses, histograms as SVG.

The PNG are strokes on nothing, so that the page's paper shows through, light or dark.
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


def sheet(images: list[np.ndarray], columns: int) -> str:
    """Drawings in rows and columns, a pixel apart: uint8 `[side, side]` each, strokes 255 on 0."""
    side = len(images[0]) + 1
    rows = math.ceil(len(images) / columns)
    canvas = np.zeros((rows * side - 1, min(columns, len(images)) * side - 1), np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * side, i % columns * side
        canvas[y : y + side - 1, x : x + side - 1] = image
    return _png((canvas.astype(np.uint16) * (_LEVELS - 1) + 127) // 255, [(0, 0, 0)] * _LEVELS, 4)


def mean(image: np.ndarray) -> str:
    """A mean drawing in colour: float `[side, side]`; its strongest pixel is fully opaque."""
    share = image / max(float(image.max()), 1e-9)
    levels = 64
    colours = [
        tuple(round(a + (b - a) * (i / (levels - 1))) for a, b in zip(_FAINT, _STRONG, strict=True))
        for i in range(levels)
    ]
    return _png(np.round(share * (levels - 1)).astype(np.uint8), colours, 8)


def _png(levels: np.ndarray, colours: list[tuple[int, ...]], bits: int) -> str:
    """Level 0 is transparent, the last one opaque."""
    picture = Image.fromarray(levels.astype(np.uint8), "P")
    picture.putpalette([channel for colour in colours for channel in colour])
    opacity = bytes(round(255 * i / (len(colours) - 1)) for i in range(len(colours)))
    file = io.BytesIO()
    picture.save(file, "PNG", bits=bits, transparency=opacity, optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def histogram(counts: np.ndarray, unit: str) -> str:
    """Bars, as an `<svg>` that takes the width it is given.

    Args:
        counts: int `[bins]`.
        unit: what a bin means, with `{}` for its number from 1; shown for the bar under the mouse.
    """
    most = max(int(counts.max()), 1)
    bars = "".join(
        f'<rect x="{i}" y="{40 - height:.2f}" width=".86" height="{height:.2f}">'
        f"<title>{unit.format(i + 1)}: {count:,}</title></rect>"
        for i, count in enumerate(counts.tolist())
        if (height := 40 * count / most) > 0.005
    )
    return (
        f'<svg class="histogram" viewBox="0 0 {len(counts)} 40" preserveAspectRatio="none" '
        f'role="img" aria-label="histogram">{bars}</svg>'
    )


def charts(ink: np.ndarray, wide: np.ndarray, high: np.ndarray) -> list[str]:
    """Histograms, with titles, of the ink and of the sides of the bounding box."""
    last = max(int(np.flatnonzero(ink)[-1]) + 1, 60)
    average = ink @ np.arange(0.5, len(ink)) / max(ink.sum(), 1)
    charts = [
        f"<h3>Ink: {average:.0f} % of the paper</h3>"
        f"{_axis(histogram(ink[:last], 'up to {} % ink'), '0 %', f'{last} %')}"
    ]
    for title, counts in (("Width", wide), ("Height", high)):
        bars = histogram(counts, f"up to {{}}/{len(counts)} of the paper")
        charts.append(f"<h3>{title} of the bounding box</h3>{_axis(bars, '0', 'all the paper')}")
    return charts


def _axis(bars: str, low: str, high: str) -> str:
    return f"{bars}<div class=axis><span>{low}</span><span>{high}</span></div>"
