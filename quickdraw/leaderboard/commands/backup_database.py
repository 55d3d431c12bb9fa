"""Copies the database of a competition to a file, while the server runs.

    python -m quickdraw.leaderboard backup --output=gs://my-bucket/backups/camp.db

The copy is one SQLite file, complete at one moment (VACUUM INTO), with all submissions and the
solution: keep it as secret as the original. `serve --database=FILE` serves the copy.
PostgreSQL has pg_dump for this.
"""

from __future__ import annotations

import dataclasses
import sys

from quickdraw import cli, storage
from quickdraw.errors import UsageError
from quickdraw.fields import field
from quickdraw.leaderboard.commands.common_flags import DatabaseFlags


@dataclasses.dataclass(kw_only=True)
class Flags(DatabaseFlags):
    """The flags of this command."""

    output: str | None = field(None, "The file to write, local or gs://.", path=True)


def command(flags: Flags) -> None:
    """Copy the database to --output."""
    from quickdraw.leaderboard.store.csv_export import backup
    from quickdraw.leaderboard.store.database import Database

    if not flags.output:
        raise UsageError("--output is needed: a file")
    with Database(flags.database) as database:
        backup(database, flags.output)
    print(f"{flags.output}: {storage.file_size(flags.output):,} bytes")


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, sys.argv if argv is None else argv)
