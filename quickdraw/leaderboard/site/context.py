"""State that all requests of the server share."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from quickdraw.leaderboard.site.site_guards import Rate
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store import live_final, moments, standings
from quickdraw.leaderboard.store.competition import Competition
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.live_final import LivePlace
from quickdraw.leaderboard.store.scorer import Scorer
from quickdraw.leaderboard.store.standings import Curve, Standing

T = TypeVar("T")
Board = tuple[Competition, Sequence[Standing | LivePlace], list[Curve]]
"""The competition, its public board, and its curves."""
_FRESH_SECONDS, _STALE_SECONDS = 1.0, 10.0
_MOST_KEPT = 500
_ACCEPTING = 4
"""Uploads handled at once: more would only wait for the disk."""
_TEAM_UPLOADS, _WRONG_SECRETS = 30, 20


@dataclasses.dataclass(frozen=True)
class Limits:
    """The limits of uploads, and how they are scored.

    Attributes:
        size: bytes of an upload, and of its unpacked content.
        address_uploads: uploads a minute from one address, which a whole school may share.
        proxies: how many trusted proxies append to X-Forwarded-For.
        score_beside: whether entries are scored in a separate process.
        wait_seconds: how long a request waits for its score before it gets its place in the queue.
    """

    size: int = 64 << 20
    address_uploads: int = 600
    proxies: int = 0
    score_beside: bool = False
    wait_seconds: float = 20.0


class Context:
    """The database, the clock, the scorer, and responses cached for a second.

    Args:
        database: of the competition.
        clock: returns the current moment, in microseconds.
        limits: of uploads.
        public_url: where people reach the server, such as https://example.org; may be empty.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], int] = moments.now,
        limits: Limits | None = None,
        public_url: str = "",
    ):
        self.database, self.clock, self.limits = database, clock, limits or Limits()
        self.public_url = public_url.rstrip("/")
        self.scorer = Scorer(database, clock, self._scored)
        self.team_uploads = Rate(_TEAM_UPLOADS)
        self.address_uploads = Rate(self.limits.address_uploads)
        self.wrong_secrets = Rate(_WRONG_SECRETS)
        self.accepting = asyncio.Semaphore(_ACCEPTING)
        self._kept: dict[Hashable, tuple[float, Any]] = {}
        self._making: dict[Hashable, asyncio.Lock] = {}
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    def competition(self) -> Competition:
        """Return the current competition."""
        return competitions.load(self.database)

    def forget(self) -> None:
        """Drop all cached values, after a change by the organiser."""
        self._kept.clear()

    async def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of `make`, cached for a second; one thread makes it for all callers.

        Callers get the previous value while a new one is being made, unless it is too old.
        """
        then, value = self._kept.get(key, (0.0, None))
        age = time.monotonic() - then
        if age < _FRESH_SECONDS:
            return value
        lock = self._making.setdefault(key, asyncio.Lock())
        if lock.locked() and age < _STALE_SECONDS:
            return value
        async with lock:
            then, value = self._kept.get(key, (0.0, None))
            if time.monotonic() - then >= _FRESH_SECONDS:
                start = time.monotonic()
                # Another pool than the handlers': uploads that wait for the disk may occupy those.
                value = await asyncio.to_thread(make)
                self._kept[key] = (start, value)
                while len(self._kept) > _MOST_KEPT:
                    oldest = next(iter(self._kept))
                    self._kept.pop(oldest), self._making.pop(oldest, None)
        return value

    def board(self) -> Board:
        """Return the competition, its board as everybody may see it, and its curves."""
        moment = self.clock()
        with self.database.reading() as connection:
            contest = competitions.loaded(connection)
            if contest.live:
                return contest, live_final.places(connection), []
            make = standings.public if contest.revealed is None else standings.final
            rows = make(connection, contest, moment)
            return contest, rows, standings.curves(connection, contest, rows)

    def start(self) -> None:
        """Start scoring; must be called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self.scorer.start(self.limits.score_beside)

    def _scored(self, number: int) -> None:
        if self._loop is not None and number in self._waiting:
            self._loop.call_soon_threadsafe(self._tell, number)

    def _tell(self, number: int) -> None:
        future = self._waiting.pop(number, None)
        if future is not None and not future.done():
            future.set_result(None)

    async def scored(self, number: int, is_done: Callable[[], bool]) -> None:
        """Wait until an entry is scored, at most `wait_seconds`."""
        future = self._waiting.setdefault(number, asyncio.get_running_loop().create_future())
        try:
            # Checked after registering: it may have been scored in between.
            if not await run_in_threadpool(is_done):
                await asyncio.wait_for(asyncio.shield(future), self.limits.wait_seconds)
        except TimeoutError:
            pass
        finally:
            self._waiting.pop(number, None)
