"""A figure with its 95 % confidence interval."""

from __future__ import annotations

import math
from typing import NamedTuple

Z = 1.959964
"""The 97.5 % quantile of the standard normal distribution."""


class Estimate(NamedTuple):
    """A figure and its 95 % confidence interval."""

    value: float
    low: float
    high: float


def wilson(right: int, count: int) -> Estimate:
    """Return a proportion and its Wilson score interval.

    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".

    Args:
        right: the number of successes.
        count: the number of trials; 0 gives the interval 0…1.
    """
    if not count:
        return Estimate(0.0, 0.0, 1.0)
    share, z2 = right / count, Z**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    # Rounding must not move a bound past the share itself.
    return Estimate(share, min(share, max(0.0, middle - half)), max(share, min(1, middle + half)))
