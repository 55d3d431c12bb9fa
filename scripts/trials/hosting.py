"""A competition of made-up drawings, and its server, started as an organiser starts it."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from typing import Any

import numpy as np

from quickdraw.leaderboard.store import access, competition, moments, team_table
from quickdraw.leaderboard.store.database import Database

CLASSES = 10
_START_SECONDS = 30.0


def make(url: str, lines: int, teams: int, limit: int) -> tuple[Database, list[str], list[str]]:
    """A competition in an empty database; returns it, the ids of the drawings, a token a team."""
    database = Database(url, create=True)
    ids = [f"{secrets.randbits(52) | 1 << 52}" for _ in range(lines)]
    settings: dict[str, Any] = {
        "metric": "top1",
        "public_percent": 30,
        "daily_limit": limit,
        "total_limit": 10 * limit,
        "final_choices": 2,
        "ladder": False,
        "time_zone": "Asia/Seoul",
        "starts": None,
        "ends": None,
        "data_url": "",
        "description": "Nobody drew these.",
    }
    labels = [f"class {number}" for number in range(CLASSES)]
    solution = io.BytesIO(table(ids, np.arange(lines) % CLASSES))
    competition.create(database, solution, "Trial", labels, settings)
    tokens, moment = [], moments.now()
    with database.writing() as connection:
        for number in range(teams):
            team = team_table.add(connection, f"Group {number:04}", moment)
            tokens.append(access.new_token(connection, team))
    return database, ids, tokens


def table(ids: list[str], labels: np.ndarray) -> bytes:
    """The csv of some labels."""
    rows = [f"{image_id},{label}\n" for image_id, label in zip(ids, labels.tolist(), strict=True)]
    return "".join(["image_id,label\n", *rows]).encode()


def _peak(pid: int) -> float:
    """The most memory that a process had so far, in MB; 0 where it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            lines = [line for line in file if line.startswith("VmHWM")]
    except OSError:
        return 0.0
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


class Server:
    """`python -m quickdraw.leaderboard serve`, which can be killed."""

    def __init__(self, url: str, log: str, *flags: str):
        self.url, self.log, self._flags = url, log, flags
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "quickdraw.leaderboard", "serve", "--host=127.0.0.1"]
        # All come from one address; a real crowd does not.
        flags = [f"--database={self.url}", f"--port={self.port}", "--address_limit=1000000"]
        with open(self.log, "ab") as log:
            everything = [*command, *flags, *self._flags]
            self._process = subprocess.Popen(everything, stdout=log, stderr=log)
        end = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the server did not start, see {self.log}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """Kill it, as a power cut would: nothing of it runs any more."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    def memory(self) -> float:
        """Its peak so far, in MB."""
        assert self._process is not None
        return _peak(self._process.pid)

    def memory_beside(self) -> float:
        """The peak so far of the largest process that it started, in MB; 0 without one."""
        assert self._process is not None
        pid = self._process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            own = set(file.read().split())
        for task in os.listdir(f"/proc/{pid}/task"):  # whichever thread started it
            path = f"/proc/{pid}/task/{task}/children"
            with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
                own |= set(file.read().split())
        return max((_peak(int(child)) for child in own), default=0.0)

    def seconds(self) -> float:
        """Its time on the processor so far."""
        assert self._process is not None
        with open(f"/proc/{self._process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
