"""Who may do what: one-time codes in links, tokens of teams, sessions. Of all only hashes are kept.

They are random, 192 bits and more, so that a plain hash says nothing of them, and a look-up by the
hash takes the same time whatever is guessed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import secrets

import sqlalchemy as sa

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import moments
from quickdraw.leaderboard.store.schema import invites, sessions, teams

_BYTES = 24
_INVITE_DAYS, _SESSION_DAYS = 30, 30
_PREFIX = "qd_"  # tells a token that was pasted somewhere for what it is
_BY_TOKEN = sa.select(teams.c.id, teams.c.name).where(teams.c.token == sa.bindparam("token"))


@dataclasses.dataclass(frozen=True)
class Visitor:
    """Who sends a request: `team` is None for the organiser."""

    team: int | None
    name: str

    @property
    def organiser(self) -> bool:
        return self.team is None


def hashed(secret: str) -> str:
    """Return the hash of a secret: no more of it is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def invite(connection: sa.Connection, team: int | None, moment: int) -> str:
    """Make a code that opens a session once, for a team or, for None, the organiser."""
    code = secrets.token_urlsafe(_BYTES)
    expires = moment + _INVITE_DAYS * moments.DAY
    connection.execute(invites.insert().values(code=hashed(code), team=team, expires=expires))
    return code


def invited(connection: sa.Connection, code: str, moment: int) -> Visitor:
    """Return whom a code that can still be used is for.

    Raises:
        QuickdrawError: it was used, is too old, or there is none such.
    """
    query = (
        sa.select(invites.c.team, teams.c.name)
        .select_from(invites.outerjoin(teams))
        .where(invites.c.code == hashed(code), invites.c.used.is_(None), invites.c.expires > moment)
    )
    row = connection.execute(query).first()
    if row is None:
        raise QuickdrawError("this link was used before, or it is too old: ask for another one")
    return Visitor(row.team, row.name or "organiser")


def use(connection: sa.Connection, code: str, moment: int) -> Visitor:
    """Use up a code; of two requests at one time only one succeeds.

    Raises:
        QuickdrawError: as `invited`.
    """
    visitor = invited(connection, code, moment)
    used = invites.update().where(invites.c.code == hashed(code), invites.c.used.is_(None))
    if connection.execute(used.values(used=moment)).rowcount != 1:
        raise QuickdrawError("this link was used before, or it is too old: ask for another one")
    return visitor


def new_token(connection: sa.Connection, team: int) -> str:
    """Give a team a token for the command line; the one before is no longer valid."""
    token = _PREFIX + secrets.token_urlsafe(_BYTES)
    connection.execute(teams.update().where(teams.c.id == team).values(token=hashed(token)))
    return token


def by_token(connection: sa.Connection, token: str) -> Visitor | None:
    """Return the team that holds a token."""
    row = connection.execute(_BY_TOKEN, {"token": hashed(token)}).first()
    return Visitor(row.id, row.name) if row else None


def open_session(connection: sa.Connection, visitor: Visitor, moment: int) -> str:
    """Begin a session and return its token, for the cookie; delete those that have expired."""
    token = secrets.token_urlsafe(_BYTES)
    expires = moment + _SESSION_DAYS * moments.DAY
    connection.execute(sessions.delete().where(sessions.c.expires <= moment))
    connection.execute(
        sessions.insert().values(token=hashed(token), team=visitor.team, expires=expires)
    )
    return token


def by_session(connection: sa.Connection, token: str, moment: int) -> Visitor | None:
    """Return whose session a cookie is of."""
    query = (
        sa.select(sessions.c.team, teams.c.name)
        .select_from(sessions.outerjoin(teams))
        .where(sessions.c.token == hashed(token), sessions.c.expires > moment)
    )
    row = connection.execute(query).first()
    return Visitor(row.team, row.name or "organiser") if row else None


def close_session(connection: sa.Connection, token: str) -> None:
    """End a session."""
    connection.execute(sessions.delete().where(sessions.c.token == hashed(token)))


def csrf_token(session: str) -> str:
    """Return what a form of a session carries: another site can neither read nor guess it."""
    return hashlib.sha256(f"form {session}".encode()).hexdigest()
