"""Scores predictions as a leaderboard would; needs no TensorFlow."""

from __future__ import annotations

import dataclasses
import os

from quickdraw import storage
from quickdraw.console import log
from quickdraw.evaluation.grading import POINTS, grade
from quickdraw.evaluation.solution import Solution, ids_at
from quickdraw.records import dataset_info, labels


@dataclasses.dataclass(frozen=True)
class Score:
    """The score of a predictions file; as text, e.g. `top-1 0.9023 (3,406 drawings)`.

    Attributes:
        name: "top-1" or "MAP@3".
        value: 0 to 1.
        drawings: how many there were.
    """

    name: str
    value: float
    drawings: int

    def __str__(self) -> str:
        return f"{self.name} {self.value:.4f} ({self.drawings:,} drawings)"


def score(predictions: str, solution: str) -> Score:
    """Return the score of a predictions file.

    Raises:
        QuickdrawError: the file is not one that a leaderboard would accept; one line a fault.
    """
    with storage.open_binary(solution) as file:
        right = Solution(file, solution)
    names = names_beside(solution)

    def ids_of(positions: list[int]) -> list[str]:
        with storage.open_binary(solution) as file:
            return ids_at(file, solution, positions)

    def numbers() -> list[int]:
        return _numbers(predictions, solution, names)

    with storage.open_binary(predictions) as file:
        grades = grade(file, predictions, right, names, ids_of, numbers)
    # With one answer a drawing, the precision at 3 is the precision at 1.
    figure = int(grades.points.sum(dtype="int64")) / POINTS / len(right)
    return Score("MAP@3" if grades.words else "top-1", figure, len(right))


def names_beside(solution: str) -> list[str]:
    """Return the names of the solution's labels; none where they are not known."""
    beside = labels.beside(solution)
    if storage.exists(beside):
        return labels.read(beside)
    info = dataset_info.load(os.path.dirname(solution) or ".")
    return info.labels if info else []


def _numbers(predictions: str, solution: str, names: list[str]) -> list[int]:
    """Return what each label of the predictions is in the solution; none for what it is there.

    Raises:
        QuickdrawError: both are known by name, and the solution lacks one.
    """
    beside = labels.beside(predictions)
    if not storage.exists(beside):
        return []
    if not names:
        log(
            f"warning: {beside} names the labels, and nothing beside {solution} does: they are "
            "compared by number"
        )
        return []
    own = labels.read(beside)
    if labels.same(own, names):
        return []
    numbers = labels.numbers_in(own, names)
    if numbers is None:
        raise labels.differ(beside, own, solution, names)
    log(
        f"warning: {beside} names the labels in another order than {solution} has them: the "
        "predictions are scored by the names of the classes"
    )
    return numbers
