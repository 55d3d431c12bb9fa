"""The order of classes in the confusion matrix: confused classes next to each other."""

from __future__ import annotations

import numpy as np


def confused_together(counts: np.ndarray, largest: int) -> tuple[list[int], list[list[int]]]:
    """Cluster classes by confusion, and order them by the clustering.

    Average linkage (Sokal & Michener 1958, "A statistical method for evaluating systematic
    relationships"). When two clusters merge, each is reversed if that brings the most confused pair
    of classes together.

    Args:
        counts: int `[classes, classes]`, row = label, column = prediction.
        largest: the size of the largest neighbourhood.

    Returns:
        The classes in order; and the neighbourhoods, the maximal clusters of at most `largest`
        classes, the one with most confusions first.
    """
    closeness = _closeness(counts)
    rows = [[label] for label in range(len(counts))]
    sizes = np.ones(len(counts))
    alive = np.ones(len(counts), bool)
    between = closeness.copy()
    np.fill_diagonal(between, -1.0)
    neighbourhoods: list[list[int]] = []
    for _ in range(len(counts) - 1):
        first, second = np.unravel_index(int(between.argmax()), between.shape)
        joined = _joined(rows[first], rows[second], closeness)
        if len(joined) > largest:
            neighbourhoods += [
                row for row in (rows[first], rows[second]) if 1 < len(row) <= largest
            ]
        mean = sizes[first] * between[first] + sizes[second] * between[second]
        sizes[first] += sizes[second]
        between[first] = between[:, first] = mean / sizes[first]
        between[second] = between[:, second] = between[first, first] = -1.0
        alive[second] = False
        between[~alive] = -1.0
        between[:, ~alive] = -1.0
        rows[first], rows[second] = joined, []
    order = next(row for row in rows if row)
    neighbourhoods.sort(key=lambda row: -_mistakes(counts, row))
    return order, [row for row in neighbourhoods if _mistakes(counts, row)]


def _closeness(counts: np.ndarray) -> np.ndarray:
    """Return the rates at which pairs are confused, symmetric float64 `[classes, classes]`."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return (shares + shares.T) / 2


def _joined(first: list[int], second: list[int], closeness: np.ndarray) -> list[int]:
    """Concatenate two clusters, either of which may be reversed."""
    ways = [(a, b) for a in (first, first[::-1]) for b in (second, second[::-1])]
    a, b = max(ways, key=lambda way: closeness[way[0][-1], way[1][0]])
    return a + b


def _mistakes(counts: np.ndarray, row: list[int]) -> int:
    among = counts[np.ix_(row, row)]
    return int(among.sum() - np.trace(among))
