"""What handlers take from a request: visitor, language, and forms protected against CSRF."""

from __future__ import annotations

import hmac
import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from quickdraw.leaderboard.site.context import Context
from quickdraw.leaderboard.site.phrases import language_of
from quickdraw.leaderboard.store import access
from quickdraw.leaderboard.store.access import Visitor

_MOST_FIELDS, _LONGEST_FIELD = 20, 1 << 18
_TOKEN = re.compile(r"[\w\-]{1,100}", re.ASCII)
Fields = dict[str, UploadFile | str]
"""Of a form, by name."""


async def context(request: Request) -> Context:
    """Return the shared state; async, since FastAPI calls other dependencies in a thread."""
    return shared_by(request)


def shared_by(request: Request) -> Context:
    """Return the state that requests share."""
    return request.app.state.context


def address(request: Request) -> str:
    """Return the client's address."""
    return request.client.host if request.client else ""


def language(request: Request) -> str:
    """Return the language of the pages for this browser."""
    return language_of(request.cookies.get("language"), request.headers.get("accept-language", ""))


def cookie_name(shared: Context) -> str:
    """Return the name of the session's cookie; browsers send one with this prefix by https only."""
    return "__Host-session" if shared.https else "session"


def session_of(request: Request) -> str:
    """Return the session's token; empty without one."""
    token = request.cookies.get(cookie_name(shared_by(request)), "")
    return token if _TOKEN.fullmatch(token) else ""


def visitor(request: Request) -> Visitor | None:
    """Return the visitor by the session, None for a guest; looked up once a request."""
    if not hasattr(request.state, "visitor"):
        shared, token = shared_by(request), session_of(request)
        request.state.visitor = None
        if token:
            with shared.database.looking() as connection:
                found = access.by_session(connection, token, shared.clock())
            request.state.visitor = found
    return request.state.visitor


async def team(who: Annotated[Visitor | None, Depends(visitor)]) -> Visitor:
    """Return the visitor if it is a team; refuse others."""
    if who is None or who.team is None:
        raise HTTPException(401)
    return who


async def organiser(who: Annotated[Visitor | None, Depends(visitor)]) -> Visitor:
    """Return the visitor if it is the organiser; others get 404."""
    if who is None or not who.organiser:
        raise HTTPException(404)
    return who


def by_token(request: Request) -> Visitor:
    """Return the team of the API's token.

    After too many wrong tokens from an address, all are refused for a minute.
    """
    shared = shared_by(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and _TOKEN.fullmatch(token):
        with shared.database.looking() as connection:
            found = access.by_token(connection, token)
        if found is not None:
            return found
    if not shared.wrong_secrets.allows(address(request)):
        raise HTTPException(429, "too many wrong tokens from this address: wait a minute")
    raise HTTPException(401, "the token of a team is needed: Authorization: Bearer qd_…")


async def open_form(request: Request) -> AsyncIterator[Fields]:
    """Yield the fields of a form; refuse one that another site sent."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403)
    form = await request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD)
    try:
        yield dict(form)
    finally:
        await form.close()


async def own_form(request: Request, fields: Annotated[Fields, Depends(open_form)]) -> Fields:
    """Return the fields of a form that carries the token of this session."""
    session = session_of(request)
    given = str(fields.get("csrf", ""))
    if not session or not hmac.compare_digest(given.encode(), access.csrf_token(session).encode()):
        raise HTTPException(403)
    return fields


def text_of(fields: Fields, name: str) -> str:
    """Return a field of a form; empty where it is not there, or a file."""
    value = fields.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def file_of(fields: Fields, name: str) -> UploadFile | None:
    """Return a file of a form; None where none was chosen."""
    value = fields.get(name)
    return value if isinstance(value, UploadFile) and value.size else None


Shared = Annotated[Context, Depends(context)]
Team = Annotated[Visitor, Depends(team)]
Organiser = Annotated[Visitor, Depends(organiser)]
TokenHolder = Annotated[Visitor, Depends(by_token)]
OpenForm = Annotated[Fields, Depends(open_form)]
OwnForm = Annotated[Fields, Depends(own_form)]
