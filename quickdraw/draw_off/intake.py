"""Models that come while the server runs: handed in as files, or runs that the organiser adds."""

from __future__ import annotations

import asyncio
from typing import TypedDict

from fastapi import Request
from starlette.exceptions import HTTPException

from quickdraw.draw_off import desk, entering
from quickdraw.draw_off.director import Director
from quickdraw.sandbox import checking

_UPLOAD_SECONDS, _PIECE_SECONDS = 120.0, 15.0
_MOST_COMING = 8


class HandedIn(TypedDict):
    """What the sender of a model is told.

    Attributes:
        name: what it is called here.
        classes: how many it knows.
        milliseconds: that it takes for a drawing.
        without: the limits that this system cannot hold the model's process to.
    """

    name: str
    classes: int
    milliseconds: float
    without: list[str]


class Intake:
    """What lets models in until the contest begins.

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
        """Check a model that somebody sends, and let it enter.

        Raises:
            QuickdrawError: it cannot, and why.
        """
        contest = self._director.contest
        self._admit(request, contest.organiser, desk.hashed(contest.code))
        name = desk.clean_name(request.query_params.get("name"))
        if self._coming >= _MOST_COMING:  # each is held in memory
            raise HTTPException(503, "many hand in just now: try again in a minute")
        self._coming += 1
        try:
            return await self._enter(name, "file", await _received(request))
        finally:
            self._coming -= 1

    async def runs(self, request: Request) -> list[str]:
        """Return the names of the runs that the organiser may add; others are refused."""
        self._admit(request, self._director.contest.organiser)
        return await asyncio.to_thread(entering.runs_below, self._below) if self._below else []

    async def add_run(self, request: Request) -> HandedIn:
        """Let a run enter as a file does: exported, where it is not yet, and checked.

        Raises:
            QuickdrawError: it cannot, and why.
        """
        # What is asked for is only looked up among what is there, so that no name leads elsewhere.
        wanted, there = request.query_params.get("name", ""), await self.runs(request)
        if self._below is None or wanted not in there:
            raise HTTPException(404, "there is no such run")
        if self._exporting.locked():
            raise HTTPException(503, "another run is being added: try again when it is there")
        async with self._exporting:
            name, data = await asyncio.to_thread(entering.exported_run, self._below, wanted)
        return await self._enter(name, "run", data)

    def _admit(self, request: Request, *known: str) -> None:
        """Refuse who has none of the secrets whose hashes these are, and who comes too late."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not any([desk.is_right(secret, each) for each in known]):
            raise HTTPException(401, "the link is wrong: ask for it again")
        if self._director.contest.phase != "lobby":
            raise HTTPException(409, "the contest has begun")

    async def _enter(self, name: str, by: str, data: bytes) -> HandedIn:
        async with self._checking:  # one at a time: it takes a core
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
    """Read a file, no more of it than is allowed, and not for ever."""
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
    except TimeoutError:
        raise HTTPException(408, "too slow") from None
