"""Public pages: the rules, the board, the API, and the link that opens a session."""

from __future__ import annotations

import asyncio
import datetime
import functools
import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.site import chart, showing, visiting
from quickdraw.leaderboard.site.context import Board, Context
from quickdraw.leaderboard.site.visiting import OpenForm, OwnForm, Shared
from quickdraw.leaderboard.store import access, team_table
from quickdraw.leaderboard.store.access import Visitor

router = APIRouter(include_in_schema=False)
_ROWS = 200
_PAGES = ("/", "/board", "/entries", "/organiser", "/organiser/log", "/api")
_COOKIE_SECONDS = int(datetime.timedelta(days=30).total_seconds())


@router.get("/")
def home(request: Request, shared: Shared) -> Response:
    """Show the rules, the data, and how to take part."""
    contest = shared.competition()
    url = shared.public_url or str(request.base_url).rstrip("/")
    moment = shared.clock()
    return showing.page(request, "home", contest=contest, url=url, moment=moment)


@router.get("/board")
async def board(
    request: Request, shared: Shared, page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    """Show the board; rendered once a second and shared by all visitors with the same links."""
    language = visiting.language(request)
    found = await shared.kept("board", shared.board)
    # Guests need no look-up and no handler thread, which uploads may occupy; see `kept`.
    signed_in = visiting.session_of(request)
    who = await asyncio.to_thread(visiting.visitor, request) if signed_in else None
    make = functools.partial(_board, shared, found, language, who, page)
    key = ("page", language, who and who.organiser, page)
    return HTMLResponse(await shared.kept(key, make))


def _board(shared: Context, found: Board, language: str, who: Visitor | None, page: int) -> str:
    contest, rows, curves = found
    moment = shared.clock()
    return showing.rendered(
        "live_board" if contest.live else "board",
        language,
        "",
        who,
        contest=contest,
        rows=rows[(page - 1) * _ROWS : page * _ROWS],
        count=sum(not row.baseline for row in rows),
        page=page,
        pages=max(1, -(-len(rows) // _ROWS)),
        ended=contest.ended(moment),
        moment=moment,
        chart=chart.steps(curves, contest.time_zone, min(moment, contest.ends or moment)),
    )


@router.get("/join/{code}")
def door(request: Request, shared: Shared, code: str) -> Response:
    """Show whom a link is for, without using it up: messengers fetch links for previews."""
    _check_guesses(request, shared)
    with shared.database.reading() as connection:
        visitor = access.invited(connection, code, shared.clock())
    contest = shared.competition()
    return showing.page(request, "join", visitor=visitor, code=code, contest=contest)


@router.post("/join/{code}")
def enter(request: Request, shared: Shared, code: str, fields: OpenForm) -> Response:
    """Use a link and open a session."""
    _check_guesses(request, shared)
    moment = shared.clock()
    with shared.database.writing() as connection:
        visitor = access.use(connection, code, moment)
        session = access.open_session(connection, visitor, moment)
        team_table.note(connection, moment, visitor.name, "entered by a link")
    response = RedirectResponse("/organiser" if visitor.organiser else "/entries", 303)
    response.set_cookie(
        visiting.cookie_name(shared),
        session,
        max_age=_COOKIE_SECONDS,
        secure=shared.https,
        httponly=True,
        samesite="lax",
    )
    return response


def _check_guesses(request: Request, shared: Context) -> None:
    if not shared.wrong_secrets.allows(("join", visiting.address(request)), 0.2):
        raise QuickdrawError("too many attempts from this address: wait a minute")


@router.post("/leave")
def leave(request: Request, shared: Shared, fields: OwnForm) -> Response:
    """End the session."""
    with shared.database.writing() as connection:
        access.close_session(connection, visiting.session_of(request))
    response = RedirectResponse("/", 303)
    response.delete_cookie(visiting.cookie_name(shared), secure=shared.https, httponly=True)
    return response


@router.get("/language/{name}")
def language(request: Request, shared: Shared, name: str, back: str = "/") -> Response:
    """Set the language, and return to the same page."""
    response = RedirectResponse(back if back in _PAGES else "/", 303)
    if name in ("ko", "en"):
        response.set_cookie(
            "language", name, max_age=_COOKIE_SECONDS, samesite="lax", secure=shared.https
        )
    return response


@router.get("/api")
def api(request: Request) -> Response:
    """Show the documentation of the API; /openapi.json is for programs."""
    schema = request.app.openapi()
    calls = [
        (method.upper(), path, call)
        for path, methods in schema["paths"].items()
        for method, call in methods.items()
    ]
    return showing.page(request, "api", calls=calls)


def new_key() -> str:
    """Return an idempotency key for a form: sending it twice makes one entry."""
    return secrets.token_hex(16)


def invite_link(shared: Context, request: Request, code: str) -> str:
    """Return a link that opens one session."""
    return f"{shared.public_url or str(request.base_url).rstrip('/')}/join/{code}"
