"""Lists of drawings worth looking at, each with its three guesses."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np

from quickdraw.pages import thumbnails
from quickdraw.report.answers import Answers
from quickdraw.report.evaluated import Evaluated, evaluated
from quickdraw.report.figure import Figure

_SHOWN = 36


@dataclasses.dataclass
class Entry:
    """A drawing with its guesses.

    Attributes:
        drawing: its number.
        name: its class.
        guesses: (name, probability) of the three likeliest classes.
        place: file and number of the record; "" before `Gallery.entries` was asked.
    """

    drawing: int
    name: str
    guesses: list[tuple[str, float]]
    place: str = ""


@dataclasses.dataclass
class Gallery(Figure):
    """A list of drawings.

    Attributes:
        kind: what they are.
        count: how many there are; some of them are shown.
        entries: those.
    """

    macro: ClassVar[str] = "gallery"
    kind: str
    count: int
    entries: list[Entry]
    _seen: Evaluated

    def shows(self) -> list[int]:
        return [entry.drawing for entry in self.entries]

    def image(self, entry: Entry) -> str:
        """Return a drawing as a data: URL."""
        return thumbnails.sheet([self._seen.shown([entry.drawing])[0].image], 1)

    def place(self, entry: Entry) -> str:
        """Return where a drawing is: the file and the record."""
        return self._seen.shown([entry.drawing])[0].place

    def json(self) -> dict[str, Any]:
        places = [shown.place for shown in self._seen.shown(self.shows())]
        self.entries = [
            dataclasses.replace(entry, place=place)
            for entry, place in zip(self.entries, places, strict=True)
        ]
        return super().json()


def gallery(
    seen: Evaluated, kind: str, drawings: np.ndarray, count: int, answers: Answers
) -> Gallery:
    """Make a list of drawings.

    Args:
        seen: the drawings.
        kind: what they are, in words.
        drawings: numbers of those that are shown, in order.
        count: how many there are.
        answers: whose guesses are shown.
    """
    entries = []
    for drawing in drawings.tolist():
        guesses = [
            (seen.labels[guess], float(probability))
            for guess, probability in zip(
                answers.guesses[drawing], answers.probabilities[drawing], strict=True
            )
        ]
        entries.append(Entry(drawing, seen.labels[seen.truth[drawing]], guesses))
    return Gallery(kind, count, entries, seen)


def confident_mistakes(trained: Any, data: str | None = None) -> Gallery:
    """Return the mistakes that the model was surest of.

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.
    """
    return _by_confidence(evaluated(trained, data), "Most confident mistakes", False, -1)


def unsure_hits(trained: Any, data: str | None = None) -> Gallery:
    """Return what the model has right, but was least sure of.

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.
    """
    return _by_confidence(evaluated(trained, data), "Least confident hits", True, 1)


def _by_confidence(seen: Evaluated, kind: str, right: bool, sign: int) -> Gallery:
    """Return hits or mistakes of the best run, by rising (sign 1) or falling (-1) confidence."""
    answers = seen.answers[seen.best]
    chosen = np.flatnonzero(answers.right == right)
    first = chosen[np.argsort(sign * answers.confidence[chosen], kind="stable")[:_SHOWN]]
    return gallery(seen, kind, first, len(chosen), answers)
