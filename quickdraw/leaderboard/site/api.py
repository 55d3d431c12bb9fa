"""The HTTP API, for the command line and other programs; /api documents it."""

from __future__ import annotations

import tempfile
from typing import Annotated, TypedDict

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from quickdraw.leaderboard.site import uploads
from quickdraw.leaderboard.site.visiting import Shared, TokenHolder, address
from quickdraw.leaderboard.store import entry_table as entries
from quickdraw.leaderboard.store import moments
from quickdraw.leaderboard.store.competition import Competition
from quickdraw.leaderboard.store.live_final import LivePlace
from quickdraw.leaderboard.store.standings import Standing

router = APIRouter(prefix="/api", tags=["leaderboard"])
_IN_MEMORY = 1 << 20


class BoardRow(TypedDict):
    """A team on the board; see `standings.Standing`."""

    rank: int | None
    team: str
    score: float
    entries: int
    last: str
    moved: int | None
    baseline: bool
    public_score: float


class LiveRow(TypedDict):
    """A team of a live final; see `live_final.LivePlace`."""

    rank: int | None
    team: str
    points: float | None
    hits: int | None
    entries: int
    last: str
    baseline: bool


@router.get("/competition")
def competition(shared: Shared) -> dict[str, object]:
    """Return the rules: metric, limits, times, names of the classes."""
    contest = shared.competition()
    moment = shared.clock()
    times = {
        name: moments.text(getattr(contest, name), contest.time_zone) for name in ("starts", "ends")
    }
    return {
        "name": contest.name,
        "kind": "draw_off" if contest.live else "predictions",
        "metric": contest.metric_name,
        "labels": contest.labels,
        "drawings": contest.public_count + contest.private_count,
        "public_percent": contest.public_percent,
        "score_steps": contest.steps,
        "daily_limit": contest.daily_limit,
        "total_limit": contest.total_limit,
        "final_choices": contest.final_choices,
        "ladder": contest.ladder,
        "time_zone": contest.time_zone,
        "ended": contest.ended(moment),
        "revealed": contest.revealed is not None,
        "data_url": contest.data_url,
        **times,
    }


@router.get("/board")
async def board(shared: Shared) -> dict[str, object]:
    """Return the board: by the public half, and by the private one once it is revealed."""
    contest, rows, _ = await shared.kept("board", shared.board)
    return {
        "name": contest.name,
        "metric": contest.metric_name,
        "revealed": contest.revealed is not None,
        "rows": [
            _live_row(row, contest) if isinstance(row, LivePlace) else _row(row, contest)
            for row in rows
        ],
    }


def _row(row: Standing, contest: Competition) -> BoardRow:
    return {
        "rank": row.rank,
        "team": row.name,
        "score": row.score,
        "entries": row.entries,
        "last": moments.text(row.last, contest.time_zone),
        "moved": row.moved,
        "baseline": row.baseline,
        "public_score": row.public_score,
    }


def _live_row(row: LivePlace, contest: Competition) -> LiveRow:
    return {
        "rank": row.rank,
        "team": row.name,
        "points": row.points,
        "hits": row.hits,
        "entries": row.entries,
        "last": moments.text(row.last, contest.time_zone),
        "baseline": row.baseline,
    }


@router.post("/submissions", response_model=uploads.SeenEntry, status_code=200)
async def submit(
    request: Request,
    shared: Shared,
    who: TokenHolder,
    message: Annotated[str, Query(max_length=2000)] = "",
    idempotency_key: Annotated[str, Header(max_length=100)] = "",
) -> JSONResponse:
    """Send a predictions file, or for a live final a model (ONNX), as the body; also as gz or zip.

    Responds once it is scored or checked (200), or has faults (422, not counted against the
    limits), or after a timeout with its place in the queue (202). A repeated Idempotency-Key
    returns the same entry. 429: no entries are left.
    """
    assert who.team is not None
    uploads.check_rate(shared, who.team, address(request))
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        async for part in request.stream():
            if file.tell() + len(part) > _IN_MEMORY:  # it writes to disk, which may be slow
                await run_in_threadpool(file.write, part)
            else:
                file.write(part)
        entry = await uploads.take(shared, who, file, idempotency_key, message)  # type: ignore[arg-type]
    status = {"scored": 200, "refused": 422, "queued": 202}[entry.status]
    return JSONResponse(vars(entry), status)


@router.get("/submissions", response_model=list[uploads.SeenEntry])
def own_submissions(shared: Shared, who: TokenHolder) -> list[uploads.SeenEntry]:
    """List the team's latest entries."""
    with shared.database.reading() as connection:
        numbers = [row.id for row in entries.of_team(connection, who.team or 0, 100)]
    return [uploads.seen(shared, number, who.team) for number in numbers]


@router.get("/submissions/{number}", response_model=uploads.SeenEntry)
def submission(number: int, shared: Shared, who: TokenHolder) -> uploads.SeenEntry:
    """Return an entry of the team: its status, and its score or its faults."""
    return uploads.seen(shared, number, who.team)


@router.put("/submissions/{number}/chosen", response_model=uploads.SeenEntry)
def choose(number: int, shared: Shared, who: TokenHolder, chosen: bool = True) -> uploads.SeenEntry:
    """Select an entry for the final ranking; chosen=false deselects it."""
    assert who.team is not None
    with shared.database.writing() as connection:
        entries.choose(connection, number, who.team, chosen, shared.clock())
    return uploads.seen(shared, number, who.team)
