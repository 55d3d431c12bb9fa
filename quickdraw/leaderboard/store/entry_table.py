"""Entries: accepted within the limits, durable before they are acknowledged, scored once.

A transaction counts the day's entries and inserts the new one, so that of two concurrent requests
for the last entry of a day exactly one is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store import moments
from quickdraw.leaderboard.store.blobs import Packed
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.schema import Row, submissions, teams

MOST_REFUSED_A_DAY = 50
_LONGEST_MESSAGE, _LONGEST_KEY = 500, 100

# Built once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_OF_DAY = submissions.c.day == sa.bindparam("day")
_TEAM = sa.select(teams).where(teams.c.id == sa.bindparam("team"))
_LOCK = _TEAM.with_for_update()
_SAME = sa.select(submissions.c.id, submissions.c.file).where(
    submissions.c.team == sa.bindparam("team"), submissions.c.key == sa.bindparam("key")
)
_REFUSED = submissions.c.status == "refused"
_COUNTS = sa.select(
    *(
        sa.func.coalesce(sa.func.sum(sa.case((which, 1), else_=0)), 0)
        for which in (~_REFUSED, ~_REFUSED & _OF_DAY, _REFUSED & _OF_DAY)
    )
).where(submissions.c.team == sa.bindparam("team"))
_OF_NUMBER = sa.select(submissions).where(submissions.c.id == sa.bindparam("number"))
_INSERT = submissions.insert()


class LimitError(QuickdrawError):
    """Raised if no entry is left or the competition is closed; the message says until when."""


@dataclasses.dataclass(frozen=True)
class Left:
    """The entries that a team has left.

    Attributes:
        today: for today; None for no limit.
        total: in all; None for no limit.
        again: when the next day begins, in microseconds.
    """

    today: int | None
    total: int | None
    again: int


def accept(
    database: Database, team: int, packed: Packed, key: str, message: str, moment: int
) -> int:
    """Accept a file and return the number of its entry; it is durable when this returns.

    Args:
        database: of the competition.
        team: who sends it.
        packed: the file.
        key: the idempotency key; a repeated one returns the number of the first entry.
        message: the team's note.
        moment: now.

    Raises:
        LimitError: the competition has not begun, or no entry is left.
        QuickdrawError: the key was used for another file.
    """
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise QuickdrawError(f"an idempotency key of 1 to {_LONGEST_KEY} characters expected")
    with database.writing() as connection:
        # PostgreSQL: serialises this team's requests, so that the count below holds until the
        # commit. SQLite has one writer anyway.
        row = connection.execute(_LOCK, {"team": team}).one()
        before = connection.execute(_SAME, {"team": team, "key": key}).first()
        if before is not None:
            if before.file != packed.sha256:
                raise QuickdrawError("this idempotency key was used for another file")
            return int(before.id)
        contest = competitions.loaded(connection)
        if not row.baseline:
            _check_limits(connection, contest, team, moment)
        packed.save(connection)
        values: dict[str, object] = {"team": team, "key": key, "received": moment}
        values |= {"day": moments.day(moment, contest.time_zone), "file": packed.sha256}
        values |= {"message": " ".join(message.split())[:_LONGEST_MESSAGE], "error": ""}
        values |= {"late": contest.ended(moment), "chosen": False, "status": "queued", "leased": 0}
        values["about"] = ""
        result = connection.execute(_INSERT, values)
        return int(result.inserted_primary_key[0])  # type: ignore[index]


def _check_limits(
    connection: sa.Connection, contest: competitions.Competition, team: int, moment: int
) -> None:
    if not contest.started(moment):
        when = moments.text(contest.starts, contest.time_zone)
        raise LimitError(f"the competition begins at {when} ({contest.time_zone})")
    left, refused = _used(connection, contest, team, moment)
    if left.total == 0:
        raise LimitError(f"all {contest.total_limit} entries are used")
    if left.today == 0:
        again = moments.text(left.again, contest.time_zone)
        raise LimitError(
            f"the {contest.daily_limit} entries of today are used; the next day begins at {again} "
            f"({contest.time_zone})"
        )
    if refused >= MOST_REFUSED_A_DAY:
        raise LimitError(f"{MOST_REFUSED_A_DAY} files with faults are enough for today")


def entries_left(
    connection: sa.Connection, contest: competitions.Competition, team: int, moment: int
) -> Left:
    """Return the entries that a team has left; refused files do not count, queued ones do."""
    left, _ = _used(connection, contest, team, moment)
    if connection.execute(_TEAM, {"team": team}).one().baseline:
        return Left(None, None, left.again)
    return left


def _used(
    connection: sa.Connection, contest: competitions.Competition, team: int, moment: int
) -> tuple[Left, int]:
    """Return the entries left, and the number of files refused today."""
    day = moments.day(moment, contest.time_zone)
    counts = connection.execute(_COUNTS, {"team": team, "day": day}).one()
    total, today, refused = map(int, counts)
    left = max(0, contest.total_limit - total)
    again = moments.day_start(moment, contest.time_zone, days=1)
    return Left(min(left, max(0, contest.daily_limit - today)), left, again), refused


def of_team(connection: sa.Connection, team: int, limit: int = 500) -> Sequence[Row]:
    """Return a team's entries, the latest first."""
    query = sa.select(submissions).where(submissions.c.team == team)
    return connection.execute(query.order_by(submissions.c.id.desc()).limit(limit)).all()


def of_number(connection: sa.Connection, number: int, team: int | None) -> Row:
    """Return an entry of a team, or of any team for None.

    Raises:
        QuickdrawError: the team has no such entry.
    """
    known = abs(number) < 2**31
    row = connection.execute(_OF_NUMBER, {"number": number}).first() if known else None
    if row is None or team not in (None, row.team):
        raise QuickdrawError(f"no entry number {number}")
    return row


def place(connection: sa.Connection, number: int) -> int:
    """Return how many queued entries there are up to this one, itself included."""
    query = sa.select(sa.func.count()).where(
        submissions.c.status == "queued", submissions.c.id <= number
    )
    return int(connection.execute(query).scalar_one())


def choose(connection: sa.Connection, number: int, team: int, wanted: bool, moment: int) -> None:
    """Select an entry for the final ranking, or deselect it.

    Raises:
        LimitError: the competition has ended.
        QuickdrawError: it is not scored, came too late, or too many others are chosen.
    """
    connection.execute(sa.select(teams.c.id).where(teams.c.id == team).with_for_update())
    contest = competitions.loaded(connection)
    row = of_number(connection, number, team)
    if contest.ended(moment):
        raise LimitError("the competition has ended: entries can no longer be chosen")
    if row.status != "scored" or row.late:
        raise QuickdrawError("only an entry with a score, sent in time, can be chosen")
    chosen = sa.select(sa.func.count()).where(
        submissions.c.team == team, submissions.c.chosen, submissions.c.id != number
    )
    if wanted and connection.execute(chosen).scalar_one() >= contest.final_choices:
        raise QuickdrawError(f"at most {contest.final_choices} can be chosen: give another one up")
    connection.execute(submissions.update().where(submissions.c.id == number).values(chosen=wanted))
