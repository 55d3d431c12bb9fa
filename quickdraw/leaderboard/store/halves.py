"""The split of the solution into a public half, for the board, and a private one, for the end.

A keyed hash of the id decides, class by class: both halves have the same class distribution, and
nobody without the key can tell which half an id is in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from quickdraw.evaluation.answer_rows import read_rows
from quickdraw.evaluation.solution import Solution
from quickdraw.leaderboard.store.blobs import open_blob
from quickdraw.leaderboard.store.database import Database


def keyed_hash(secret: bytes, image_id: str) -> int:
    """Return 64 bits that only the holder of the key can know (BLAKE2b, RFC 7693)."""
    digest = hashlib.blake2b(image_id.encode(), key=secret, digest_size=8).digest()
    return int.from_bytes(digest, "big")


def public_half(hashes: np.ndarray, labels: np.ndarray, percent: int, secret: bytes) -> np.ndarray:
    """Return which drawings are public, bool `[drawings]`.

    Of each class, the `percent` with the smallest hashes. A fraction of a drawing, such as 0.4,
    is rounded up with that probability: the key decides.

    Args:
        hashes: `keyed_hash` of each id, uint64 `[drawings]`.
        labels: int `[drawings]`.
        percent: of each class that are public.
        secret: the key.
    """
    public = np.zeros(len(labels), bool)
    for label in np.unique(labels).tolist():
        members = np.flatnonzero(labels == label)
        share = len(members) * percent / 100 + keyed_hash(secret, f"class {label}") / 2**64
        public[members[np.argsort(hashes[members], kind="stable")[: int(share)]]] = True
    return public


def halves(
    database: Database, file: str, solution: Solution, percent: int, secret: bytes
) -> np.ndarray:
    """Return which drawings of a solution in the database are public: bool `[drawings]`."""
    hashes = []
    with open_blob(database, file) as opened:
        for rows in read_rows(opened, "the solution")[1]:
            hashes.append(_hashes(rows.ids, secret))
    return public_half(np.concatenate(hashes), solution.labels, percent, secret)


def _hashes(ids: Sequence[str], secret: bytes) -> np.ndarray:
    return np.fromiter((keyed_hash(secret, each) for each in ids), np.uint64, len(ids))
