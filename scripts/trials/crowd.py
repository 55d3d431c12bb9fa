"""A crowd: teams that send files, readers that look at the board, and what came of each request."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gzip
import time

import numpy as np

from trials.hosting import CLASSES, table
from trials.wire import Line, submit


@dataclasses.dataclass
class Sending:
    """A file that a team sends.

    Attributes:
        team: counted from 0.
        key: of idempotency.
        body: what is sent.
        labels: the answers; None in a file with faults.
        number: of the entry, once it is acknowledged.
        status: of HTTP, of the last answer; 0 while there was none.
        seconds: how long the answer took.
    """

    team: int
    key: str
    body: bytes
    labels: np.ndarray | None
    number: int | None = None
    status: int = 0
    seconds: float = 0.0

    @property
    def acknowledged(self) -> bool:
        return self.number is not None


def prepare(
    ids: list[str], teams: int, files: int, faulty: float = 0.0, seed: int = 0
) -> list[Sending]:
    """So many files of each team, all different; a share of them with a fault."""
    random = np.random.default_rng(seed)
    sendings = []
    for number in range(teams * files):
        team = number % teams
        labels = np.arange(len(ids)) % CLASSES
        wrong = random.random(len(ids)) < 0.05 + 0.4 * random.random()
        labels = np.where(wrong, random.integers(0, CLASSES, len(ids)), labels)
        content = table(ids, labels)
        is_faulty = random.random() < faulty
        if is_faulty:
            content = content[: len(content) // 2] + b",\n"
        body = gzip.compress(content, 3)  # as `leaderboard submit` sends it
        key = f"{seed}-{number}"
        sendings.append(Sending(team, key, body, None if is_faulty else labels))
    return sendings


async def send(line: Line, token: str, sending: Sending) -> None:
    """Send a file and note what came of it."""
    start = time.monotonic()
    sending.status, entry = await submit(line, token, sending.body, sending.key)
    sending.seconds = time.monotonic() - start
    if "number" in entry:
        sending.number = int(entry["number"])


@dataclasses.dataclass
class Reading:
    """What the readers met: seconds of each answer, and answers that were none."""

    seconds: list[float] = dataclasses.field(default_factory=list)
    errors: list[str] = dataclasses.field(default_factory=list)


async def read(port: int, language: str, pause: float, found: Reading) -> None:
    """Look at the board, again and again; a browser does every 15 seconds."""
    line = Line(port)
    await asyncio.sleep(pause * np.random.random())
    while True:
        start = time.monotonic()
        try:
            status, body = await line.ask("GET", "/board", {"Accept-Language": language})
        except OSError as error:
            found.errors.append(f"board: {error}")
        else:
            found.seconds.append(time.monotonic() - start)
            if status != 200 or not body.endswith(b"</html>\n"):
                found.errors.append(f"board: {status}")
        await asyncio.sleep(pause)


@contextlib.asynccontextmanager
async def readers(port: int, count: int, pause: float, found: Reading):
    """Readers that look at the board as long as this holds."""
    languages = ("ko", "en")
    tasks = [
        asyncio.create_task(read(port, languages[number % 2], pause, found))
        for number in range(count)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
