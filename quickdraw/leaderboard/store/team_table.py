"""The table of teams. A team is never renamed, and only removed while it has no entries."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import sqlalchemy as sa

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import access
from quickdraw.leaderboard.store.schema import Row, events, invites, sessions, submissions, teams
from quickdraw.leaderboard.store.team_names import checked, looks


def note(connection: sa.Connection, moment: int, who: str, what: str) -> None:
    """Append a line to the audit log, in the transaction of the change that it records."""
    connection.execute(events.insert().values(at=moment, who=who, what=what))


def add(connection: sa.Connection, name: str, moment: int, baseline: bool = False) -> int:
    """Add a team; return its number.

    Args:
        connection: of a write transaction.
        name: of the team.
        moment: now.
        baseline: whether it is shown on the board without a rank.

    Raises:
        QuickdrawError: the name is invalid, or looks like another team's.
    """
    name = checked(name)
    form = looks(name)
    other = connection.execute(sa.select(teams.c.name).where(teams.c.looks == form)).scalar()
    if other is not None:
        raise QuickdrawError(f"a team is there whose name looks like {name!r}: {other!r}")
    values: dict[str, object] = {"looks": form, "baseline": baseline, "created": moment}
    result = connection.execute(
        teams.insert().values(name=name, disqualified="", entries=0, **values)
    )
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def names_in(text: str, where: str) -> list[str]:
    """Return the names in a csv: its column `team` or `name`, or else the first column.

    Raises:
        QuickdrawError: there are none, or one is invalid; with its line.
    """
    rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = next(
        (head.index(each) for each in ("team", "name", "팀", "이름") if each in head), None
    )
    names = []
    for line, row in enumerate(rows if column is None else rows[1:], 1 + (column is not None)):
        try:
            names.append(checked(row[column or 0] if len(row) > (column or 0) else ""))
        except QuickdrawError as error:
            raise QuickdrawError(f"{where}, line {line}: {error}") from None
    if not names:
        raise QuickdrawError(f"{where}: no names of teams")
    return names


def listed(connection: sa.Connection) -> Sequence[Row]:
    """Return all teams, by name."""
    return connection.execute(sa.select(teams).order_by(teams.c.name)).all()


def by_id(connection: sa.Connection, team: int) -> Row:
    """Return a team.

    Raises:
        QuickdrawError: no such team.
    """
    row = connection.execute(sa.select(teams).where(teams.c.id == team)).first()
    if row is None:
        raise QuickdrawError(f"no team number {team}")
    return row


def named(connection: sa.Connection, name: str) -> Row:
    """Return a team by its name.

    Raises:
        QuickdrawError: no such team.
    """
    row = connection.execute(sa.select(teams).where(teams.c.looks == looks(name))).first()
    if row is None:
        raise QuickdrawError(f"no team {name!r}. `teams list` prints all")
    return row


def remove(connection: sa.Connection, team: int) -> None:
    """Remove a team without entries.

    Raises:
        QuickdrawError: it has entries; disqualify it instead.
    """
    sent = sa.select(submissions.c.id).where(submissions.c.team == team).limit(1)
    if connection.execute(sent).first():
        raise QuickdrawError(
            "this team has entries, which are kept: disqualify it with a reason instead"
        )
    for table in (invites, sessions):
        connection.execute(table.delete().where(table.c.team == team))
    connection.execute(teams.delete().where(teams.c.id == team))


def disqualify(connection: sa.Connection, team: int, reason: str) -> None:
    """Disqualify a team with a reason that it can read; an empty one reinstates it."""
    connection.execute(
        teams.update().where(teams.c.id == team).values(disqualified=reason.strip()[:500])
    )


def shut_out(connection: sa.Connection, team: int) -> None:
    """Revoke all sessions, links and the token of a team, after a leak."""
    connection.execute(sessions.delete().where(sessions.c.team == team))
    connection.execute(invites.delete().where(invites.c.team == team, invites.c.used.is_(None)))
    access.new_token(connection, team)
