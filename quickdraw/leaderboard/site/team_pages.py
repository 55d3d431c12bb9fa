"""Pages of a team: sending and choosing entries, its token and its links."""

from __future__ import annotations

import io
from typing import BinaryIO

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.site import showing, uploads, visiting
from quickdraw.leaderboard.site.board_pages import invite_link, new_key
from quickdraw.leaderboard.site.visiting import OwnForm, Shared, Team
from quickdraw.leaderboard.store import access, team_table
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store import entry_table as entries

router = APIRouter(include_in_schema=False)


@router.get("/entries")
def own(request: Request, shared: Shared, who: Team) -> Response:
    """Show the upload form and the team's entries."""
    return _own(request, shared, who)


def _own(request: Request, shared: Shared, who: Team, **more: str) -> Response:
    assert who.team is not None
    with shared.database.reading() as connection:
        contest = competitions.loaded(connection)
        rows = entries.of_team(connection, who.team)
        left = entries.entries_left(connection, contest, who.team, shared.clock())
        team = team_table.by_id(connection, who.team)
    url = shared.public_url or str(request.base_url).rstrip("/")
    return showing.page(
        request,
        "entries",
        contest=contest,
        rows=rows,
        left=left,
        team=team,
        url=url,
        key=new_key(),
        moment=shared.clock(),
        **{"link": "", "token": "", **more},
    )


@router.post("/entries")
async def send(request: Request, shared: Shared, who: Team, fields: OwnForm) -> Response:
    """Accept an upload, and redirect to the page of its entry."""
    assert who.team is not None
    uploads.check_rate(shared, who.team, visiting.address(request))
    upload, pasted = visiting.file_of(fields, "file"), visiting.text_of(fields, "text")
    if upload is None and not pasted:
        raise QuickdrawError("no file was chosen")
    file: BinaryIO = upload.file if upload else io.BytesIO(pasted.encode())
    key, message = visiting.text_of(fields, "key"), visiting.text_of(fields, "message")
    entry = await uploads.take(shared, who, file, key, message)
    return RedirectResponse(f"/entries/{entry.number}", 303)


@router.get("/entries/{number}")
def one(request: Request, shared: Shared, who: Team, number: int) -> Response:
    """Show an entry: its status, and its score or its faults."""
    entry = uploads.seen(shared, number, who.team)
    return showing.page(request, "entry", entry=entry, contest=shared.competition())


@router.post("/entries/{number}/chosen")
def choose(shared: Shared, who: Team, number: int, fields: OwnForm) -> Response:
    """Select an entry for the final ranking, or deselect it."""
    assert who.team is not None
    wanted = visiting.text_of(fields, "chosen") == "yes"
    with shared.database.writing() as connection:
        entries.choose(connection, number, who.team, wanted, shared.clock())
    return RedirectResponse("/entries", 303)


@router.post("/token")
def token(request: Request, shared: Shared, who: Team, fields: OwnForm) -> Response:
    """Make a token for the command line, and show it once."""
    assert who.team is not None
    with shared.database.writing() as connection:
        made = access.new_token(connection, who.team)
        team_table.note(connection, shared.clock(), who.name, "made a token")
    return _own(request, shared, who, token=made)


@router.post("/invite")
def invite(request: Request, shared: Shared, who: Team, fields: OwnForm) -> Response:
    """Make a link for another member of the team, and show it once."""
    with shared.database.writing() as connection:
        code = access.invite(connection, who.team, shared.clock())
        team_table.note(connection, shared.clock(), who.name, "made a link for a member")
    return _own(request, shared, who, link=invite_link(shared, request, code))
