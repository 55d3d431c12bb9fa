"""Statistics: 95 % bootstrap intervals, and tests of differences between runs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from quickdraw.report.answers import Answers
from quickdraw.report.estimates import Estimate, Z

_RESAMPLES = 500
_BINS = 15


def bootstrap(answers: Answers, seed: int = 0) -> dict[str, Estimate]:
    """Return MAP@3, loss, negative log-likelihood and ECE with their intervals.

    The drawings are resampled with replacement 500 times; percentile intervals, 2.5 % on each side
    (Efron & Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3).
    """
    rng, count = np.random.default_rng(seed), len(answers.ranks)
    values = np.stack(
        [
            np.where(answers.ranks < 3, 1 / (answers.ranks + 1), 0.0),
            answers.losses,
            negative_log_likelihood(answers),
        ]
    ).astype(np.float64)
    bins, excess = excess_by_bin(answers.confidence, answers.right)
    found = np.empty((_RESAMPLES, 4))
    for row in found:
        times = np.bincount(rng.integers(0, count, count), minlength=count)
        row[:3] = values @ times / count
        row[3] = np.abs(np.bincount(bins, excess * times, _BINS)).sum() / count
    here = [*values.mean(axis=1), np.abs(np.bincount(bins, excess, _BINS)).sum() / count]
    low, high = np.percentile(found, [2.5, 97.5], axis=0)
    names = ("map3", "loss", "nll", "ece")
    return {
        name: Estimate(float(each), float(min(a, each)), float(max(b, each)))
        for name, each, a, b in zip(names, here, low, high, strict=True)
    }


def negative_log_likelihood(answers: Answers) -> np.ndarray:
    """Return the negative log-likelihood of each label, float32 `[n]`."""
    return -np.log(np.maximum(answers.own, 1e-30))


def excess_by_bin(confidence: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each confidence's bin, of 15, and its excess over correctness, float `[n]` each.

    Args:
        confidence: float `[n]`, 0…1.
        right: bool `[n]`.
    """
    bins = np.clip(np.ceil(confidence * _BINS) - 1, 0, _BINS - 1).astype(int)
    return bins, confidence.astype(np.float64) - right


class Difference(NamedTuple):
    """The comparison of two runs on the same drawings.

    Attributes:
        value: the difference in accuracy, first minus second.
        low: the lower bound of its 95 % interval.
        high: the upper bound.
        only_first: the number of drawings that only the first has right.
        only_second: the number that only the second has right.
        p: the p-value of McNemar's exact test.
    """

    value: float
    low: float
    high: float
    only_first: int
    only_second: int
    p: float


def paired_difference(first: np.ndarray, second: np.ndarray) -> Difference:
    """Compare the accuracy of two runs on the same drawings.

    Source: McNemar 1947, "Note on the sampling error of the difference between correlated
    proportions or percentages", in its exact form: under the null hypothesis, each run has half of
    the drawings that only one of them has right.

    Args:
        first: bool `[n]`.
        second: bool `[n]`.
    """
    count = max(len(first), 1)
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    value = (b - c) / count
    half = Z * math.sqrt(max(b + c - (b - c) ** 2 / count, 0)) / count
    return Difference(value, value - half, value + half, b, c, _binomial_p(min(b, c), b + c))


def _binomial_p(fewer: int, count: int) -> float:
    """Return the two-sided p-value of at most `fewer` heads or tails in `count` fair tosses."""
    if not count:
        return 1.0
    whole = math.lgamma(count + 1) - count * math.log(2)
    logs = [whole - math.lgamma(k + 1) - math.lgamma(count - k + 1) for k in range(fewer + 1)]
    return min(1.0, 2 * math.fsum(map(math.exp, logs)))
