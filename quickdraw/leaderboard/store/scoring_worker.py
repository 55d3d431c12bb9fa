"""The program of a scoring process; see `scoring_process`, which starts it.

    python -m quickdraw.leaderboard.store.scoring_worker small|large|all < pipe

The first line of stdin is the database's URL; each later one says that an entry was queued. The
number of each entry that was scored or refused is written to stdout.
"""

from __future__ import annotations

import gc
import os
import sys
import threading

from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.scorer import Scorer

_LARGE_ONLY: dict[str, bool | None] = {"small": False, "large": True, "all": None}
_POLL_SECONDS = 2.0
_NICE = 5  # lower priority than the server


def main(argv: list[str]) -> int:
    """Score until stdin ends; large files, until there are no more."""
    with Database(sys.stdin.readline().strip()) as database:
        wake = threading.Event()
        threading.Thread(target=_listen, args=(wake,), daemon=True).start()
        scorer = Scorer(database, done=lambda number: print(number, flush=True))
        gc.freeze()  # as the server does
        os.nice(_NICE)
        while True:
            wake.clear()
            while scorer.score_next(_LARGE_ONLY[argv[1]]):
                pass
            if argv[1] != "small":
                return 0
            wake.wait(_POLL_SECONDS)


def _listen(wake: threading.Event) -> None:
    """Wake the scorer at each line; stop when the parent closes the pipe."""
    for _ in sys.stdin:
        wake.set()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
