"""Writes everything of a competition as csv, and the files that teams sent.

    python -m quickdraw.leaderboard export --output=results

The folder gets board.csv and final.csv (the public and the private ranking), teams.csv,
submissions.csv, events.csv (the log), and submissions/NUMBER.csv. It is for the organiser: it has
the private scores before they are revealed. No token, code or session is in it, and a cell that a
spreadsheet would take for a formula is quoted. --nofiles leaves the submissions out.
"""

from __future__ import annotations

import dataclasses
import sys

from quickdraw import cli
from quickdraw.errors import UsageError
from quickdraw.fields import field
from quickdraw.leaderboard.commands.common_flags import DatabaseFlags


@dataclasses.dataclass(kw_only=True)
class Flags(DatabaseFlags):
    """The flags of this command."""

    output: str | None = field(None, "The folder for the files, local or gs://.", path=True)
    files: bool = field(True, "Write what teams sent, too.")


def command(flags: Flags) -> None:
    """Export the competition to --output."""
    from quickdraw.leaderboard.store import csv_export as exporting
    from quickdraw.leaderboard.store import moments
    from quickdraw.leaderboard.store.database import Database

    if not flags.output:
        raise UsageError("--output is needed: a folder")
    with Database(flags.database) as database:
        count = exporting.export(database, flags.output, moments.now(), flags.files)
    print(f"{flags.output}: {count:,} files")


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, sys.argv if argv is None else argv)
