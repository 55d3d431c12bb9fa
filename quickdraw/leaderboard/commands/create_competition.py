"""Makes a competition: one SQLite file, or a PostgreSQL database.

    python -m quickdraw.leaderboard create Camp --solution=data/qd10/solution.csv
    python -m quickdraw.leaderboard create Final --kind=draw_off --end='2026-12-05 18:00'

The first word is the name. The solution is `image_id,label`, as `prepare` writes it; the names of
the classes come from the dataset.json or solution.labels.csv beside it, and with them files of
words (`key_id,word`) can be scored, too. It is split into a public part, for the board, and a
private one, for the end, class by class and by a secret key made now, so that nobody can tell which
part an id is in. The solution is copied into the database: the file is no longer needed.

With --kind=draw_off teams enter models in the place of predictions: ONNX files, as quickdraw.export
writes them, each checked in a process of its own. They meet in a live final, see `final --help`,
whose points make the ranking. It needs no solution, and on the server the extra [serve].

Prints the organiser's link, which works once; `teams organiser` makes another one. Takes a second.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from quickdraw import cli, storage
from quickdraw.errors import UsageError
from quickdraw.fields import field
from quickdraw.leaderboard.commands.common_flags import LinkFlags, check_final_can_be_held, link

if TYPE_CHECKING:
    from quickdraw.leaderboard.store.competition import Terms
    from quickdraw.leaderboard.store.database import Database


@dataclasses.dataclass(kw_only=True)
class Flags(LinkFlags):
    """The flags of this command."""

    name: str | None = field(None, "What the competition is called: the first word.")
    kind: Literal["predictions", "draw_off"] = field(
        "predictions", "What teams enter: predictions, or for draw_off models."
    )
    solution: str | None = field(None, "The right answers: image_id,label.", path=True)
    metric: Literal["top1", "map3"] = field("top1", "What counts: top1 or map3.")
    public: int = field(30, "Per cent of the drawings that make the score on the board.", 1, 99)
    daily_limit: int = field(10, "Entries a team may send a day.", 1)
    total_limit: int = field(100, "Entries a team may send in all.", 1)
    final_choices: int = field(2, "Entries a team may choose for the end.", 1)
    ladder: bool = field(
        False,
        "Show a score only when it is better by two steps (the Ladder mechanism), so that small "
        "changes tell nothing of the public drawings.",
    )
    time_zone: str = field("UTC", "By which days and times are meant, such as Asia/Seoul.")
    start: str | None = field(None, "When it begins: '2026-12-01 09:00'. Without: now.")
    end: str | None = field(None, "When it ends: '2026-12-05 18:00'. Without: by `end`.")
    data_url: str = field("", "Where teams find the records: https:// or gs://.")
    description: str = field("", "A sentence for the first page.")


def command(flags: Flags) -> None:
    """Make the competition and print the organiser's link."""
    from quickdraw.leaderboard.store import access, moments

    _check(flags)
    make = _create_live if flags.kind == "draw_off" else _create
    with make(flags) as (database, said), database.writing() as connection:
        code = access.invite(connection, None, moments.now())
    print(said)
    which = "" if flags.database == Flags().database else f" --database={flags.database}"
    print(f"in {database.name}; next: python -m quickdraw.leaderboard serve{which}")
    print(f"the organiser's page, a link that works once: {link(flags.url, code)}")


def _check(flags: Flags) -> None:
    if flags.kind == "predictions":
        if not flags.name or not flags.solution:
            raise UsageError("a name, as the first word, and --solution are needed")
        return
    if not flags.name:
        raise UsageError("a name, as the first word, is needed")
    usual = Flags()
    for name in ("solution", "metric", "public", "final_choices", "ladder"):
        if getattr(flags, name) != getattr(usual, name):
            raise UsageError(f"--{name} is for --kind=predictions")
    check_final_can_be_held()


@contextlib.contextmanager
def _create(flags: Flags) -> Iterator[tuple[Database, str]]:
    from quickdraw.evaluation.scoring import names_beside
    from quickdraw.leaderboard.store import competition
    from quickdraw.leaderboard.store.database import Database

    names, settings = names_beside(str(flags.solution)), _settings(flags)
    solution = storage.open_binary(str(flags.solution))
    with solution as file, Database(flags.database, create=True) as database:
        made = competition.create(database, file, str(flags.name), names, settings)
        told = f"{made.public_count:,} drawings public, {made.private_count:,} private"
        yield database, f"{made.name}: {told}"


@contextlib.contextmanager
def _create_live(flags: Flags) -> Iterator[tuple[Database, str]]:
    from quickdraw.leaderboard.store import competition
    from quickdraw.leaderboard.store.database import Database

    settings: Terms = {**_settings(flags), "metric": "draw_off", "final_choices": 1}
    with Database(flags.database, create=True) as database:
        made = competition.create_live(database, str(flags.name), settings)
        yield database, f"{made.name}: for models, which meet in a live final"


def _settings(flags: Flags) -> Terms:
    from quickdraw.leaderboard.store import moments

    zone = flags.time_zone
    return {
        "metric": flags.metric,
        "public_percent": flags.public,
        "daily_limit": flags.daily_limit,
        "total_limit": flags.total_limit,
        "final_choices": flags.final_choices,
        "ladder": flags.ladder,
        "time_zone": zone,
        "starts": moments.parse(flags.start, zone) if flags.start else None,
        "ends": moments.parse(flags.end, zone) if flags.end else None,
        "data_url": flags.data_url,
        "description": flags.description,
    }


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, cli.first_word_as("name", sys.argv if argv is None else argv))
