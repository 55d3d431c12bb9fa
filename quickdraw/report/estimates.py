"""A figure with its interval of 95 %."""

from __future__ import annotations

import math
from typing import NamedTuple

Z = 1.959964
"""97.5 % of a normal distribution lie below it."""


class Estimate(NamedTuple):
    """A figure and its interval of 95 %."""

    value: float
    low: float
    high: float


def wilson(right: int, count: int) -> Estimate:
    """Return a share and its interval.

    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".

    Args:
        right: how many are.
        count: of how many; of none nothing is known.
    """
    if not count:
        return Estimate(0.0, 0.0, 1.0)
    share, z2 = right / count, Z**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    # Not beyond the share itself, by the last digit.
    return Estimate(share, min(share, max(0.0, middle - half)), max(share, min(1, middle + half)))
