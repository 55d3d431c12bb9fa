"""Actions of the organiser, from the pages or commands; each writes to the audit log."""

from __future__ import annotations

from collections.abc import Sequence

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import access, moments, team_table
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store.database import Database

_MOST = 100_000


def add_teams(
    database: Database, names: Sequence[str], moment: int, who: str, baseline: bool = False
) -> list[tuple[str, str]]:
    """Add teams, all or none; return the name and the one-time code of each."""
    made = []
    with database.writing() as connection:
        for name in names:
            team = team_table.add(connection, name, moment, baseline)
            made.append((name, access.invite(connection, team, moment)))
            team_table.note(connection, moment, who, f"added {name!r}")
    return made


def disqualify(database: Database, team: int, reason: str, moment: int, who: str) -> None:
    """Disqualify a team with a reason; an empty one reinstates it."""
    with database.writing() as connection:
        name = team_table.by_id(connection, team).name
        team_table.disqualify(connection, team, reason)
        what = f"disqualified {name!r}: {reason}" if reason else f"let {name!r} back"
        team_table.note(connection, moment, who, what)


def remove(database: Database, team: int, moment: int, who: str) -> None:
    """Remove a team without entries."""
    with database.writing() as connection:
        name = team_table.by_id(connection, team).name
        team_table.remove(connection, team)
        team_table.note(connection, moment, who, f"removed {name!r}")


def change(database: Database, chosen: dict[str, str], moment: int, who: str) -> None:
    """Change limits (`daily_limit`, `total_limit`, `final_choices`) and times (`starts`, `ends`).

    Args:
        database: of the competition.
        chosen: the new values as text, by name; an empty time removes it.
        moment: now, in microseconds.
        who: the author of the change, for the audit log.

    Raises:
        QuickdrawError: a value is invalid, or the results are revealed.
    """
    with database.writing() as connection:
        contest = competitions.loaded(connection)
        if contest.revealed is not None:
            raise QuickdrawError("the results are revealed: nothing can be changed any more")
        values: dict[str, int | None] = {}
        for name, text in chosen.items():
            if name in ("starts", "ends"):
                values[name] = moments.parse(text, contest.time_zone) if text else None
            else:
                values[name] = _number(name, text)
        starts, ends = values.get("starts", contest.starts), values.get("ends", contest.ends)
        if starts is not None and ends is not None and starts >= ends:
            raise QuickdrawError("the end must come after the start")
        differ = {name: value for name, value in values.items() if getattr(contest, name) != value}
        if differ:
            competitions.change(connection, **differ)
            said = ", ".join(f"{name} {chosen[name] or 'none'}" for name in differ)
            team_table.note(connection, moment, who, f"changed {said}")


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:9]) <= _MOST:
        raise QuickdrawError(f"{name} must be from 1 to {_MOST}. Received: {text!r:.80}")
    return int(text[:9])


def end(database: Database, moment: int, who: str) -> None:
    """End the competition now; entries that come later are scored and marked late.

    Raises:
        QuickdrawError: it has ended already.
    """
    with database.writing() as connection:
        if competitions.loaded(connection).ended(moment):
            raise QuickdrawError("the competition has ended before")
        competitions.change(connection, ends=moment)
        team_table.note(connection, moment, who, "ended the competition")


def reveal(database: Database, moment: int, who: str) -> None:
    """Publish the private board, irreversibly.

    Raises:
        QuickdrawError: the competition has not ended.
    """
    with database.writing() as connection:
        contest = competitions.loaded(connection)
        if not contest.ended(moment):
            raise QuickdrawError("the competition has not ended: end it first")
        if contest.revealed is None:
            if contest.live:
                raise QuickdrawError("the points of the final reveal it: final --results")
            competitions.change(connection, revealed=moment)
            team_table.note(connection, moment, who, "revealed the results")
