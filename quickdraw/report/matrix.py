"""The confusion matrix: its cells with their drawings, and the worst pairs."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from quickdraw.drawings.sheet import fitting
from quickdraw.pages import thumbnails
from quickdraw.report.evaluated import Asked, Evaluated, evaluated
from quickdraw.report.figure import Figure
from quickdraw.report.ordering import confused_together

MOST_AS_SVG = 62
"""Up to this many classes every cell is an SVG shape; above, the matrix is a bitmap."""
_LARGEST_NEIGHBOURHOOD = 9
_NEIGHBOURHOODS = 6
_PAIRS = 20
_LISTED_PAIRS = 200
_CELLS = 500
"""The number of cells whose drawings are shown, the largest first, besides the diagonal."""


@dataclasses.dataclass
class Cell:
    """A cell: the drawings of one class with one prediction.

    Attributes:
        label: the class.
        guess: the predicted class.
        count: the number of drawings.
        share: of the drawings of the class.
        drawings: the indices of the shown ones, the most confident first.
    """

    label: int
    guess: int
    count: int
    share: float
    drawings: list[int]


@dataclasses.dataclass
class Confusion(Figure):
    """The confusion matrix.

    Attributes:
        labels: names of the classes, in label order.
        order: the classes in the order of the matrix, clustered by confusion.
        cells: the non-empty ones, by descending count.
        neighbourhoods: for many classes, clusters that are confused with each other, worst first.
        support: the number of drawings of each class.
    """

    macro: ClassVar[str] = "confusion"
    labels: list[str]
    order: list[int]
    cells: list[Cell]
    neighbourhoods: list[list[int]]
    support: list[int]
    _seen: Evaluated
    _counts: np.ndarray

    @property
    def pairs(self) -> list[Cell]:
        """The cells off the diagonal, the most frequent first."""
        return [cell for cell in self.cells if cell.label != cell.guess][:_LISTED_PAIRS]

    @property
    def worst_pairs(self) -> list[Cell]:
        """The twenty most frequent confusions."""
        return self.pairs[:_PAIRS]

    @property
    def shown_cells(self) -> list[Cell]:
        """The cells whose drawings are shown."""
        return [cell for cell in self.cells if cell.drawings]

    @property
    def as_svg(self) -> bool:
        """Whether every cell is drawn as an SVG shape."""
        return len(self.labels) <= MOST_AS_SVG

    @property
    def cell(self) -> int:
        """The side of a cell, in pixels."""
        return 48 if len(self.labels) <= 12 else 30 if len(self.labels) <= 30 else 14

    def short(self, label: int) -> str:
        """Return a name, truncated to fit beside the matrix."""
        return fitting(self.labels[label], 88, 12)

    def share(self, label: int, guess: int) -> float:
        """Return the share of a class that is predicted as another."""
        return float(self._counts[label, guess] / max(self.support[label], 1))

    def count(self, label: int, guess: int) -> int:
        """Return the number of drawings of a class that are predicted as another."""
        return int(self._counts[label, guess])

    def is_linked(self, label: int, guess: int) -> bool:
        """Return whether the drawings of a cell are shown."""
        return (label, guess) in self._linked

    def sheet(self, cell: Cell, columns: int = 8) -> str:
        """Return the drawings of a cell as a contact sheet, a data: URL."""
        return thumbnails.sheet(images_of(self._seen, cell.drawings), columns)

    def pair_images(self, cell: Cell) -> tuple[list[str], list[str]]:
        """Return the mistakes of a pair, and the mean image of the predicted class."""
        hits = [each for each in self.cells if each.label == each.guess == cell.guess]
        return (
            [thumbnails.sheet(images_of(self._seen, [one]), 1) for one in cell.drawings[:3]],
            [
                thumbnails.sheet(images_of(self._seen, [one]), 1)
                for hit in hits
                for one in hit.drawings[:3]
            ],
        )

    def picture(self) -> str:
        """Return the matrix as a picture of one pixel a cell, a data: URL."""
        counts = self._counts[np.ix_(self.order, self.order)]
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return thumbnails.two_colours(np.sqrt(shares), np.eye(len(shares), dtype=bool))

    def shows(self) -> list[int]:
        return [drawing for cell in self.cells for drawing in cell.drawings]

    def json(self) -> dict[str, object]:
        """Return the matrix as (label, guess, count) of the cells that are not empty."""
        names = self.labels
        return {
            "labels": names,
            "order": [names[label] for label in self.order],
            "cells": [[names[each.label], names[each.guess], each.count] for each in self.cells],
            "neighbourhoods": [[names[label] for label in row] for row in self.neighbourhoods],
        }

    def __post_init__(self) -> None:
        self._linked = {(cell.label, cell.guess) for cell in self.cells if cell.drawings}


def confusion(trained: Asked, data: str | None = None) -> Confusion:
    """Return the confusion matrix of a run, or of the best of several.

    Args:
        trained: see `evaluate`.
        data: see `evaluate`.
    """
    seen = evaluated(trained, data)
    answers, classes = seen.answers[seen.best], len(seen.labels)
    counts = confusion_counts(seen.truth, answers.predicted, classes)
    order, neighbourhoods = confused_together(counts, _LARGEST_NEIGHBOURHOOD)
    rows, columns = np.nonzero(counts)
    by_count = np.argsort(-counts[rows, columns], kind="stable")
    support = counts.sum(axis=1)
    confident = np.argsort(-answers.confidence, kind="stable")
    key = seen.truth[confident] * classes + answers.predicted[confident]
    groups = _grouped(key, confident)
    each = _drawings_of_a_cell(classes)
    cells, left = [], _CELLS
    for label, guess in zip(rows[by_count].tolist(), columns[by_count].tolist(), strict=True):
        count = int(counts[label, guess])
        shown = each if label == guess or left > 0 else 0
        left -= label != guess
        drawings = groups[label * classes + guess][:shown].tolist()
        cells.append(Cell(label, guess, count, count / int(support[label]), drawings))
    many = neighbourhoods[:_NEIGHBOURHOODS] if classes > 2 * _LARGEST_NEIGHBOURHOOD else []
    return Confusion(seen.labels, order, cells, many, support.tolist(), seen, counts)


def _drawings_of_a_cell(classes: int) -> int:
    return 24 if classes <= 12 else 12 if classes <= MOST_AS_SVG else 6


def _grouped(keys: np.ndarray, values: np.ndarray) -> dict[int, np.ndarray]:
    """Return the values of each key, in their order."""
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    return dict(zip(found.tolist(), np.split(values[order], starts[1:]), strict=True))


def confusion_counts(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count drawings: int64 `[classes, classes]`, row = label, column = prediction."""
    pairs = truth.astype(np.int64) * classes + predicted
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def images_of(seen: Evaluated, drawings: list[int]) -> list[np.ndarray]:
    """Return the images of drawings, resized to one size, uint8 `[side, side]` each."""
    return [shown.image for shown in seen.shown(drawings)]
