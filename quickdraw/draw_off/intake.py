"""Models that enter while the server runs: uploaded files, or runs the organiser adds."""

from __future__ import annotations

import asyncio
from typing import TypedDict

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from quickdraw.draw_off import desk, entering
from quickdraw.draw_off.director import Director
from quickdraw.sandbox import checking

_UPLOAD_SECONDS, _PIECE_SECONDS = 120.0, 15.0
_MOST_COMING = 8


class HandedIn(TypedDict):
    """The response to an accepted model.

    Attributes:
        name: its display name.
        classes: the number of its classes.
        milliseconds: the time for one drawing.
        without: the limits that this system cannot enforce on the model's process.
    """

    name: str
    classes: int
    milliseconds: float
    without: list[str]


class Intake:
    """Accepts models until the contest begins.

    Args:
        director: of the contest.
        folder: of the contest.
        below: a folder, local or gs://, whose runs the organiser may add; None: no runs.
    """

    def __init__(self, director: Director, folder: str, below: str | None):
        self._director, self._folder, self._below = director, folder, below
        self._checking, self._exporting = asyncio.Semaphore(1), asyncio.Semaphore(1)
        self._coming = 0

    async def hand_in(self, request: Request) -> HandedIn:
        """Check an uploaded model, and enter it.

        Raises:
            QuickdrawError: it cannot enter; the message says why.
        """
        contest = self._director.contest
        self._admit(request, contest.organiser, desk.hashed(contest.code))
        name = desk.clean_name(request.query_params.get("name"))
        if self._coming >= _MOST_COMING:  # each upload is held in memory
            raise HTTPException(503, "many hand in just now: try again in a minute")
        self._coming += 1
        try:
            return await self._enter(name, "file", await _received(request))
        finally:
            self._coming -= 1

    async def runs(self, request: Request) -> list[str]:
        """Return the names of the runs that the organiser may add; refuse other visitors."""
        self._admit(request, self._director.contest.organiser)
        return await asyncio.to_thread(entering.runs_below, self._below) if self._below else []

    async def add_run(self, request: Request) -> HandedIn:
        """Enter a run like a file: exported if necessary, and checked.

        Raises:
            QuickdrawError: it cannot enter; the message says why.
        """
        # Looked up in the listing, not joined to a path: no name can leave the folder.
        wanted, there = request.query_params.get("name", ""), await self.runs(request)
        if self._below is None or wanted not in there:
            raise HTTPException(404, "there is no such run")
        if self._exporting.locked():
            raise HTTPException(503, "another run is being added: try again when it is there")
        async with self._exporting:
            name, data = await asyncio.to_thread(entering.exported_run, self._below, wanted)
        return await self._enter(name, "run", data)

    def _admit(self, request: Request, *known: str) -> None:
        """Refuse visitors without one of these secrets (given as hashes), or after the start."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not any([desk.is_right(secret, each) for each in known]):
            raise HTTPException(401, "the link is wrong: ask for it again")
        if self._director.contest.phase != "lobby":
            raise HTTPException(409, "the contest has begun")

    async def _enter(self, name: str, by: str, data: bytes) -> HandedIn:
        async with self._checking:  # one check at a time: it needs a core
            checked = await asyncio.to_thread(checking.check, data)
            contest = self._director.contest
            event = entering.entered(contest, name, by, checked, data, self._folder)
            await self._director.write(event)
        return {
            "name": event["name"],
            "classes": len(event["labels"]),
            "milliseconds": round(checked.milliseconds, 2),
            "without": list(checked.missing),
        }


async def _received(request: Request) -> bytes:
    """Read an upload, within limits of size and time."""
    data = bytearray()
    most = checking.MOST_BYTES
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > most:
        raise HTTPException(413, f"at most {most >> 20} MB expected")
    pieces = request.stream().__aiter__()
    try:
        async with asyncio.timeout(_UPLOAD_SECONDS):
            while True:
                data += await asyncio.wait_for(pieces.__anext__(), _PIECE_SECONDS)
                if len(data) > most:
                    raise HTTPException(413, f"at most {most >> 20} MB expected")
    except StopAsyncIteration:
        return bytes(data)
    except ClientDisconnect:  # nobody reads the answer, and the log is not filled
        raise HTTPException(400, "the body breaks off") from None
    except TimeoutError:
        raise HTTPException(408, "too slow") from None
