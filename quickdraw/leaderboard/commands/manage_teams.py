"""Adds, lists and removes the teams of a competition.

    python -m quickdraw.leaderboard teams add "Rabbits"
    python -m quickdraw.leaderboard teams import class.csv > links.csv
    python -m quickdraw.leaderboard teams list
    python -m quickdraw.leaderboard teams link "Rabbits"
    python -m quickdraw.leaderboard teams remove "Rabbits"
    python -m quickdraw.leaderboard teams add CnnModel --baseline --predictions=predictions.csv
    python -m quickdraw.leaderboard teams organiser

`add`, `import` and `link` print a link for each team, for one person, which works once within 30
days; a member can make links for others. `import` reads the column `team` of a csv, or the first
one, and adds all or none. A baseline is shown on the board without a rank; its predictions are
scored at once. `remove` is for teams that have sent nothing; the organiser's page disqualifies the
others. `organiser` prints a link to the organiser's page. All work while the server runs.
"""

from __future__ import annotations

import csv
import dataclasses
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from quickdraw import cli, storage
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.fields import field
from quickdraw.leaderboard.commands.common_flags import OPERATOR, LinkFlags, link

if TYPE_CHECKING:
    from quickdraw.leaderboard.store.database import Database

_NEED = "a name is needed behind the first word, or for import a file"


@dataclasses.dataclass(kw_only=True)
class Flags(LinkFlags):
    """The flags of this command."""

    action: Literal["add", "import", "list", "link", "remove", "organiser"] | None = field(
        None, "add, import, list, link, remove or organiser: the first word."
    )
    what: str | None = field(None, "The team, or the file to import: the second word.")
    baseline: bool = field(False, "Show the team on the board without a rank.")
    predictions: str | None = field(None, "A baseline's predictions file, scored now.", path=True)


def command(flags: Flags) -> None:
    """Run the action that the first word names."""
    from quickdraw.leaderboard.store.database import Database

    if not flags.action:
        raise UsageError(
            "the first word says what to do: add, import, list, link, remove or organiser"
        )
    if flags.action not in ("list", "organiser") and not flags.what:
        raise UsageError(_NEED)
    with Database(flags.database) as database:
        _act(database, flags)


def _act(database: Database, flags: Flags) -> None:
    from quickdraw.leaderboard.store import access, moments, team_table

    moment = moments.now()
    if flags.action == "list":
        with database.reading() as connection:
            rows = [(t.name, t.entries, t.disqualified) for t in team_table.listed(connection)]
        _print([("team", "entries", "disqualified"), *rows])
    elif flags.action in ("add", "import"):
        _print([("team", "link"), *_add(database, flags, moment)])
    elif flags.action == "remove":
        _remove(database, str(flags.what), moment)
    else:
        with database.writing() as connection:
            team = team_table.named(connection, str(flags.what)).id if flags.what else None
            code = access.invite(connection, team, moment)
            whose = flags.what or "the organiser"
            team_table.note(connection, moment, OPERATOR, f"made a link for {whose}")
        print(link(flags.url, code))


def _print(rows: Iterable[tuple[object, ...]]) -> None:
    csv.writer(sys.stdout, lineterminator="\n").writerows(
        [storage.safe_cell(cell) for cell in row] for row in rows
    )


def _add(database: Database, flags: Flags, moment: int) -> list[tuple[str, str]]:
    from quickdraw.leaderboard.store import steering, team_table

    names = [str(flags.what)]
    if flags.action == "import":
        with storage.open_binary(str(flags.what)) as file:
            try:
                text = file.read().decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise QuickdrawError(f"{flags.what}: not a UTF-8 text file ({error})") from None
        names = team_table.names_in(text, str(flags.what))
    if flags.predictions and (not flags.baseline or len(names) > 1):
        raise UsageError("--predictions is for one team with --baseline")
    made = steering.add_teams(database, names, moment, OPERATOR, flags.baseline)
    if flags.predictions:
        _send(database, names[0], flags.predictions, moment)
    return [(name, link(flags.url, code)) for name, code in made]


def _send(database: Database, name: str, path: str, moment: int) -> None:
    from quickdraw.leaderboard.store import entry_table as entries
    from quickdraw.leaderboard.store import team_table
    from quickdraw.leaderboard.store.blobs import Packed
    from quickdraw.leaderboard.store.scorer import Scorer

    with database.reading() as connection:
        team = team_table.named(connection, name).id
    with storage.open_binary(path) as file, Packed(file) as packed:
        number = entries.accept(database, team, packed, packed.sha256, path, moment)
    scorer = Scorer(database)
    while scorer.score_next():
        pass
    with database.reading() as connection:
        row = entries.of_number(connection, number, team)
    if row.status == "refused":
        raise QuickdrawError(f"{path}: {row.error}")


def _remove(database: Database, name: str, moment: int) -> None:
    from quickdraw.leaderboard.store import steering, team_table

    with database.reading() as connection:
        team = team_table.named(connection, name)
    steering.remove(database, team.id, moment, OPERATOR)
    print(f"{team.name}: removed")


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    argv = cli.first_word_as("action", sys.argv if argv is None else argv)
    if len(argv) > 2:  # the word behind the first
        argv = [*argv[:2], *cli.first_word_as("what", argv[1:])[1:]]
    return cli.run(Flags, command, argv)
