"""Hints of probing: entries that differ from an earlier one of the team in a few answers.

Whoever changes an answer and looks whether the score rises learns the public half bit by bit. To
notice it, a sketch of each entry's answers is kept, which says of two entries about how many
answers differ as long as they are few.
"""

from __future__ import annotations

import numpy as np

BUCKETS = 64
FEW = 20
"""Entries that differ in so many buckets or fewer (some 24 answers) are a hint."""
MANY = 3
"""A team with so many hints is flagged."""


def sketch(answers: np.ndarray, seed: bytes) -> bytes:
    """Return 4 bytes for each of 64 buckets of drawings.

    Args:
        answers: one number a drawing, in the order of the solution, int64 `[drawings]`.
        seed: decides which drawing is in which bucket; the same for all entries.
    """
    random = np.random.default_rng(np.frombuffer(seed, np.uint32))
    bucket = random.integers(0, BUCKETS, len(answers))
    factor = random.integers(1, 2**63, len(answers), np.uint64) | np.uint64(1)
    order = np.argsort(bucket, kind="stable")
    # Sums modulo 2^64: one answer that differs makes another sum.
    products = ((answers.astype(np.uint64) + np.uint64(1)) * factor)[order]
    sums = np.concatenate([[np.uint64(0)], np.cumsum(products, dtype=np.uint64)])
    ends = np.searchsorted(bucket[order], np.arange(BUCKETS + 1))
    return (np.diff(sums[ends]) >> np.uint64(32)).astype("<u4").tobytes()


def difference(one: bytes, other: bytes) -> int:
    """Return in how many buckets two sketches differ."""
    return int((np.frombuffer(one, "<u4") != np.frombuffer(other, "<u4")).sum())
