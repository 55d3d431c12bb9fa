"""What `inspect` knows of each class: running sums, histograms and a few drawings, never all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from quickdraw.datasets.inspection.contents import UNLABELLED, Batch
from quickdraw.datasets.inspection.top_k import Thumbnail, TopK

INK_BINS = 100
SIDE_BINS = 14  # Quick, Draw!'s boxes are centred, and so an even number of pixels wide
_INK = 32  # a pixel at least this strong is ink; a power of two, see `_extents`
_DOT = 0.15  # of the image's side
_SAMPLES = 32
_HEAVIEST = 12
_SHOWN = 36
_LARGEST_REFERENCE = 64


class ClassStats:
    """One class.

    Args:
        side: pixels a side of what is kept.

    Attributes:
        count: drawings.
        total: float64 `[side, side]`, the sum of its images.
        ink: int64 `[INK_BINS]`, drawings by share of ink, 1 % a bin.
        widths: int64 `[SIDE_BINS]`, drawings by the bounding box's share of the paper's width.
        heights: int64 `[SIDE_BINS]`, the same for the height.
        samples: drawings taken at random; the same ones each time.
        heaviest: those with the most ink.
    """

    def __init__(self, side: int):
        self.count = 0
        self.total = np.zeros((side, side))
        self.ink = np.zeros(INK_BINS, np.int64)
        self.widths = np.zeros(SIDE_BINS, np.int64)
        self.heights = np.zeros(SIDE_BINS, np.int64)
        self.samples = TopK(_SAMPLES)
        self.heaviest = TopK(_HEAVIEST)

    @property
    def mean(self) -> np.ndarray:
        """The mean of the images, float64 `[side, side]`, 0…255."""
        return self.total / max(self.count, 1)

    @property
    def mean_ink(self) -> float:
        """Share of ink, 0…1, on average."""
        return float(self.ink @ (np.arange(INK_BINS) + 0.5)) / INK_BINS / max(self.count, 1)

    def first_scribble_bin(self) -> int:
        """Return from which bin of `ink` on drawings have far too much of it.

        That is five standard deviations above the mean.
        """
        centres = (np.arange(INK_BINS) + 0.5) / INK_BINS
        variance = float(self.ink @ (centres - self.mean_ink) ** 2) / max(self.count, 1)
        return int(np.ceil((self.mean_ink + 5 * np.sqrt(variance)) * INK_BINS))

    def scribbles(self) -> int:
        """Count the drawings that have far too much ink for this class."""
        return int(self.ink[self.first_scribble_bin() :].sum())


class _Shares(NamedTuple):
    """What drawings take of their paper, 0…1.

    Attributes:
        ink: float64 `[n]`.
        widths: float64 `[n]`, of their bounding boxes.
        heights: float64 `[n]`, of their bounding boxes.
    """

    ink: np.ndarray
    widths: np.ndarray
    heights: np.ndarray


class Stats:
    """All classes, and the drawings that look wrong.

    Args:
        splits: of each file, the index of its split.

    Attributes:
        side: pixels a side of what is kept; that of the first image, at most 64.
        classes: label → what is known of it.
        counts: (split, label) → drawings.
        empty: how many drawings have no ink.
        dots: how many are no more than a dot.
        first_empty: the first empty ones.
        first_dots: the first dots.
    """

    def __init__(self, splits: list[int]):
        self._split_of_file = np.array(splits)
        self.side = 0
        self.classes: dict[int, ClassStats] = {}
        self.counts: dict[tuple[int, int], int] = {}
        self.empty = self.dots = 0
        self.first_empty: list[Thumbnail] = []
        self.first_dots: list[Thumbnail] = []

    def add(self, batch: Batch) -> np.ndarray:
        """Take in a batch; return the split of each of its drawings: int64 `[n]`."""
        height, width = batch.images.shape[1:]
        self.side = self.side or min(height, _LARGEST_REFERENCE)
        ink = batch.images.reshape(len(batch.keys), -1).sum(1, dtype=np.uint32) / (
            255 * height * width
        )
        heights, widths = _extents(batch.images)
        shares = _Shares(ink, widths / width, heights / height)
        reference = _resized(batch.images, self.side)
        self._find_tiny(batch, reference, np.maximum(shares.widths, shares.heights))
        splits = self._split_of_file[batch.files]
        order = np.argsort(batch.labels, kind="stable")
        starts = np.flatnonzero(np.diff(batch.labels[order], prepend=UNLABELLED - 1))
        for rows in np.split(order, starts[1:]):
            self._add_class(int(batch.labels[rows[0]]), rows, batch, reference, shares)
        pairs, counts = np.unique([splits, batch.labels], axis=1, return_counts=True)
        for (split, label), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            self.counts[split, label] = self.counts.get((split, label), 0) + count
        return splits

    def _add_class(
        self,
        label: int,
        rows: np.ndarray,
        batch: Batch,
        reference: np.ndarray,
        shares: _Shares,
    ) -> None:
        """Count the rows of a batch that are of one class.

        Args:
            label: the class.
            rows: int64 `[m]`, where they stand in the batch.
            batch: `n` drawings.
            reference: uint8 `[n, side, side]`, the drawings resized.
            shares: of all of them.
        """
        stats = self.classes.setdefault(label, ClassStats(self.side))
        stats.count += len(rows)
        stats.total += reference[rows].sum(0, dtype=np.uint32)
        ink = shares.ink[rows]
        stats.ink += _histogram(ink, INK_BINS)
        # 28 of 28 pixels belong to the last bin, not to one after it.
        stats.widths += _histogram(shares.widths[rows] - 1e-9, SIDE_BINS)
        stats.heights += _histogram(shares.heights[rows] - 1e-9, SIDE_BINS)
        # The hash of the pixels is as good as chance, and the same in every run and order.
        # (Lowest first: `prepare` writes them in this order, so that few are taken and dropped.)
        chance = -(batch.keys[rows] / 2.0**64)
        for kept, rank in ((stats.samples, chance), (stats.heaviest, ink)):
            for at in np.argsort(-rank, kind="stable")[: kept.k]:
                if rank[at] > kept.threshold:
                    kept.offer(_thumbnail(batch, reference, rows[at], float(rank[at])))

    def _find_tiny(self, batch: Batch, reference: np.ndarray, longest: np.ndarray) -> None:
        empty, dot = longest == 0, (longest > 0) & (longest <= _DOT)
        self.empty += int(empty.sum())
        self.dots += int(dot.sum())
        for found, chosen in ((self.first_empty, empty), (self.first_dots, dot)):
            for row in np.flatnonzero(chosen)[: _SHOWN - len(found)]:
                found.append(_thumbnail(batch, reference, row, float(longest[row])))


def lookalikes(stats: Stats) -> tuple[list[int], np.ndarray]:
    """Compare the mean images of the classes.

    Returns:
        The labels, and for each two classes the correlation of the pixels of their means: float64
        `[classes, classes]`.
    """
    labels = sorted(label for label in stats.classes if label != UNLABELLED)
    means = np.array([stats.classes[label].mean.ravel() for label in labels])
    centred = means - means.mean(axis=1, keepdims=True) if labels else np.empty((0, 1))
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return labels, centred @ centred.T


def _extents(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return heights and widths of the bounding boxes of the ink, in pixels: int64 `[n]` each.

    Those of an empty drawing are 0.

    Args:
        images: uint8 `[n, height, width]`.
    """
    # Or-ing is several times as fast as max, and as good for a threshold that is a power of two.
    lines = (np.bitwise_or.reduce(images, axis) >= _INK for axis in (2, 1))
    heights, widths = (
        np.where(line.any(1), line.shape[1] - line.argmax(1) - line[:, ::-1].argmax(1), 0)
        for line in lines
    )
    return heights, widths


def _resized(images: np.ndarray, side: int) -> np.ndarray:
    """Return uint8 `[n, side, side]`."""
    if images.shape[1:] == (side, side):
        return images
    return np.array(
        [
            np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS))
            for image in images
        ]
    )


def _histogram(shares: np.ndarray, bins: int) -> np.ndarray:
    """Count shares, float64 `[n]` in 0…1, by bin: int64 `[bins]`."""
    return np.bincount(np.clip((shares * bins).astype(int), 0, bins - 1), minlength=bins)


def _thumbnail(batch: Batch, reference: np.ndarray, row: int, rank: float) -> Thumbnail:
    return Thumbnail(
        rank,
        int(batch.files[row]),
        int(batch.numbers[row]),
        int(batch.labels[row]),
        batch.ids[row],
        reference[row].copy(),
    )
