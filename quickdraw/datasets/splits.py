"""Which split a drawing belongs to: decided by its strokes or pixels alone.

Shuffling a file, adding drawings or leaving some out moves no other drawing to another split, and
two copies of one drawing never end up on both sides of the line between training and test.
"""

from __future__ import annotations

import functools
import hashlib
import zlib
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from quickdraw.drawings import Strokes
from quickdraw.errors import QuickdrawError

SPLITS = ("train", "valid", "test")
Percentages = tuple[int, int, int]
DEFAULT: Percentages = (80, 10, 10)
_PARTS = 1_000_000


def content_of(image: np.ndarray) -> bytes:
    """Return what identifies a uint8 image `[height, width]`: its shape and its pixels."""
    return _shape(*image.shape) + image.tobytes()


@functools.lru_cache
def _shape(height: int, width: int) -> bytes:
    return b"%dx%d:" % (height, width)


def content_of_strokes(strokes: Strokes) -> bytes:
    """Return what identifies a drawing: its strokes, wherever it lies on the paper.

    Copies that differ in the order of the strokes, in a stroke's direction, in fractions of a unit
    or in their times have the same content.

    Args:
        strokes: list of `[[x0, x1, ...], [y0, y1, ...]]` in 0...255, none of them empty; none in a
            test record without a drawing.
    """
    if not strokes:
        return b"strokes:"
    left = round(min([min(stroke[0]) for stroke in strokes]))
    top = round(min([min(stroke[1]) for stroke in strokes]))
    pieces = []
    for stroke in strokes:
        xs, ys = _shifted(stroke[0], left), _shifted(stroke[1], top)
        pieces.append(min(xs + ys, xs[::-1] + ys[::-1]))
    return b"strokes:" + b"".join([b"%d:" % len(piece) + piece for piece in sorted(pieces)])


def _shifted(values: Sequence[Any], low: int) -> bytes:
    try:
        # Most drawings start at 0, as Quick, Draw! aligns them.
        return bytes([value - low for value in values] if low else values)
    except TypeError:  # not whole numbers
        return bytes([round(value) - low for value in values])


def key_of(content: bytes) -> int:
    """Return a 64-bit hash: the drawing's id, its place in the shuffled order, and its split.

    Among the 50 million drawings of Quick, Draw! two different ones share a key with a probability
    of 1 in 15,000.
    """
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")


def is_in_fraction(data: bytes, fraction: float) -> bool:
    """Return whether a drawing, given its bytes in the file, is within a fraction.

    A larger fraction takes the drawings of a smaller one and more.
    """
    return zlib.crc32(data) % _PARTS < fraction * _PARTS


def assign(keys: np.ndarray, percentages: Percentages = DEFAULT) -> np.ndarray:
    """Return the split of each key, an index into `SPLITS`: uint64 `[n]` to int64 `[n]`."""
    train, valid, _ = percentages
    return np.digitize(keys % np.uint64(100), (train, train + valid))


def without(percentages: Percentages, given: Collection[str]) -> Percentages:
    """Return the percentages for the other drawings where some splits are given already."""
    _, valid, test = (
        0 if split in given else part for split, part in zip(SPLITS, percentages, strict=True)
    )
    return 100 - valid - test, valid, test


def split_of(content: bytes, percentages: Percentages = DEFAULT) -> str:
    """Return `train`, `valid` or `test` from the drawing's content (see `content_of`)."""
    return SPLITS[assign(np.array([key_of(content)], np.uint64), percentages)[0]]


def parse(text: str) -> Percentages:
    """Parse the percentages of train, valid and test: `80/10/10` is (80, 10, 10).

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
