"""A leaderboard for tests: a small competition, a server in this process, a client, PostgreSQL."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
import uvicorn

from quickdraw.leaderboard.site.board_app import make_app
from quickdraw.leaderboard.site.context import Context, Limits
from quickdraw.leaderboard.store import access, competition, moments, standings, team_table
from quickdraw.leaderboard.store import entry_table as entries
from quickdraw.leaderboard.store.blobs import Packed
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.scorer import Scorer
from quickdraw.lingering import PatientProtocol

COUNT, LABELS = 200, ["cat", "dog", "sun", "hot dog"]
RIGHT = {f"id{number:03}": number % 4 for number in range(COUNT)}
NOON = moments.parse("2026-12-01 12:00", "Asia/Seoul")
HOUR = 3600 * moments.SECOND
SETTINGS: dict[str, Any] = {
    "metric": "top1",
    "public_percent": 30,
    "daily_limit": 5,
    "total_limit": 20,
    "final_choices": 2,
    "ladder": False,
    "time_zone": "Asia/Seoul",
    "starts": None,
    "ends": None,
    "data_url": "",
    "description": "",
}
POSTGRES = Path("/usr/lib/postgresql/15/bin")


class Clock:
    """A clock that the test sets."""

    def __init__(self, moment: int = NOON):
        self.moment = moment

    def __call__(self) -> int:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += round(seconds * moments.SECOND)


def solution() -> bytes:
    return rows(RIGHT)


def rows(answers: dict[str, Any], header: str = "image_id,label") -> bytes:
    return "".join(
        [header + "\n", *(f"{key},{value}\n" for key, value in answers.items())]
    ).encode()


def answers(wrong: int = 0, start: int = 0) -> bytes:
    """A predictions file with so many wrong answers."""
    spoilt = [f"id{(start + number) % COUNT:03}" for number in range(wrong)]
    return rows(RIGHT | {key: (RIGHT[key] + 1) % 4 for key in spoilt})


def halves_of(database: Database) -> tuple[dict[str, int], np.ndarray]:
    """The right answers, and which of them are public."""
    _, public = competition.read_solution(database, competition.load(database))
    return RIGHT, public


def spoilt(right: dict[str, int], where: np.ndarray, count: int) -> bytes:
    """A predictions file with so many wrong answers in one half."""
    wrong = [key for key, here in zip(right, where, strict=True) if here][:count]
    return rows(right | {key: (right[key] + 1) % 4 for key in wrong})


def make_competition(database: Database, **changes: Any) -> competition.Competition:
    settings = SETTINGS | changes
    labels = settings.pop("labels", LABELS)
    return competition.create(database, io.BytesIO(solution()), "Camp", labels, settings)


def add_team(database: Database, name: str, baseline: bool = False) -> tuple[int, str]:
    """Add a team; return its number and its token."""
    with database.writing() as connection:
        team = team_table.add(connection, name, NOON, baseline)
        return team, access.new_token(connection, team)


def send(database, team, data, key=None, moment=NOON, score=True) -> int:
    """Send a file past the server, and score it; return the number of its entry."""
    with Packed(io.BytesIO(data)) as packed:
        number = entries.accept(database, team, packed, key or packed.sha256, "", moment)
    if score:
        while Scorer(database, Clock(moment)).score_next():
            pass
    return number


def entry(database: Database, number: int) -> Any:
    with database.reading() as connection:
        return entries.of_number(connection, number, None)


def board_of(database: Database, final: bool = False, moment: int = NOON) -> list[Any]:
    with database.reading() as connection:
        contest = competition.loaded(connection)
        return (standings.final if final else standings.public)(connection, contest, moment)


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str]

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, f"no field {name}"
        return found[1]


class Browser:
    """A client with cookies, without redirects of its own."""

    def __init__(self, port: int, language: str = "en"):
        self.port, self.cookies = port, dict[str, str]()
        self.headers = {"Accept-Language": language}

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**self.headers, **({"Cookie": cookies} if cookies else {}), **(headers or {})}
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        set_cookies = response.headers.get_all("set-cookie") or []
        for each in set_cookies:
            name, _, value = each.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, found, data, set_cookies)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, follow: bool = True, **fields: Any) -> Answer:
        """Send a form; fields that are bytes go as files."""
        body, kind = multipart(fields)
        answer = self.ask("POST", path, body, {"Content-Type": kind})
        if follow and answer.status == 303:
            return self.get(answer.headers["location"])
        return answer

    def csrf(self, path: str = "/entries") -> str:
        return self.get(path).field("csrf")

    def submit(self, token: str, body: Any, key: str = "", message: str = "") -> Answer:
        query = urllib.parse.urlencode({"message": message})
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return self.ask("POST", f"/api/submissions?{query}", body, headers)


def multipart(fields: dict[str, Any], file_name: str = "p.csv") -> tuple[bytes, str]:
    parts = []
    for name, value in fields.items():
        extra = f'; filename="{file_name}"' if isinstance(value, bytes) else ""
        data = value if isinstance(value, bytes) else str(value).encode()
        parts.append(
            f'--border\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode()
            + data
            + b"\r\n"
        )
    return b"".join(parts) + b"--border--\r\n", "multipart/form-data; boundary=border"


@dataclasses.dataclass
class Board:
    """A running server, its database, and its clock."""

    database: Database
    context: Context
    clock: Clock
    port: int

    def browser(self, language: str = "en") -> Browser:
        return Browser(self.port, language)

    def team(self, name: str) -> tuple[Browser, str]:
        """A browser in a team's session, and the team's token."""
        team, token = add_team(self.database, name)
        return self.enter(team), token

    def enter(self, team: int | None) -> Browser:
        """A browser that came in by a link; None: the organiser's."""
        with self.database.writing() as connection:
            code = access.invite(connection, team, self.clock())
        browser = self.browser()
        browser.post(f"/join/{code}")
        return browser


@contextlib.contextmanager
def serve(database: Database, limits: Limits | None = None, url: str = "") -> Iterator[Board]:
    clock = Clock()
    context = Context(database, clock, limits, url)
    config = uvicorn.Config(
        make_app(context),
        host="127.0.0.1",
        port=0,
        http=PatientProtocol,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=16 << 10,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Board(database, context, clock, port)
    finally:
        server.should_exit = True
        thread.join(20)


class Postgres:
    """A cluster of its own, as a user that is not root."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "postgres", "-N")
        options = f"-k {folder} -c listen_addresses= -c max_connections=120"
        self._run(
            *("pg_ctl", "-D", str(folder / "data"), "-w", "-l", str(folder / "log")),
            *("-o", options, "start"),
        )
        self._count = 0

    def _run(self, name: str, *arguments: str) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*user, str(POSTGRES / name), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )

    def new(self) -> str:
        """Make a database; return its URL."""
        self._count += 1
        name = f"board{self._count}"
        base = "postgresql+psycopg://postgres@/"
        engine = sa.create_engine(
            f"{base}postgres?host={self.folder}", isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return f"{base}{name}?host={self.folder}"

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    if not (POSTGRES / "initdb").exists():
        pytest.skip(f"needs PostgreSQL in {POSTGRES}, which is not installed")
    # Not pytest's folder: that is closed to the user who runs the cluster.
    folder = Path(tempfile.mkdtemp(prefix="board"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        cluster = Postgres(folder)
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
