"""Scoring of entries: predictions are graded against the solution, models are checked."""

from __future__ import annotations

from typing import Protocol, TypedDict

import numpy as np

from quickdraw.console import log
from quickdraw.evaluation.grading import POINTS, grade
from quickdraw.evaluation.solution import ids_at
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store import probing
from quickdraw.leaderboard.store.blobs import open_blob
from quickdraw.leaderboard.store.competition import Competition
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.schema import Row
from quickdraw.sandbox import checking


class Judged(TypedDict, total=False):
    """The result of an entry: columns of `schema.submissions`.

    Attributes:
        public_points: right answers in the public half, in sixths for MAP@3.
        private_points: those of the private half.
        sketch: of the answers; see `probing`.
        about: a summary of a model.
    """

    public_points: int
    private_points: int
    sketch: bytes
    about: str


class Judge(Protocol):
    """Judges the entries of a competition."""

    def judged(self, row: Row) -> Judged:
        """Return the result of an entry.

        Args:
            row: of `schema.submissions`.

        Raises:
            QuickdrawError: the file has faults.
        """


class _Grader:
    """Grades predictions against the solution, which is read once."""

    def __init__(self, database: Database, contest: Competition):
        self._database, self._contest = database, contest
        self._right, self._public = competitions.read_solution(database, contest)

    def judged(self, row: Row) -> Judged:
        contest = self._contest
        with open_blob(self._database, row.file) as file:
            grades = grade(file, "your file", self._right, contest.labels, self._ids)
        points = grades.points == POINTS if contest.metric == "top1" else grades.points
        return {
            "public_points": int(points[self._public].sum(dtype=np.int64)),
            "private_points": int(points[~self._public].sum(dtype=np.int64)),
            "sketch": probing.sketch(grades.answers, contest.secret),
        }

    def _ids(self, positions: list[int]) -> list[str]:
        with open_blob(self._database, str(self._contest.solution)) as file:
            return ids_at(file, "the solution", positions)


class _Checker:
    """Checks models as the final does, each in a separate process."""

    def __init__(self, database: Database):
        self._database = database

    def judged(self, row: Row) -> Judged:
        with open_blob(self._database, row.file) as file:
            checked = checking.check(file.read())
        if checked.missing:
            names = ", ".join(checked.missing)
            log(f"warning: on this system the process of a model runs without: {names}")
        classes = len(checked.description.labels)
        return {"about": f"{classes} classes, {checked.milliseconds:.2f} ms a drawing"}


def judge_of(database: Database, contest: Competition) -> Judge:
    """Return the judge of a competition's entries."""
    return _Checker(database) if contest.live else _Grader(database, contest)
