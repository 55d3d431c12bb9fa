"""The scorer: takes entries from the queue, grades them, and writes the counts of right answers."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import sqlalchemy as sa

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.evaluation.grading import POINTS, Grades, grade
from quickdraw.evaluation.solution import ids_at
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store import moments, probing
from quickdraw.leaderboard.store.blobs import open_blob
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.schema import files, submissions, teams

_LEASE = 600 * moments.SECOND
_POLL_SECONDS = 2.0
LARGE = 32 << 20
"""Files of more bytes are scored beside the others, which do not wait for them."""


class Scorer:
    """Scores what is queued; several may work on one database.

    Args:
        database: of the competition.
        clock: returns this moment.
        done: is told the number of each entry that is scored or refused.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], int] = moments.now,
        done: Callable[[int], None] = lambda number: None,
    ):
        self._database, self._clock, self._done = database, clock, done
        self._wake = {False: threading.Event(), True: threading.Event()}
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    @functools.cached_property
    def _right(self) -> Any:
        """The competition, its solution and the public half: read once."""
        contest = competitions.load(self._database)
        right, public = competitions.read_solution(self._database, contest)
        return contest, right, public

    def start(self) -> None:
        """Score in threads from now on, beginning with what an earlier process left."""
        with self._database.writing() as connection:
            connection.execute(
                submissions.update().values(leased=0).where(submissions.c.leased > 0)
            )
        _ = self._right
        for large in (False, True):
            thread = threading.Thread(target=self._work, args=(large,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Say that something was queued."""
        for event in self._wake.values():
            event.set()

    def stop(self) -> None:
        """End the threads, once what they have at hand is scored."""
        self._stopped.set()
        self.wake()
        for thread in self._threads:
            thread.join()

    def _work(self, large: bool) -> None:
        while not self._stopped.is_set():
            self._wake[large].clear()
            try:
                if not self.score_next(large):
                    self._wake[large].wait(_POLL_SECONDS)
            except Exception as error:  # a database that is away for a while
                log(f"warning: scoring: {type(error).__name__}: {error}"[:500])
                time.sleep(_POLL_SECONDS)

    def score_next(self, large: bool | None = None) -> bool:
        """Score one entry; return whether there was one.

        Args:
            large: whether to take one of the large files or of the others; any for None.
        """
        row = self._lease(large)
        if row is None:
            return False
        contest, right, public = self._right
        try:
            with open_blob(self._database, row.file) as file:
                ids = functools.partial(self._ids_of, contest.solution)
                grades = grade(file, "your file", right, contest.labels, ids)
        except QuickdrawError as error:
            self._write(row, error=str(error))
        else:
            points = _points(grades, contest.metric)
            counts: dict[str, Any] = {
                "public_points": int(points[public].sum(dtype=np.int64)),
                "private_points": int(points[~public].sum(dtype=np.int64)),
            }
            self._write(row, sketch=probing.sketch(grades.answers, contest.secret), **counts)
        self._done(row.id)
        return True

    def _ids_of(self, solution: str, positions: list[int]) -> list[str]:
        with open_blob(self._database, solution) as file:
            return ids_at(file, "the solution", positions)

    def _lease(self, large: bool | None) -> Any:
        """Return the oldest entry that is queued, and keep other workers off it for a while."""
        moment = self._clock()
        query = (
            sa.select(submissions, files.c.size)
            .join(files, files.c.sha256 == submissions.c.file)
            .where(submissions.c.status == "queued", submissions.c.leased <= moment)
            .order_by(submissions.c.id)
            .limit(1)
        )
        if large is not None:
            query = query.where((files.c.size > LARGE) == large)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        if self._database.sqlite:  # one process has it, and in it one thread a size
            return row
        taken = submissions.update().where(
            submissions.c.id == row.id, submissions.c.leased == row.leased
        )
        with self._database.writing() as connection:
            count = connection.execute(taken.values(leased=moment + _LEASE)).rowcount
        return row if count else self._lease(large)

    def _write(self, row: Any, error: str = "", **counts: Any) -> None:
        """Write what came of an entry and what the board shows of its team, in one transaction."""
        with self._database.writing() as connection:
            contest = competitions.loaded(connection)
            team = connection.execute(
                sa.select(teams).where(teams.c.id == row.team).with_for_update()
            ).one()
            status = sa.select(submissions.c.status).where(submissions.c.id == row.id)
            if connection.execute(status).scalar() != "queued":
                return  # another worker was faster
            values: dict[str, Any] = {"status": "refused" if error else "scored", "error": error}
            if not error:
                shown = contest.shown(counts["public_points"], team.best_shown)
                nearest = _nearest(connection, row, counts["sketch"])
                values |= {**counts, "shown": shown, "nearest": nearest}
                _show(connection, team, row, shown)
            connection.execute(
                submissions.update().where(submissions.c.id == row.id).values(**values)
            )


def _points(grades: Grades, metric: str) -> np.ndarray:
    """Return what each drawing counts: answers, or sixths of one."""
    return grades.points == POINTS if metric == "top1" else grades.points


def _show(connection: sa.Connection, team: Any, row: Any, shown: int) -> None:
    if row.late:
        return
    values: dict[str, Any] = {"entries": team.entries + 1}
    values["last_at"] = max(row.received, team.last_at or 0)
    if team.best_shown is None or shown > team.best_shown:
        values |= {"best_shown": shown, "best_at": row.received}
    elif shown == team.best_shown and row.received < team.best_at:
        values["best_at"] = row.received
    connection.execute(teams.update().where(teams.c.id == team.id).values(**values))


def _nearest(connection: sa.Connection, row: Any, sketch: bytes) -> int | None:
    """Return in how many buckets the most similar earlier entry of the team differs."""
    query = sa.select(submissions.c.sketch).where(
        submissions.c.team == row.team, submissions.c.id < row.id, submissions.c.sketch.is_not(None)
    )
    before = connection.execute(query).scalars()
    return min((probing.difference(sketch, each) for each in before), default=None)
