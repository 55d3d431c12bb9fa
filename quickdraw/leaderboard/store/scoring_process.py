"""Scoring in separate processes, so that parsing csv never holds the server's GIL.

One process stays and scores the small files. Another is started for large files, so that small ones
do not wait for them, and exits to free its memory when there are no more.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from typing import Literal

import sqlalchemy as sa

from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.schema import files, submissions

LARGE = 8 << 20
"""Bytes from which a file counts as large."""
Sizes = Literal["small", "large", "all"]
_PROGRAM = "quickdraw.leaderboard.store.scoring_worker"
_WAITING = sa.select(submissions.c.id).join(files).where(submissions.c.status == "queued").limit(1)
_LARGE = _WAITING.where(files.c.size > LARGE)


class ScoringProcess:
    """Runs a scoring process whenever there are entries for it.

    Args:
        database: of the competition.
        done: called with the number of each entry that was scored or refused.
        sizes: whether it scores small files, large ones, or all.
    """

    def __init__(self, database: Database, done: Callable[[int], None], sizes: Sizes):
        self._database, self._done, self._sizes = database, done, sizes
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def score(self) -> bool:
        """Run the process until it ends; return whether there was an entry for it."""
        if self._sizes != "small" and not self._is_something_there():
            return False
        command, pipe = [sys.executable, "-m", _PROGRAM, self._sizes], subprocess.PIPE
        # In its own process group: Ctrl-C reaches the server alone, which then stops this one.
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, process_group=0)
        with process:
            assert process.stdin is not None and process.stdout is not None
            # Not as an argument, which other users can see: it may contain a password.
            process.stdin.write(self._database.url.render_as_string(hide_password=False) + "\n")
            process.stdin.flush()
            self._process = process  # `wake` may write to the pipe from now on
            if self._stopped:
                process.terminate()
            for line in process.stdout:
                self._done(int(line))
        self._process = None
        if process.returncode and not self._stopped:
            raise RuntimeError(f"the process that scores ended with {process.returncode}")
        return not self._stopped

    def _is_something_there(self) -> bool:
        with self._database.reading() as connection:
            query = _LARGE if self._sizes == "large" else _WAITING
            return connection.execute(query).first() is not None

    def wake(self) -> None:
        """Wake the process: an entry was queued."""
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):  # the process has ended
                process.stdin.write("\n")
                process.stdin.flush()

    def stop(self) -> None:
        """Kill the process; the entry being scored stays in the queue."""
        self._stopped = True
        if self._process is not None:
            self._process.terminate()
