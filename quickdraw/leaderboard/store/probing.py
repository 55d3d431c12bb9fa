"""Hints of probing: entries that differ from an earlier one of the team in a few answers.

Changing one answer at a time and watching the score reveals the labels of the public half. To
detect it, a sketch of each entry's answers is stored, from which the number of different answers of
two entries can be estimated while it is small.
"""

from __future__ import annotations

import numpy as np

BUCKETS = 64
FEW = 20
"""An entry that differs in at most this many buckets (some 24 answers) is a hint."""
MANY = 3
"""A team with this many hints is flagged."""


def sketch(answers: np.ndarray, seed: bytes) -> bytes:
    """Return 4 bytes for each of 64 buckets of drawings.

    Args:
        answers: one number a drawing, in the order of the solution, int64 `[drawings]`.
        seed: assigns drawings to buckets; the same for all entries.
    """
    random = np.random.default_rng(np.frombuffer(seed, np.uint32))
    bucket = random.integers(0, BUCKETS, len(answers))
    factor = random.integers(1, 2**63, len(answers), np.uint64) | np.uint64(1)
    order = np.argsort(bucket, kind="stable")
    # Sums modulo 2^64: a single different answer changes the sum of its bucket.
    products = ((answers.astype(np.uint64) + np.uint64(1)) * factor)[order]
    sums = np.concatenate([[np.uint64(0)], np.cumsum(products, dtype=np.uint64)])
    ends = np.searchsorted(bucket[order], np.arange(BUCKETS + 1))
    return (np.diff(sums[ends]) >> np.uint64(32)).astype("<u4").tobytes()


def difference(one: bytes, other: bytes) -> int:
    """Return in how many buckets two sketches differ."""
    return int((np.frombuffer(one, "<u4") != np.frombuffer(other, "<u4")).sum())
