"""Ends a competition now.

    python -m quickdraw.leaderboard end

Entries that come later are scored and marked late; they do not count. Until `reveal`, the
organiser's page can set another end. Works while the server runs.
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
    """End the competition in the database."""
    from quickdraw.leaderboard.store import moments, steering
    from quickdraw.leaderboard.store.database import Database

    with Database(flags.database) as database:
        steering.end(database, moments.now(), OPERATOR)
    print(f"{database.name}: ended")


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, sys.argv if argv is None else argv)
