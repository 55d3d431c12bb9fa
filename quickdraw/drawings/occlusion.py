"""Which parts of a picture a guess rests on: what changes when a part is covered.

Source: Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2.
"""

from __future__ import annotations

import numpy as np


def patch_of(size: int) -> tuple[int, int]:
    """Return the side of the patch that covers a part, and how far apart patches are, in pixels."""
    patch = max(1, round(size / 5.6))
    return patch, max(1, patch // 2)


def covered(image: np.ndarray) -> np.ndarray:
    """Return a picture many times, each time with another patch of it covered by paper.

    Args:
        image: uint8 `[size, size, channels]`, strokes 255 on 0.

    Returns:
        uint8 `[places * places, size, size, channels]`, row by row; the picture itself comes last.
    """
    patch, step = patch_of(image.shape[0])
    starts = range(0, image.shape[0] - patch + 1, step)
    many = np.repeat(image[None], len(starts) ** 2 + 1, axis=0)
    for number, (y, x) in enumerate((y, x) for y in starts for x in starts):
        many[number, y : y + patch, x : x + patch] = 0
    return many


def drops(probabilities: np.ndarray) -> tuple[int, list[float]]:
    """Return the likeliest class, and by how much its probability drops for each covered patch.

    Args:
        probabilities: float `[places * places + 1, num_classes]` of what `covered` returns.
    """
    best = int(probabilities[-1].argmax())
    return best, [round(float(probabilities[-1, best] - p), 4) for p in probabilities[:-1, best]]
