"""Scoring in processes of their own: the server's requests do not wait while Python reads a csv.

One stays and scores the small files. Another one comes for the large files, so that the small ones
do not wait either, and gives its memory back when there are no more.
"""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Literal

import sqlalchemy as sa

from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.schema import files, submissions

LARGE = 8 << 20
"""Bytes of a file from which on it is a large one."""
Sizes = Literal["small", "large", "all"]
LARGE_ONLY: dict[str, bool | None] = {"small": False, "large": True, "all": None}
_POLL_SECONDS = 2.0
_NICE = 5  # pages come first
_WAITING = sa.select(submissions.c.id).join(files).where(submissions.c.status == "queued").limit(1)
_LARGE = _WAITING.where(files.c.size > LARGE)


class ScoringProcess:
    """Starts such a process when there is something for it.

    Args:
        database: of the competition.
        done: is told the number of each entry that is scored or refused.
        sizes: which files it scores.
    """

    def __init__(self, database: Database, done: Callable[[int], None], sizes: Sizes):
        self._database, self._done, self._sizes = database, done, sizes
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def score(self) -> bool:
        """Start the process, and wait until it ends; return whether there was anything for it."""
        if self._sizes != "small" and not self._is_something_there():
            return False
        command, pipe = [sys.executable, "-m", __name__, self._sizes], subprocess.PIPE
        # In a group of its own: Ctrl-C is for the server, which ends this one.
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, process_group=0)
        with process:
            assert process.stdin is not None and process.stdout is not None
            # Not on the command line, which others see: it may hold a password.
            process.stdin.write(self._database.url.render_as_string(hide_password=False) + "\n")
            process.stdin.flush()
            self._process = process  # only now may others write to it
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
        """Wake whatever scores: an entry was queued."""
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):  # it has ended
                process.stdin.write("\n")
                process.stdin.flush()

    def stop(self) -> None:
        """End it; what it has at hand stays in the queue."""
        self._stopped = True
        if self._process is not None:
            self._process.terminate()


def main(argv: list[str]) -> int:
    """Score until told to stop, or large files until there are no more."""
    from quickdraw.leaderboard.store.scorer import Scorer  # which starts this

    database, wake = Database(sys.stdin.readline().strip()), threading.Event()
    threading.Thread(target=_listen, args=(wake,), daemon=True).start()
    scorer = Scorer(database, done=lambda number: print(number, flush=True))
    gc.freeze()  # as the server does
    os.nice(_NICE)
    while True:
        wake.clear()
        while scorer.score_next(LARGE_ONLY[argv[1]]):
            pass
        if argv[1] != "small":
            database.close()
            return 0
        wake.wait(_POLL_SECONDS)


def _listen(wake: threading.Event) -> None:
    """Wake with each line; end where whoever started this is gone."""
    for _ in sys.stdin:
        wake.set()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
