"""The few drawings that are worth showing, among any number."""

from __future__ import annotations

import dataclasses
import heapq

import numpy as np


@dataclasses.dataclass(order=True)
class Thumbnail:
    """A drawing that is kept to be shown.

    Attributes:
        rank: how much it is worth showing: of its kind those of highest rank are.
        file: index of its file.
        number: the record's position in the file, from 0.
        label: its class; `UNLABELLED` for test records.
        image_id: of a test record.
        image: uint8 `[side, side]`, the drawing resized to the `side` of `Stats`.
    """

    rank: float
    file: int
    number: int
    label: int = dataclasses.field(compare=False)
    image_id: str = dataclasses.field(compare=False)
    image: np.ndarray = dataclasses.field(compare=False)


class TopK:
    """The `k` drawings of highest rank, among any number."""

    def __init__(self, k: int):
        self.k, self._heap = k, list[Thumbnail]()

    @property
    def threshold(self) -> float:
        """Ranks at or below it need not be offered."""
        return self._heap[0].rank if len(self._heap) == self.k else -np.inf

    def offer(self, thumbnail: Thumbnail) -> None:
        """Keep a drawing, for now: until `k` others of higher rank have come."""
        if len(self._heap) < self.k:
            heapq.heappush(self._heap, thumbnail)
        else:
            heapq.heappushpop(self._heap, thumbnail)

    def ranked(self) -> list[Thumbnail]:
        """Return the drawings, that of highest rank first."""
        return sorted(self._heap, reverse=True)
