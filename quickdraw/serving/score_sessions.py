"""Scores models on the drawings that a server kept: a table, made of its files alone.

    python -m quickdraw.serve score sessions/
    python -m quickdraw.serve score sessions/ --output_file=scores.csv

Counted are drawings with a word, those of the page's game and ten digits. A model has got a word
when it was its first guess twice in a row, the first second aside; `seconds` is the mean time until
then. `first`: nobody had it before. `at the end`: right when the drawing was done. Takes no time.
"""

from __future__ import annotations

import csv
import dataclasses
import sys

from quickdraw import cli, storage
from quickdraw.errors import UsageError
from quickdraw.fields import field
from quickdraw.serving import sessions

_COLUMNS = ("model", "drawings", "guessed", "first", "at the end", "seconds")


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of this command."""

    sessions: str | None = field(None, "The folder that --collect named.", path=True)
    output_file: str | None = field(None, "Also write the table as csv, local or gs://.", path=True)


def command(flags: Flags) -> None:
    """Score the sessions, and print the table."""
    if flags.sessions is None:
        raise UsageError("a folder expected: python -m quickdraw.serve score sessions/")
    rows = [
        (
            one.model,
            one.drawings,
            one.guessed,
            one.first,
            one.right_at_the_end,
            f"{one.seconds:.2f}",
        )
        for one in sessions.score(flags.sessions)
    ]
    print(f"{_COLUMNS[0]:<24}" + "".join(f"{name:>11}" for name in _COLUMNS[1:]))
    for name, *cells in rows:
        print(f"{name:<24}" + "".join(f"{cell:>11}" for cell in cells))
    if flags.output_file:
        with storage.write_whole(flags.output_file, "w") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([_COLUMNS, *rows])


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, cli.first_word_as("sessions", argv or sys.argv))
