"""Pages of the organiser: teams and links, limits, the end, any entry, the log."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import IO, cast

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response, StreamingResponse

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.site import showing, visiting
from quickdraw.leaderboard.site.board_pages import invite_link
from quickdraw.leaderboard.site.visiting import Organiser, OwnForm, Shared
from quickdraw.leaderboard.store import access, live_final, moments, probing, steering, team_table
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store import entry_table as entries
from quickdraw.leaderboard.store.blobs import open_blob
from quickdraw.leaderboard.store.schema import events, submissions

router = APIRouter(prefix="/organiser", include_in_schema=False)
_EVENTS, _PIECE = 300, 1 << 16


@router.get("")
def overview(request: Request, shared: Shared, who: Organiser) -> Response:
    """Show teams, limits and times."""
    return _overview(request, shared)


def _overview(request: Request, shared: Shared, links: Sequence[tuple[str, str]] = ()) -> Response:
    with shared.database.reading() as connection:
        contest = competitions.loaded(connection)
        teams = team_table.listed(connection)
        hints = _hints(connection)
        taking_part = contest.live and bool(live_final.entrants(connection))
        queued = connection.execute(
            sa.select(sa.func.count()).where(submissions.c.status == "queued")
        ).scalar_one()
    return showing.page(
        request,
        "organiser",
        contest=contest,
        teams=teams,
        hints=hints,
        queued=queued,
        taking_part=taking_part,
        links=links,
        moment=shared.clock(),
    )


def _hints(connection: sa.Connection) -> dict[int, int]:
    """Return the teams that seem to probe, each with its number of hints; see `probing`."""
    query = (
        sa.select(submissions.c.team, sa.func.count())
        .where(submissions.c.nearest.between(1, probing.FEW))
        .group_by(submissions.c.team)
        .having(sa.func.count() >= probing.MANY)
    )
    return {team: count for team, count in connection.execute(query)}


@router.post("/teams")
def add(request: Request, shared: Shared, who: Organiser, fields: OwnForm) -> Response:
    """Add teams, one a line or a csv, and show a link for each."""
    text, upload = visiting.text_of(fields, "names"), visiting.file_of(fields, "file")
    if upload is not None:
        try:
            text = upload.file.read(1 << 20).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise QuickdrawError(f"not a UTF-8 text file ({error})") from None
    baseline = visiting.text_of(fields, "baseline") == "yes"
    names = team_table.names_in(text, "the list")
    made = steering.add_teams(shared.database, names, shared.clock(), who.name, baseline)
    links = [(name, invite_link(shared, request, code)) for name, code in made]
    shared.forget()
    return _overview(request, shared, links=links)


@router.post("/teams/{team}/link")
def link(request: Request, shared: Shared, who: Organiser, team: int, fields: OwnForm) -> Response:
    """Make another link for a team; with `anew` its earlier links, sessions and token end."""
    moment = shared.clock()
    with shared.database.writing() as connection:
        name = team_table.by_id(connection, team).name
        anew = visiting.text_of(fields, "anew") == "yes"
        if anew:
            team_table.shut_out(connection, team)
        code = access.invite(connection, team, moment)
        what = "shut out, and made a link for" if anew else "made a link for"
        team_table.note(connection, moment, who.name, f"{what} {name!r}")
    return _overview(request, shared, links=[(name, invite_link(shared, request, code))])


@router.post("/teams/{team}/disqualify")
def disqualify(shared: Shared, who: Organiser, team: int, fields: OwnForm) -> Response:
    """Disqualify a team with a reason, or reinstate it."""
    reason = visiting.text_of(fields, "reason")
    if not reason and visiting.text_of(fields, "back") != "yes":
        raise QuickdrawError("a reason is needed: the team reads it")
    steering.disqualify(shared.database, team, reason, shared.clock(), who.name)
    shared.forget()
    return RedirectResponse("/organiser", 303)


@router.post("/teams/{team}/remove")
def remove(shared: Shared, who: Organiser, team: int, fields: OwnForm) -> Response:
    """Remove a team that has sent nothing."""
    steering.remove(shared.database, team, shared.clock(), who.name)
    return RedirectResponse("/organiser", 303)


@router.post("/settings")
def settings(shared: Shared, who: Organiser, fields: OwnForm) -> Response:
    """Change limits and times."""
    chosen = {
        name: visiting.text_of(fields, name)
        for name in ("daily_limit", "total_limit", "final_choices", "starts", "ends")
    }
    steering.change(shared.database, chosen, shared.clock(), who.name)
    shared.forget()
    return RedirectResponse("/organiser", 303)


@router.post("/end")
def end(shared: Shared, who: Organiser, fields: OwnForm) -> Response:
    """End the competition now."""
    steering.end(shared.database, shared.clock(), who.name)
    shared.forget()
    return RedirectResponse("/organiser", 303)


@router.post("/reveal")
def reveal(shared: Shared, who: Organiser, fields: OwnForm) -> Response:
    """Show the private board to everybody."""
    steering.reveal(shared.database, shared.clock(), who.name)
    shared.forget()
    return RedirectResponse("/board", 303)


@router.get("/teams/{team}")
def team(request: Request, shared: Shared, who: Organiser, team: int) -> Response:
    """Show all entries of a team, with their private scores."""
    with shared.database.reading() as connection:
        row = team_table.by_id(connection, team)
        rows = entries.of_team(connection, team)
        contest = competitions.loaded(connection)
    return showing.page(
        request,
        "organiser_team",
        team=row,
        rows=rows,
        contest=contest,
        few=probing.FEW,
        points=competitions.POINTS,
    )


@router.get("/entries/{number}/file")
def file(shared: Shared, who: Organiser, number: int) -> Response:
    """Send the file of an entry."""
    with shared.database.reading() as connection:
        row = entries.of_number(connection, number, None)
    opened = open_blob(shared.database, row.file)
    pieces = iter(lambda: opened.read(_PIECE), b"")
    # As a download, never displayed: the content is untrusted.
    name = f"entry-{row.id}.{shared.competition().suffix}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)


@router.get("/final/models")
def models(shared: Shared, who: Organiser) -> Response:
    """Send the models that take part in the live final, as a zip."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed when it is sent
    try:
        live_final.write_models(shared.database, cast(IO[bytes], file))
    except BaseException:
        file.close()
        raise
    file.seek(0)
    pieces = iter(lambda: file.read(_PIECE), b"")
    headers = {"content-disposition": 'attachment; filename="handed_in.zip"'}
    return StreamingResponse(
        pieces, media_type="application/zip", headers=headers, background=BackgroundTask(file.close)
    )


@router.post("/final/results")
def results(shared: Shared, who: Organiser, fields: OwnForm) -> Response:
    """Put the points of the live final on the board."""
    upload = visiting.file_of(fields, "file")
    if upload is None:
        raise QuickdrawError("no file was chosen")
    text = upload.file.read(1 << 20).decode("utf-8", "replace")
    moment = shared.clock()
    live_final.take_results(shared.database, text, "the file", moment, who.name)
    shared.forget()
    return RedirectResponse("/board", 303)


@router.get("/log")
def log(request: Request, shared: Shared, who: Organiser) -> Response:
    """Show who did what."""
    query = sa.select(events).order_by(events.c.id.desc()).limit(_EVENTS)
    with shared.database.reading() as connection:
        rows = connection.execute(query).all()
    zone = shared.competition().time_zone
    shown = [(moments.text(row.at, zone), row.who, row.what) for row in rows]
    return showing.page(request, "log", rows=shown)
