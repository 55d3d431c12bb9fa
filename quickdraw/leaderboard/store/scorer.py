"""The scorer: takes entries from the queue, has them judged, and stores the results."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

import sqlalchemy as sa

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store import moments, probing
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.judging import Judge, Judged, judge_of
from quickdraw.leaderboard.store.schema import Row, files, submissions, teams
from quickdraw.leaderboard.store.scoring_process import LARGE, ScoringProcess, Sizes

_LEASE = {None: 600 * moments.SECOND, True: 600 * moments.SECOND, False: 60 * moments.SECOND}
_AT_ONCE = {None: 1, True: 1, False: 8}
"""Entries leased at once, by whether they are large: every lease costs a write to the disk."""
_POLL_SECONDS = 2.0
_QUEUED = (
    sa.select(submissions)
    .join(files, files.c.sha256 == submissions.c.file)
    .where(submissions.c.status == "queued", submissions.c.leased <= sa.bindparam("moment"))
    .order_by(submissions.c.id)
    .limit(1)
)
_NEXT = {
    None: _QUEUED,
    False: _QUEUED.where(files.c.size <= LARGE),
    True: _QUEUED.where(files.c.size > LARGE),
}
_TAKEN = {
    large: submissions.update()
    .where(
        submissions.c.id.in_(
            query.with_only_columns(submissions.c.id)
            .limit(_AT_ONCE[large])
            .with_for_update(of=submissions, skip_locked=True)
            .scalar_subquery()
        )
    )
    .values(leased=sa.bindparam("until"))
    .returning(submissions)
    for large, query in _NEXT.items()
}
_TEAM = (
    sa.select(teams, submissions.c.status)
    .join(submissions)
    .where(submissions.c.id == sa.bindparam("number"))
    .with_for_update(of=teams)
)
_SKETCHES = sa.select(submissions.c.sketch).where(
    submissions.c.team == sa.bindparam("team"),
    submissions.c.id < sa.bindparam("number"),
    submissions.c.sketch.is_not(None),
)
_SCORED = submissions.update().where(submissions.c.id == sa.bindparam("number"))
_SHOWN = teams.update().where(teams.c.id == sa.bindparam("number"))


class Scorer:
    """Scores queued entries; several scorers may share one database.

    Args:
        database: of the competition.
        clock: returns the current moment, in microseconds.
        done: called with the number of each entry that was scored or refused.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], int] = moments.now,
        done: Callable[[int], None] = lambda number: None,
    ):
        self._database, self._clock, self._done = database, clock, done
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._wakes: list[threading.Event] = []
        self._processes: list[ScoringProcess] = []
        self._leased: dict[bool | None, list[Row]] = {None: [], True: [], False: []}

    @functools.cached_property
    def _contest(self) -> competitions.Competition:
        """The competition, read once: what scoring needs of it never changes."""
        return competitions.load(self._database)

    @functools.cached_property
    def _judge(self) -> Judge:
        return judge_of(self._database, self._contest)

    def start(self, beside: bool = False) -> None:
        """Start scoring, beginning with entries that an earlier process left.

        Args:
            beside: score small files in a separate process, not in a thread. Large files, and all
                files if the solution is large, always are.
        """
        with self._database.writing() as connection:
            connection.execute(
                submissions.update().values(leased=0).where(submissions.c.leased > 0)
            )
        if self._large_solution():
            self._take_beside("all")
            return
        self._take_beside("large")
        if beside:
            self._take_beside("small")
        else:
            self._take(functools.partial(self.score_next, large=False))

    def _take_beside(self, sizes: Sizes) -> None:
        process = ScoringProcess(self._database, self._done, sizes)
        self._processes.append(process)
        self._take(process.score)

    def _large_solution(self) -> bool:
        query = sa.select(files.c.size).where(files.c.sha256 == self._contest.solution)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar() or 0) > LARGE

    def _take(self, score: Callable[[], bool]) -> None:
        wake = threading.Event()
        thread = threading.Thread(target=self._work, args=(score, wake), daemon=True)
        thread.start()
        self._wakes.append(wake)
        self._threads.append(thread)

    def wake(self) -> None:
        """Wake the scorers: an entry was queued."""
        for each in self._processes:
            each.wake()
        for event in self._wakes:
            event.set()

    def stop(self) -> None:
        """Stop after the small file being scored; a large one is scored at the next start."""
        self._stopped.set()
        self.wake()
        for each in self._processes:
            each.stop()
        for thread in self._threads:
            thread.join()

    def _work(self, score: Callable[[], bool], wake: threading.Event) -> None:
        while not self._stopped.is_set():
            wake.clear()
            try:
                if not score():
                    wake.wait(_POLL_SECONDS)
            except Exception as error:  # the database may be unreachable for a while
                log(f"warning: scoring: {type(error).__name__}: {error}"[:500])
                self._stopped.wait(_POLL_SECONDS)

    def score_next(self, large: bool | None = None) -> bool:
        """Score one entry; return whether there was one.

        Args:
            large: take a large file or a small one; None takes any.
        """
        row = self._lease(large)
        if row is None:
            return False
        try:
            found = self._judge.judged(row)
        except QuickdrawError as error:
            self._write(row, {}, str(error))
        else:
            self._write(row, found)
        self._done(row.id)
        return True

    def _lease(self, large: bool | None) -> Row | None:
        """Lease the oldest queued entry, so that no other worker takes it before the lease ends."""
        moment, leased = self._clock(), self._leased[large]
        if self._database.sqlite:  # one server owns the file, and one worker takes each size
            with self._database.reading() as connection:
                return connection.execute(_NEXT[large], {"moment": moment}).first()
        if not leased:
            with self._database.writing() as connection:
                times = {"moment": moment, "until": moment + _LEASE[large]}
                leased += sorted(connection.execute(_TAKEN[large], times), key=lambda row: row.id)
        return leased.pop(0) if leased else None

    def _write(self, row: Row, found: Judged, error: str = "") -> None:
        """Store the result of an entry and the team's row on the board in one transaction."""
        with self._database.writing() as connection:
            team = connection.execute(_TEAM, {"number": row.id}).one()
            if team.status != "queued":
                return  # the lease ended and another worker scored it
            values: dict[str, object] = {"status": "refused" if error else "scored", "error": error}
            if not error:
                shown = None
                if not self._contest.live:
                    shown = self._contest.shown(found["public_points"], team.best_shown)
                    values["nearest"] = _nearest(connection, row, found["sketch"])
                values |= {**found, "shown": shown}
                _show(connection, team, row, shown)
            connection.execute(_SCORED, {"number": row.id, **values})


def _show(connection: sa.Connection, team: Row, row: Row, shown: int | None) -> None:
    if row.late:
        return
    values: dict[str, object] = {"entries": team.entries + 1}
    values["last_at"] = max(row.received, team.last_at or 0)
    if shown is None:
        pass
    elif team.best_shown is None or shown > team.best_shown:
        values |= {"best_shown": shown, "best_at": row.received}
    elif shown == team.best_shown and row.received < team.best_at:
        values["best_at"] = row.received
    connection.execute(_SHOWN, {"number": team.id, **values})


def _nearest(connection: sa.Connection, row: Row, sketch: bytes) -> int | None:
    """Return the fewest buckets in which an earlier entry of the team differs."""
    before = connection.execute(_SKETCHES, {"team": row.team, "number": row.id}).scalars()
    return min((probing.difference(sketch, each) for each in before), default=None)
