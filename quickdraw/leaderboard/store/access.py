"""Authentication: one-time codes in links, tokens of teams, sessions; only hashes are stored.

Secrets are random, 192 bits, so that an unsalted SHA-256 cannot be reversed, and a look-up by the
hash leaks nothing through its time.
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
_PREFIX = "qd_"  # lets secret scanners recognise a token that was published by mistake
_BY_TOKEN = sa.select(teams.c.id, teams.c.name).where(teams.c.token == sa.bindparam("token"))


@dataclasses.dataclass(frozen=True)
class Visitor:
    """The sender of a request: `team` is None for the organiser."""

    team: int | None
    name: str

    @property
    def organiser(self) -> bool:
        return self.team is None


def hashed(secret: str) -> str:
    """Return the SHA-256 of a secret, which is all that is stored of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def invite(connection: sa.Connection, team: int | None, moment: int) -> str:
    """Create a one-time code that opens a session of a team, or of the organiser for None."""
    code = secrets.token_urlsafe(_BYTES)
    expires = moment + _INVITE_DAYS * moments.DAY
    connection.execute(invites.insert().values(code=hashed(code), team=team, expires=expires))
    return code


def invited(connection: sa.Connection, code: str, moment: int) -> Visitor:
    """Return whom an unused code is for.

    Raises:
        QuickdrawError: it was used, has expired, or does not exist.
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
    """Use up a code; of concurrent requests only one succeeds.

    Raises:
        QuickdrawError: as `invited`.
    """
    visitor = invited(connection, code, moment)
    used = invites.update().where(invites.c.code == hashed(code), invites.c.used.is_(None))
    if connection.execute(used.values(used=moment)).rowcount != 1:
        raise QuickdrawError("this link was used before, or it is too old: ask for another one")
    return visitor


def new_token(connection: sa.Connection, team: int) -> str:
    """Create a team's token for the command line, which replaces the previous one."""
    token = _PREFIX + secrets.token_urlsafe(_BYTES)
    connection.execute(teams.update().where(teams.c.id == team).values(token=hashed(token)))
    return token


def by_token(connection: sa.Connection, token: str) -> Visitor | None:
    """Return the team with this token; None if there is none."""
    row = connection.execute(_BY_TOKEN, {"token": hashed(token)}).first()
    return Visitor(row.id, row.name) if row else None


def open_session(connection: sa.Connection, visitor: Visitor, moment: int) -> str:
    """Open a session and return its token, for the cookie; delete expired ones."""
    token = secrets.token_urlsafe(_BYTES)
    expires = moment + _SESSION_DAYS * moments.DAY
    connection.execute(sessions.delete().where(sessions.c.expires <= moment))
    connection.execute(
        sessions.insert().values(token=hashed(token), team=visitor.team, expires=expires)
    )
    return token


def by_session(connection: sa.Connection, token: str, moment: int) -> Visitor | None:
    """Return the visitor of a session; None if it does not exist or has expired."""
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
    """Return the CSRF token of a session's forms, which no other site can read or guess."""
    return hashlib.sha256(f"form {session}".encode()).hexdigest()
