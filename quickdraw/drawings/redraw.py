"""Pictures of lines drawn again, with the pen and in the box that strokes are drawn with.

A model knows the pen it was trained on. Lines two pixels wide on a picture of 254 are a shadow at
28, and a drawing that fills a third of its page is a third as large: a network that recognises 95 %
of Quick, Draw!'s bitmaps recognises 9 % of such pictures, and 94 % after this (docs/en/results.md).
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from quickdraw.drawings import polarity

_FAINT_LINE = 0.75  # pixels: half of the pen of Quick, Draw!'s bitmaps
_PALE = 96  # of 255: how much lighter than paper ink is at least
_GREY_PAPER = 64  # of 255: how light paper is at most
_AWAY = 0.05  # of the side: by so much a drawing may be larger, smaller, or beside the middle
_SIDE = 1024  # pixels: a larger picture is made smaller first
_NOISE = 16  # grey levels above the paper
_PART = 0.4  # of the strong ink's brightness: where a line ends
_FILLED = 0.25  # of the longer side: broader than any line
_THIN_ENDS = 10  # percent of the ink that may be thinner than the line, at its ends
_PEN = 10  # canvas pixels, at least


def redraw(image: np.ndarray, image_size: int, reach: float, pen: float) -> np.ndarray:
    """Draw a picture's lines again: scaled, in the middle, and as broad as a pen.

    Lines are widened or thinned by a disc (dilation and erosion: Serra 1982, "Image Analysis and
    Mathematical Morphology", chapter 2). A filled shape is scaled only.

    Args:
        image: uint8 `[height, width]`, ink light on dark paper; it may be a photograph.
        image_size: side of the result, in pixels.
        reach: of the lines' middle along the longer side, in pixels of the result.
        pen: diameter of the pen, in pixels of the result.

    Returns:
        uint8 `[image_size, image_size]`, 255 on 0; all 0 where there is no ink.
    """
    ink, threshold = _ink(image)
    lines = ink > threshold
    if not lines.any():
        return np.zeros((image_size, image_size), np.uint8)
    (top, bottom), (left, right) = _extent(lines.max(axis=1)), _extent(lines.max(axis=0))
    longer, width = max(bottom - top, right - left), line_width(lines)
    samples = math.ceil(_PEN / pen)
    side = image_size * samples
    is_filled = width > _FILLED * longer
    scale = samples * ((reach + pen) / longer if is_filled else reach / (longer - width))
    step = 1 / scale
    corner = (left + right - step * side) / 2, (top + bottom - step * side) / 2
    placed = Image.fromarray(np.minimum(ink, 255).astype(np.uint8)).transform(
        (side, side),
        Image.Transform.AFFINE,
        (step, 0, corner[0], 0, step, corner[1]),
        Image.Resampling.BILINEAR,
    )
    drawn = np.asarray(placed) > threshold
    if not is_filled:
        drawn = _as_broad_as(pen * samples, drawn)
    return np.asarray(Image.fromarray(drawn.astype(np.uint8) * 255).reduce(samples))


def line_width(lines: np.ndarray) -> float:
    """Return how many pixels broad the lines of a picture, bool `[height, width]`, are.

    That is the shorter of the runs of ink through a pixel, across and down. Crossings and filled
    places are broader, so a low percentile over the ink is taken, not the mean.
    """
    across, down = np.zeros(lines.shape, int), np.zeros(lines.T.shape, int)
    across[lines], down[lines.T] = _runs(lines), _runs(lines.T)
    return float(np.percentile(np.minimum(across, down.T)[lines], _THIN_ENDS))


def is_unclear(image: np.ndarray, image_size: int) -> bool:
    """Return whether a picture's lines will be hard to see when it is resized.

    They are thin, or pale, or on grey paper.

    Args:
        image: uint8 `[height, width]`, ink light on dark paper.
        image_size: what its longer side is resized to, in pixels.
    """
    if max(image.shape) <= image_size:
        return False
    ink, threshold = _ink(image)
    lines = ink > threshold
    return bool(lines.any()) and _is_unclear(image, ink, lines, image_size)


def is_drawn_so(image: np.ndarray, image_size: int, reach: float, pen: float) -> bool:
    """Return whether a picture, resized, looks as `redraw` would draw it.

    Args:
        image: uint8 `[height, width]`, ink light on dark paper.
        image_size: side of what it is resized to, in pixels.
        reach: of the lines' middle along the longer side, in pixels of the result.
        pen: diameter of the pen, in pixels of the result.
    """
    ink, threshold = _ink(image)
    lines = ink > threshold
    if not lines.any():
        return True
    if _is_unclear(image, ink, lines, image_size):
        return False
    rows, columns = _extent(lines.max(axis=1)), _extent(lines.max(axis=0))
    scale, near = image_size / max(lines.shape), _AWAY * image_size
    longer = max(end - start for start, end in (rows, columns)) * scale
    aside = max(abs(sum(ends) * scale - image_size) / 2 for ends in (rows, columns))
    width = line_width(lines) * scale
    return abs(longer - reach - pen) < near > aside and pen / 2 < width < pen * 2


def _is_unclear(image: np.ndarray, ink: np.ndarray, lines: np.ndarray, image_size: int) -> bool:
    """Return whether lines that are there, bool `[height, width]`, are hard to see resized."""
    is_thin = line_width(lines) * image_size / max(lines.shape) < _FAINT_LINE
    return is_thin or _strength(ink[lines]) < _PALE or bool(np.median(image) > _GREY_PAPER)


def _ink(image: np.ndarray) -> tuple[np.ndarray, float]:
    """Return how much lighter than paper each pixel is, float32 `[height, width]`, and a threshold.

    A large picture is made smaller by the lightest pixel of each square: no line gets lost.
    """
    if (factor := -(-max(image.shape) // _SIDE)) > 1:
        height, width = (-(-length // factor) * factor for length in image.shape)
        rest = (0, height - image.shape[0]), (0, width - image.shape[1])
        image = np.pad(image, rest, "edge")
        image = image.reshape(height // factor, factor, width // factor, factor).max(axis=(1, 3))
    above = polarity.above_paper(image)
    strong = above[above > _NOISE]
    level = _PART * _strength(strong) if strong.size else 0.0
    return np.maximum(above, 0), max(level, _NOISE)


def _strength(ink: np.ndarray) -> float:
    """Return how much lighter than paper the ink, `[n]`, n above 0, is where it is strong."""
    return float(np.percentile(ink, 90))


def _extent(inked: np.ndarray) -> tuple[int, int]:
    """Return where the ink of bool `[length]` begins and ends."""
    places = np.flatnonzero(inked)
    return int(places[0]), int(places[-1]) + 1


def _runs(lines: np.ndarray) -> np.ndarray:
    """Return the length of the row's run of ink that each inked pixel lies in, row by row."""
    apart = np.pad(lines, ((0, 0), (0, 1))).ravel().astype(np.int8)
    edges = np.flatnonzero(np.diff(apart, prepend=np.int8(0)))
    lengths = edges[1::2] - edges[::2]
    return np.repeat(lengths, lengths)


def _as_broad_as(pen: float, lines: np.ndarray) -> np.ndarray:
    """Return lines, bool `[side, side]`, made as broad as a pen, in pixels."""
    if not lines.any():  # thinner than a pixel, and between two
        return lines
    change = pen - line_width(lines)
    return _widened(lines, change) if change > 0 else ~_widened(~lines, -change)


def _widened(lines: np.ndarray, change: float) -> np.ndarray:
    """Return lines, bool `[side, side]`, with a disc at each pixel: `change` pixels broader."""
    side = len(lines)
    before = np.zeros((side, side + 1), np.int32)
    np.cumsum(lines, axis=1, out=before[:, 1:])
    columns, radius = np.arange(side), (change + 1) / 2
    wide = lines.copy()
    for down in range(int(radius) + 1):
        half = int(math.sqrt(radius**2 - down**2))
        end, start = np.minimum(columns + half + 1, side), np.maximum(columns - half, 0)
        row = before[:, end] > before[:, start]
        wide[down:] |= row[: side - down]
        wide[: side - down] |= row[down:]
    return wide
