"""Entries: accepted within the limits, on the disk before they are acknowledged, scored once.

The count of a day's entries and the new one belong to one transaction that writes, so that of two
requests for the last entry of a day one is refused, whatever their timing.
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

# Made once: to build a statement takes SQLAlchemy longer than SQLite takes to answer it.
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
    """No entry is left for now, or the competition is closed; the message says until when."""


@dataclasses.dataclass(frozen=True)
class Left:
    """What a team has left.

    Attributes:
        today: entries that it may send today; None: as many as it likes.
        total: entries that it may send at all; None: as many as it likes.
        again: when a new day begins.
    """

    today: int | None
    total: int | None
    again: int


def accept(
    database: Database, team: int, packed: Packed, key: str, message: str, moment: int
) -> int:
    """Take a file in; return the number of its entry. When this returns, it is on the disk.

    Args:
        database: where it goes.
        team: whose it is.
        packed: the file.
        key: of idempotency; a request with the key of an earlier one returns that one's number.
        message: what the team says of it.
        moment: now.

    Raises:
        LimitError: the competition has not begun, or no entry is left.
        QuickdrawError: the key was used for another file.
    """
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise QuickdrawError(f"an idempotency key of 1 to {_LONGEST_KEY} characters expected")
    with database.writing() as connection:
        # PostgreSQL: the others of this team wait here. SQLite has one writer anyway.
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
    """Return what a team has left: files with faults do not count, those in the queue do."""
    left, _ = _used(connection, contest, team, moment)
    if connection.execute(_TEAM, {"team": team}).one().baseline:
        return Left(None, None, left.again)
    return left


def _used(
    connection: sa.Connection, contest: competitions.Competition, team: int, moment: int
) -> tuple[Left, int]:
    """Return what is left of the limits, and how many files with faults came today."""
    day = moments.day(moment, contest.time_zone)
    counts = connection.execute(_COUNTS, {"team": team, "day": day}).one()
    total, today, refused = map(int, counts)
    left = max(0, contest.total_limit - total)
    again = moments.day_start(moment, contest.time_zone, days=1)
    return Left(min(left, max(0, contest.daily_limit - today)), left, again), refused


def of_team(connection: sa.Connection, team: int, limit: int = 500) -> Sequence[Row]:
    """Return a team's entries, the last one first."""
    query = sa.select(submissions).where(submissions.c.team == team)
    return connection.execute(query.order_by(submissions.c.id.desc()).limit(limit)).all()


def of_number(connection: sa.Connection, number: int, team: int | None) -> Row:
    """Return an entry of a team, or of any team for None.

    Raises:
        QuickdrawError: there is none; one of another team is none.
    """
    known = abs(number) < 2**31
    row = connection.execute(_OF_NUMBER, {"number": number}).first() if known else None
    if row is None or team not in (None, row.team):
        raise QuickdrawError(f"no entry number {number}")
    return row


def place(connection: sa.Connection, number: int) -> int:
    """Return how many entries are to be scored up to this one, itself included."""
    query = sa.select(sa.func.count()).where(
        submissions.c.status == "queued", submissions.c.id <= number
    )
    return int(connection.execute(query).scalar_one())


def choose(connection: sa.Connection, number: int, team: int, wanted: bool, moment: int) -> None:
    """Choose an entry for the final ranking, or choose it no longer.

    Raises:
        LimitError: the competition has ended.
        QuickdrawError: it is not scored, too late, or enough others are chosen.
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
