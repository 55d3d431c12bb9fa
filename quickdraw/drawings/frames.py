"""What lies round the paper of a picture: the dark edge of a scan, or the light one of a print."""

from __future__ import annotations

import numpy as np

from quickdraw.drawings.polarity import border

UNFRAMED = "a frame round the paper: painted over"
_SMALLEST = 32  # pixels a side: smaller pictures are drawn, not scanned
_BROADEST = 0.15  # of a side
_SOLID = 0.95  # of the pixels in a row of the frame
_PAPER = 0.75  # of the pixels just inside of it
_AWAY = 64  # grey levels between paper and frame, or ink


def without_frame(image: np.ndarray) -> np.ndarray:
    """Return a picture whose frame, if it has one, is painted as its paper is.

    A frame is solid along a side, from the edge on, and far from the paper in grey; what is inside
    of it begins with paper and holds ink. So ink that touches the edge is none, nor is the paper
    round a shape that is filled.

    Args:
        image: uint8 `[height, width]`.

    Returns:
        The same array where there is no frame.
    """
    height, width = image.shape
    if min(image.shape) <= _SMALLEST:
        return image
    some = sorted(image[:: height // 8, :: width // 8].tobytes())  # in a few µs, unlike a median
    corners = image[:: height - 1, :: width - 1].tobytes()
    if all(abs(corner - some[len(some) // 2]) < _AWAY for corner in corners):
        return image
    paper = int(np.median(image))
    top, right, bottom, left = (_breadth(np.rot90(image, turns), paper) for turns in range(4))
    if not top + right + bottom + left:
        return image
    inside = np.s_[top : height - bottom, left : width - right]
    is_ink = np.abs(image[inside].astype(int) - paper) >= _AWAY
    if not is_ink.any() or border(is_ink).mean() > 1 - _PAPER:
        return image
    framed = np.full_like(image, paper)
    framed[inside] = image[inside]
    return framed


def _breadth(image: np.ndarray, paper: int) -> int:
    """Return how many rows from the top on belong to a frame."""
    rows = image[: int(_BROADEST * len(image)) + 1].astype(int) - paper
    is_solid = (np.sign(rows[0].sum()) * rows >= _AWAY).mean(axis=1) >= _SOLID
    return 0 if is_solid.all() else int(is_solid.argmin())
