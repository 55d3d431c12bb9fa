"""Scores of stored sessions by the rule of the page's game."""

from __future__ import annotations

import csv
import dataclasses
import math
import os
from collections import defaultdict
from collections.abc import Iterator

from quickdraw.errors import QuickdrawError
from quickdraw.serving.collecting import COLUMNS, GUESSES

IN_A_ROW = 2
FROM = 1.0
"""A word is found once it was a model's first guess so many times in a row, after so many seconds
(any guess of the first dot could be right). scoring.js has the same rule."""

Key = tuple[str, str]
"""A drawing: its session and its number in it."""


@dataclasses.dataclass
class DrawingScore:
    """The result of one model on one drawing.

    Attributes:
        seconds: when it found the word; None if it never did.
        guess: its latest first guess.
        row: its current number of right guesses in a row.
    """

    seconds: float | None = None
    guess: str = ""
    row: int = 0

    def answered(self, guess: str, word: str, seconds: float) -> None:
        """Add an answer."""
        self.guess = guess
        if self.seconds is None and seconds >= FROM:
            self.row = self.row + 1 if guess == word else 0
            if self.row >= IN_A_ROW:
                self.seconds = seconds


@dataclasses.dataclass(frozen=True)
class ModelScore:
    """The result of one model on all drawings with a word.

    Attributes:
        model: its name.
        drawings: the number of drawings whose word it knows.
        guessed: how many it found.
        first: how many it found before the others, ties included.
        right_at_the_end: for how many its last guess was right.
        seconds: the mean time until it found one; NaN if it found none.
    """

    model: str
    drawings: int
    guessed: int
    first: int
    right_at_the_end: int
    seconds: float


def score(folder: str) -> list[ModelScore]:
    """Return the models' scores, the best first.

    Args:
        folder: the folder of `--collect`.

    Raises:
        QuickdrawError: it has no guesses, or a file is damaged.
    """
    drawings = by_drawing(folder)
    names = list(dict.fromkeys(name for _, each in drawings.values() for name in each))
    every = []
    for name in names:
        asked = [(word, each) for word, each in drawings.values() if name in each]
        times = [each[name].seconds for _, each in asked if each[name].seconds is not None]
        seconds = [time for time in times if time is not None]
        every.append(
            ModelScore(
                name,
                len(asked),
                len(seconds),
                sum(name in _first(each) for _, each in asked),
                sum(each[name].guess == word for word, each in asked),
                sum(seconds) / len(seconds) if seconds else math.nan,
            )
        )
    return sorted(every, key=lambda one: (-one.guessed, -one.first, -one.right_at_the_end))


def by_drawing(folder: str) -> dict[Key, tuple[str, dict[str, DrawingScore]]]:
    """Return, for each drawing with a word, the word and each model's result.

    Raises:
        QuickdrawError: see `score`.
    """
    found: dict[Key, tuple[str, dict[str, DrawingScore]]] = {}
    for row in _rows(folder):
        if row["word"] and row["rank"]:  # the model does not know the word
            key = (row["session"], row["drawing"])
            _, models = found.setdefault(key, (row["word"], defaultdict(DrawingScore)))
            models[row["model"]].answered(row["guess"], row["word"], float(row["seconds"] or 0))
    return found


def _first(models: dict[str, DrawingScore]) -> list[str]:
    times = {name: one.seconds for name, one in models.items() if one.seconds is not None}
    return [name for name, seconds in times.items() if seconds == min(times.values())]


def _rows(folder: str) -> Iterator[dict[str, str]]:
    where = os.path.join(folder, GUESSES)
    names = sorted(os.listdir(where)) if os.path.isdir(where) else []
    if not names:
        raise QuickdrawError(
            f"{folder}: {GUESSES}/*.csv expected, as --collect={folder} writes them. Received: none"
        )
    for name in names:
        path = os.path.join(where, name)
        with open(path, encoding="utf-8", newline="") as file:
            whole = (line for line in file if line.endswith("\n"))  # still being written
            for number, row in enumerate(csv.reader(whole), 1):
                if number == 1 and row == [*COLUMNS]:
                    continue
                if number == 1 or len(row) != len(COLUMNS):
                    raise QuickdrawError(
                        f"{path}, line {number}: {','.join(COLUMNS)} expected. "
                        f"Received: {','.join(row)[:80]}"
                    )
                yield dict(zip(COLUMNS, row, strict=True))
