"""Reveals the private ranking to everybody, for good.

    python -m quickdraw.leaderboard reveal

The board then shows the scores by the private drawings, how many answers were right, and how ranks
moved against the public board. A team counts with the best private score among the entries that it
chose, or among its best public ones. The competition must have ended. Works while the server runs.
"""

from __future__ import annotations

import dataclasses
import sys

from quickdraw import cli
from quickdraw.leaderboard.commands.common_flags import OPERATOR, DatabaseFlags


@dataclasses.dataclass(kw_only=True)
class Flags(DatabaseFlags):
    """The flags of this command."""


def command(flags: Flags) -> None:
    """Reveal the private ranking in the database."""
    from quickdraw.leaderboard.store import moments, steering
    from quickdraw.leaderboard.store.database import Database

    with Database(flags.database) as database:
        steering.reveal(database, moments.now(), OPERATOR)
    print(f"{database.name}: revealed")


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, sys.argv if argv is None else argv)
