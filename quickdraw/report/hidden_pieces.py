"""Occlusion maps: how much the prediction changes if a part of the drawing is hidden."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from quickdraw.components.inputs import unwrapped
from quickdraw.pages import thumbnails
from quickdraw.records import ink, labels
from quickdraw.report.evaluated import Asked, Evaluated, evaluated
from quickdraw.report.figure import Figure
from quickdraw.runs import factory

_EXAMPLES = 12
_PATCH, _STEPS = 1 / 5, 14
"""The side of the hiding patch, as a share of the image, and its positions along each side."""
_PIECES = 14
"""The number of pieces into which strokes are cut for a model of ink."""


@dataclasses.dataclass
class Occluded:
    """A drawing, and the importance of each part.

    Attributes:
        drawing: its index.
        name: its class.
        guess: the predicted class.
        probability: of the predicted class.
        importance: float `[places, places]`, the drop of the probability if the place is hidden;
            for a model of ink `[pieces]`, along the strokes.
    """

    drawing: int
    name: str
    guess: str
    probability: float
    importance: np.ndarray

    @property
    def is_right(self) -> bool:
        """Whether the prediction is right."""
        return self.guess == self.name


@dataclasses.dataclass
class OcclusionMaps(Figure):
    """Occlusion maps of some drawings, the most confident mistakes and hits."""

    macro: ClassVar[str] = "occlusion"
    examples: list[Occluded]
    _seen: Evaluated

    def shows(self) -> list[int]:
        return [each.drawing for each in self.examples]

    def image(self, example: Occluded) -> str:
        """Return the drawing as a data: URL."""
        return thumbnails.sheet([self._seen.shown([example.drawing])[0].image], 1)

    def map(self, example: Occluded) -> str:
        """Return the map as a data: URL; empty for ink, which `pieces` shows."""
        if example.importance.ndim == 1:
            return ""
        # Without this floor, noise in a very stable prediction would look important.
        values = example.importance / max(float(np.abs(example.importance).max()), 0.05)
        return thumbnails.two_colours(np.abs(values), values >= 0)

    def pieces(self, example: Occluded) -> list[tuple[str, float]]:
        """Return the pieces of the strokes as SVG points, and the importance of each, -1…1."""
        strokes = self._seen.shown([example.drawing])[0].strokes
        if strokes is None or example.importance.ndim != 1:
            return []
        values = example.importance / max(float(np.abs(example.importance).max()), 0.05)
        points = np.concatenate([np.array(stroke[:2], float).T for stroke in strokes])
        starts = set(np.cumsum([len(stroke[0]) for stroke in strokes]).tolist())
        of_step = _piece_of_step(len(points) - 1)
        return [
            (
                " ".join(f"{x:.0f},{y:.0f}" for x, y in points[at : at + 2]),
                float(values[of_step[at]]),
            )
            for at in range(len(points) - 1)
            if at + 1 not in starts
        ]


def occlusion(trained: Asked, data: str | None = None) -> OcclusionMaps:
    """Hide each part of a drawing in turn, and measure the change of the prediction.

    A blank square hides a part of an image; for models of ink the pen is lifted from a piece of the
    strokes.

    Source: Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks", section
    4.2.

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.
    """
    seen = evaluated(trained, data)
    answers, model = seen.answers[seen.best], seen.trained
    chosen = _examples(seen)
    takes = factory.create_model(model.run)
    places = labels.numbers_in(seen.labels, model.labels) or []
    found = []
    for row, drawing in enumerate(chosen):
        if row == 0:
            arrays = seen.inputs(chosen)
        one = {name: array[row] for name, array in arrays.items() if name in takes.inputs}
        if "ink" in one:
            one["ink"] = one["ink"][: takes.max_points]
        hidden = _without_patches(one) if "image" in one else _without_pieces(one)
        guess = int(answers.predicted[drawing])
        scores = model.probabilities(unwrapped(hidden))[:, places[guess]]
        importance = float(answers.confidence[drawing]) - scores
        shape = (_STEPS, _STEPS) if "image" in one else (_PIECES,)
        found.append(
            Occluded(
                drawing,
                seen.labels[seen.truth[drawing]],
                seen.labels[guess],
                float(answers.confidence[drawing]),
                importance.reshape(shape),
            )
        )
    return OcclusionMaps(found, seen)


def _examples(seen: Evaluated) -> list[int]:
    """Return the most confident mistakes, and the most confident hits of different classes."""
    answers = seen.answers[seen.best]
    order = np.argsort(-answers.confidence, kind="stable")
    wrong = order[~answers.right[order]][: _EXAMPLES // 2].tolist()
    hits = order[answers.right[order]]
    _, first = np.unique(seen.truth[hits], return_index=True)
    return [*wrong, *hits[np.sort(first)][: _EXAMPLES - len(wrong)].tolist()]


def _without_patches(one: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return copies of a drawing with one square hidden in each, `[places², …]` by input."""
    image = one["image"]
    side = len(image)
    patch = max(round(side * _PATCH), 1)
    corners = np.round(np.linspace(-patch / 2, side - patch / 2, _STEPS)).astype(int)
    count = _STEPS**2
    images = np.repeat(image[None], count, axis=0)
    for number, (y, x) in enumerate((y, x) for y in corners for x in corners):
        images[number, max(y, 0) : y + patch, max(x, 0) : x + patch] = 0
    others = {name: np.repeat(of[None], count, axis=0) for name, of in one.items()}
    return {**others, "image": images}


def _without_pieces(one: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return copies of ink with the pen lifted from one piece in each, int16 `[pieces, …]`."""
    steps = one["ink"]
    count = int((steps[:, 2] >= 0).sum())
    of_step = _piece_of_step(count)
    every = np.repeat(steps[None], _PIECES, axis=0)
    for piece in range(_PIECES):
        mine = np.flatnonzero(of_step == piece)
        if len(mine):
            # A step draws a line unless the previous point ended a stroke.
            every[piece, np.maximum(mine - 1, 0), 2] = ink.SCALE
            every[piece, mine[:-1], 2] = ink.SCALE
    return {"ink": every}


def _piece_of_step(count: int) -> np.ndarray:
    """Return the piece that each of `count` steps belongs to, int64 `[count]`."""
    return np.arange(count) * _PIECES // max(count, 1)
