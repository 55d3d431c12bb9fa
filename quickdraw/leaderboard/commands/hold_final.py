"""Exports the teams' models for a live final, and imports its points into the board.

    python -m quickdraw.leaderboard final --models=handed_in
    python -m quickdraw.draw_off --models=handed_in --host=0.0.0.0
    python -m quickdraw.draw_off --score
    python -m quickdraw.leaderboard final --results=draw_off/standings.csv

For a competition made with --kind=draw_off. The first line writes a new folder: a model of each
team, the one that it chose or else its latest, and their names. The second runs the final, see its
own --help. When that is over and the competition has ended, the last line publishes the results:
models are matched by their content, whatever their names. Running it again replaces the earlier
results. The organiser's page can do both, too. Each takes a second.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
import zipfile
from typing import TYPE_CHECKING

from quickdraw import cli, storage
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.fields import field
from quickdraw.leaderboard.commands.common_flags import OPERATOR, DatabaseFlags

if TYPE_CHECKING:
    from quickdraw.leaderboard.store.database import Database


@dataclasses.dataclass(kw_only=True)
class Flags(DatabaseFlags):
    """The flags of this command."""

    models: str | None = field(None, "A new local folder for the models.", path=True)
    results: str | None = field(None, "The standings.csv of the final, local or gs://.", path=True)


def command(flags: Flags) -> None:
    """Export the models, or import the results."""
    from quickdraw.leaderboard.store.database import Database

    if bool(flags.models) == bool(flags.results):
        raise UsageError("one is needed: --models for a folder, or --results for standings.csv")
    with Database(flags.database) as database:
        if flags.models:
            _write(database, flags.models)
        else:
            _take(database, str(flags.results))


def _write(database: Database, folder: str) -> None:
    from quickdraw.leaderboard.store import live_final

    if storage.is_remote(folder):
        raise UsageError("--models must be a local folder: the final reads it")
    if os.path.exists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        raise QuickdrawError(f"{folder}: it is there already; name a new folder")
    with tempfile.TemporaryFile() as packed:
        count = live_final.write_models(database, packed)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(folder)
    models = f"{count} model{'s' * (count > 1)}"
    print(f"{folder}: {models}; next: python -m quickdraw.draw_off --models={folder}")


def _take(database: Database, path: str) -> None:
    from quickdraw.leaderboard.store import live_final, moments

    with storage.open_binary(path) as file:
        text = file.read().decode("utf-8", "replace")
    count = live_final.take_results(database, text, path, moments.now(), OPERATOR)
    print(f"the points of {count} team{'s' * (count > 1)} are on the board")


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, sys.argv if argv is None else argv)
