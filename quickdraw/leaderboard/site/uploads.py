"""Uploads from the form and the API: rate limits, acceptance, and the wait for a score."""

from __future__ import annotations

import dataclasses
import functools
import secrets
from typing import BinaryIO

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from quickdraw.leaderboard.site.context import Context
from quickdraw.leaderboard.site.unpacking import unpacked
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store import entry_table as entries
from quickdraw.leaderboard.store import moments
from quickdraw.leaderboard.store.access import Visitor
from quickdraw.leaderboard.store.blobs import Packed
from quickdraw.leaderboard.store.schema import teams

_OWN = sa.select(teams).where(teams.c.id == sa.bindparam("team"))
_BETTER = sa.select(sa.func.count()).where(
    teams.c.best_shown > sa.bindparam("best"), ~teams.c.baseline, teams.c.disqualified == ""
)


@dataclasses.dataclass(frozen=True)
class SeenEntry:
    """An entry as its team sees it, without the private half.

    Attributes:
        number: of the entry.
        status: queued, scored or refused.
        score: as the board shows it, 0…1; None without one.
        error: what is wrong with the file, one line a fault.
        received: when it came, in the competition's time zone.
        message: the team's note.
        late: whether it came after the end, and does not count.
        about: what the check found in a model; empty for predictions.
        chosen: whether the team chose it for the final ranking.
        file: SHA-256 of the csv.
        place: its place in the queue; 0 once it is scored.
        rank: the team's current rank on the public board; None without one.
        left_today: entries that the team may still send today; None for no limit.
        left_total: entries that it may still send in all.
    """

    number: int
    status: str
    score: float | None
    error: str
    received: str
    message: str
    late: bool
    about: str
    chosen: bool
    file: str
    place: int
    rank: int | None
    left_today: int | None
    left_total: int | None


def check_rate(shared: Context, team: int, address: str) -> None:
    """Raise HTTPException (429) at too many uploads from a team or an address."""
    if not shared.team_uploads.allows(team) or not shared.address_uploads.allows(address):
        raise HTTPException(429, "too many uploads within a minute: wait a little")


async def take(shared: Context, who: Visitor, file: BinaryIO, key: str, message: str) -> SeenEntry:
    """Accept a file, and wait for its score until a timeout.

    Raises:
        LimitError: no entry is left, or the competition has not begun.
        QuickdrawError: the file cannot be unpacked, or is too large.
    """
    assert who.team is not None
    async with shared.accepting:
        number = await run_in_threadpool(_accept, shared, who.team, file, key, message)
    shared.scorer.wake()
    await shared.scored(number, functools.partial(_is_done, shared, number))
    return await run_in_threadpool(seen, shared, number, who.team)


def _accept(shared: Context, team: int, file: BinaryIO, key: str, message: str) -> int:
    key = key or secrets.token_hex()
    with Packed(unpacked(file, shared.limits.size)) as packed:
        return entries.accept(shared.database, team, packed, key, message, shared.clock())


def _is_done(shared: Context, number: int) -> bool:
    with shared.database.looking() as connection:
        return bool(entries.of_number(connection, number, None).status != "queued")


def seen(shared: Context, number: int, team: int | None) -> SeenEntry:
    """Return an entry of a team, or of any team for None.

    Raises:
        QuickdrawError: there is none.
    """
    with shared.database.reading() as connection:
        row = entries.of_number(connection, number, team)
        contest = competitions.loaded(connection)
        left = entries.entries_left(connection, contest, row.team, shared.clock())
        place = entries.place(connection, number) if row.status == "queued" else 0
        return SeenEntry(
            number=row.id,
            status=row.status,
            score=None if row.shown is None else row.shown / contest.steps,
            error=row.error,
            received=moments.text(row.received, contest.time_zone),
            message=row.message,
            late=row.late,
            about=row.about,
            chosen=row.chosen,
            file=row.file,
            place=place,
            rank=_rank(connection, row.team),
            left_today=left.today,
            left_total=left.total,
        )


def _rank(connection: sa.Connection, team: int) -> int | None:
    own = connection.execute(_OWN, {"team": team}).one()
    if own.best_shown is None or own.baseline or own.disqualified:
        return None
    return 1 + int(connection.execute(_BETTER, {"best": own.best_shown}).scalar_one())
