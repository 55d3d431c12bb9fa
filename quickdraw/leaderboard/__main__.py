"""A competition that you run yourself: same records for all, the best predictions.csv wins.

    python -m quickdraw.leaderboard demo
    python -m quickdraw.leaderboard create Camp --solution=data/qd10/solution.csv
    python -m quickdraw.leaderboard serve

The first word says what to do; `python -m quickdraw.leaderboard WORD --help` is its manual:

    create  serve  demo                  make a competition, run its server, try it all
    teams   end    reveal  final         manage teams; end; private ranking; a live final
    export  backup                       everything as csv; a copy of the database
    submit  board                        for teams: send predictions, see the board

Needs no TensorFlow. For the server: pip install 'quickdraw[leaderboard]'. See
docs/en/leaderboard.md.
"""

from __future__ import annotations

import importlib
import sys

from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.extras import needs
from quickdraw.leaderboard.commands import MODULES

_PROGRAM = "python -m quickdraw.leaderboard"


def main(argv: list[str] | None = None) -> int:
    """Run the command that the first word names; return its exit code."""
    words = (sys.argv if argv is None else argv)[1:]
    if not words or words[0] in ("--help", "-h"):
        print(__doc__.strip())
        return 0 if words else 2
    if words[0] not in MODULES:
        print(
            f"{_PROGRAM}: no command {words[0]!r}{did_you_mean(words[0], MODULES)}", file=sys.stderr
        )
        return 2
    try:
        with needs("leaderboard"):
            module = importlib.import_module(f"quickdraw.leaderboard.commands.{MODULES[words[0]]}")
            return module.main([f"{_PROGRAM} {words[0]}", *words[1:]])
    except QuickdrawError as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
