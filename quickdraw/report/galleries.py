"""Galleries of drawings with their top-3 predictions, such as confident mistakes."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar

import numpy as np

from quickdraw.pages import thumbnails
from quickdraw.report.answers import Answers
from quickdraw.report.evaluated import Asked, Evaluated, evaluated
from quickdraw.report.figure import Figure
from quickdraw.report.neighbours import Neighbourhood

_SHOWN = 35  # full rows of seven on a wide page
MISTAKES, HITS, WRONG_LABELS = (
    "Most confident mistakes",
    "Least confident hits",
    "Likely wrong labels",
)
_SAYS = {
    MISTAKES: "Where the model is wrong, and surest of it. In bold the label; below, its three "
    "guesses.",
    HITS: "What the model has right, and was least sure of.",
    WRONG_LABELS: "Every run calls them something else, surer than it is on average of the class "
    "that it names, and so do the drawings that lie next to them in the features of the networks. "
    "At most 1,000 are looked at, those that they are surest of. Look before you believe it. "
    "Sources: confident learning (Northcutt et al. 2021); nearest neighbours (Wilson 1972; Bahri "
    "et al. 2020).",
}


@dataclasses.dataclass
class Entry:
    """A drawing with its predictions.

    Attributes:
        drawing: its index.
        name: its class.
        guesses: (name, probability) of the three likeliest classes.
        place: file and number of the record; "" before `Gallery.json` is called.
        neighbours: the labels of its nearest neighbours, if computed.
    """

    drawing: int
    name: str
    guesses: list[tuple[str, float]]
    place: str = ""
    neighbours: Neighbourhood | None = None


@dataclasses.dataclass
class Gallery(Figure):
    """A list of drawings.

    Attributes:
        kind: a key for their description.
        count: the number of such drawings, of which some are shown.
        entries: the shown ones.
    """

    macro: ClassVar[str] = "gallery"
    kind: str
    count: int
    entries: list[Entry]
    _seen: Evaluated

    @property
    def says(self) -> str:
        """The description of the drawings, a sentence."""
        return _SAYS.get(self.kind, "")

    def shows(self) -> list[int]:
        return [entry.drawing for entry in self.entries]

    def image(self, entry: Entry) -> str:
        """Return a drawing as a data: URL."""
        return thumbnails.sheet([self._seen.shown([entry.drawing])[0].image], 1)

    def place(self, entry: Entry) -> str:
        """Return the file and the record number of a drawing."""
        return self._seen.shown([entry.drawing])[0].place

    def short_place(self, entry: Entry) -> str:
        """Return `place` without the suffix that all shards of a set share."""
        return re.sub(r"-of-\d+\.tfrecords?(\.gz)?(?=,)", "", self.place(entry))

    def json(self) -> dict[str, object]:
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
        kind: see `Gallery`.
        drawings: indices of the shown drawings, in order, int `[shown]`.
        count: the number of such drawings.
        answers: the predictions to show.
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


def confident_mistakes(trained: Asked, data: str | None = None) -> Gallery:
    """Return the mistakes with the highest confidence.

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.
    """
    return _by_confidence(evaluated(trained, data), MISTAKES, False, -1)


def unsure_hits(trained: Asked, data: str | None = None) -> Gallery:
    """Return the right predictions with the lowest confidence.

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.
    """
    return _by_confidence(evaluated(trained, data), HITS, True, 1)


def _by_confidence(seen: Evaluated, kind: str, right: bool, sign: int) -> Gallery:
    """Return hits or mistakes of the best run, by rising (sign 1) or falling (-1) confidence."""
    answers = seen.answers[seen.best]
    chosen = np.flatnonzero(answers.right == right)
    first = chosen[np.argsort(sign * answers.confidence[chosen], kind="stable")[:_SHOWN]]
    return gallery(seen, kind, first, len(chosen), answers)
