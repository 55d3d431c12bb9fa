"""Which split a drawing belongs to: decided by its pixels alone.

Shuffling a file, adding drawings or leaving some out moves no other drawing to another split, and
two copies of one drawing never end up on both sides of the line between training and test.
"""

from __future__ import annotations

import hashlib

import numpy as np

from quickdraw.errors import QuickdrawError

SPLITS = ("train", "valid", "test")
Percentages = tuple[int, int, int]
DEFAULT: Percentages = (80, 10, 10)


def content_of(image: np.ndarray) -> bytes:
    """What identifies a uint8 image `[height, width]`: its shape and its pixels."""
    height, width = image.shape
    return b"%dx%d:" % (height, width) + image.tobytes()


def key_of(content: bytes) -> int:
    """A 64-bit hash: the drawing's id, its place in the shuffled order, and what splits it.

    Among the 50 million drawings of Quick, Draw! two different ones share a key with a probability
    of 1 in 15,000.
    """
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")


def assign(keys: np.ndarray, percentages: Percentages = DEFAULT) -> np.ndarray:
    """The split of each key, as an index into `SPLITS`: uint64 `[n]` to int64 `[n]`."""
    train, valid, _ = percentages
    return np.digitize(keys % np.uint64(100), (train, train + valid))


def split_of(content: bytes, percentages: Percentages = DEFAULT) -> str:
    """`train`, `valid` or `test`, from the drawing's content (see `content_of`)."""
    return SPLITS[assign(np.array([key_of(content)], np.uint64), percentages)[0]]


def parse(text: str) -> Percentages:
    """The percentages of train, valid and test: `80/10/10` is (80, 10, 10).

    Raises:
        QuickdrawError: not three whole numbers that add up to 100, or nothing to train on.
    """
    parts = [part.strip() for part in text.split("/")]
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise QuickdrawError(
            f"a split is three whole percentages, train/valid/test, such as 80/10/10. "
            f"Received: {text!r}"
        )
    train, valid, test = (int(part) for part in parts)
    if train + valid + test != 100:
        raise QuickdrawError(
            f"the percentages of a split must add up to 100. Received: {text!r}, "
            f"which adds up to {train + valid + test}"
        )
    if not train:
        raise QuickdrawError(f"a split needs some drawings to train on. Received: {text!r}")
    return train, valid, test
