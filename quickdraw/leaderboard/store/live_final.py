"""A live final: the models that take part, and the points from quickdraw.draw_off."""

from __future__ import annotations

import csv
import dataclasses
import io
import shutil
import zipfile
from collections.abc import Iterator
from typing import IO

import sqlalchemy as sa

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store import team_table
from quickdraw.leaderboard.store.blobs import open_blob
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.schema import Row, submissions, teams
from quickdraw.sandbox import entrant_names

_COLUMNS = ("file", "points", "hits", "mean_log_probability")
_NOTHING = {"final_tenths": None, "final_hits": None, "final_log": None}
_MOST_POINTS = 10**8


@dataclasses.dataclass(frozen=True)
class LivePlace:
    """A team of a live final.

    Attributes:
        rank: by points, then by the mean logarithm of the right word's probability; None for a
            baseline, and before the final.
        team: its number.
        name: its name.
        points: of the final; None before it, and for a model that did not take part.
        hits: in how many rounds the model found the word.
        entries: how many models were accepted.
        last: when the latest of them came, in microseconds.
        baseline: whether it has no rank.
    """

    rank: int | None
    team: int
    name: str
    points: float | None
    hits: int | None
    entries: int
    last: int
    baseline: bool


def places(connection: sa.Connection) -> list[LivePlace]:
    """Return the teams with a model, after the final the best first."""
    query = sa.select(teams).where(teams.c.disqualified == "", teams.c.entries > 0)
    rows = connection.execute(query.order_by(teams.c.last_at)).all()
    keys = {row.id: (row.final_tenths, row.final_log) for row in rows}
    there = [row for row in rows if row.final_tenths is not None]
    there.sort(key=lambda row: keys[row.id], reverse=True)
    ranked = [keys[row.id] for row in there if not row.baseline]
    absent = [row for row in rows if row.final_tenths is None]
    return [
        LivePlace(
            None if row.baseline or row.final_tenths is None else 1 + ranked.index(keys[row.id]),
            row.id,
            row.name,
            None if row.final_tenths is None else row.final_tenths / 10,
            row.final_hits,
            row.entries,
            row.last_at,
            row.baseline,
        )
        for row in (*there, *absent)
    ]


def entrants(connection: sa.Connection) -> list[Row]:
    """Return the entry of each team that takes part: the chosen one, or else the latest."""
    query = (
        sa.select(submissions, teams.c.name)
        .join(teams, teams.c.id == submissions.c.team)
        .where(submissions.c.status == "scored", ~submissions.c.late, teams.c.disqualified == "")
        .order_by(submissions.c.id)
    )
    deciding: dict[int, Row] = {}
    for row in connection.execute(query):
        before = deciding.get(row.team)
        if before is None or row.chosen or not before.chosen:
            deciding[row.team] = row
    return list(deciding.values())


def write_models(database: Database, target: IO[bytes]) -> int:
    """Write a zip of the models that take part, with their names, for `draw_off --models`.

    Teams that sent the same file share one model. Returns the number of models.

    Raises:
        QuickdrawError: there are none.
    """
    with database.reading() as connection:
        rows = entrants(connection)
    if not rows:
        raise QuickdrawError("no team has a model yet")
    entered: dict[str, tuple[str, list[str]]] = {}
    for row in rows:
        entered.setdefault(row.file, (f"{row.id}.onnx", []))[1].append(row.name)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file, (name, _) in entered.items():
            with open_blob(database, file) as source, archive.open(name, "w") as member:
                shutil.copyfileobj(source, member, 1 << 20)
        called = {name: " & ".join(whose) for name, whose in entered.values()}
        archive.writestr(entrant_names.FILE, entrant_names.as_json(called))
    return len(entered)


def take_results(database: Database, text: str, where: str, moment: int, who: str) -> int:
    """Store the points of a final, replacing earlier ones; return the number of teams.

    Args:
        database: of the competition.
        text: standings.csv of quickdraw.draw_off.
        where: its name in errors.
        moment: now.
        who: the author of the change, for the audit log.

    Raises:
        QuickdrawError: it is no such file, has no team's model, or the competition goes on.
    """
    found = dict(_rows(text, where))
    with database.writing() as connection:
        contest = competitions.loaded(connection)
        if not contest.live:
            raise QuickdrawError("only a competition made with --kind=draw_off has a live final")
        if not contest.ended(moment):
            raise QuickdrawError("the competition has not ended: end it first")
        rows = [row for row in entrants(connection) if row.file[: entrant_names.DIGITS] in found]
        if not rows:
            raise QuickdrawError(f"{where}: none of these models is a team's of this competition")
        connection.execute(teams.update().values(**_NOTHING))
        for row in rows:
            values = found[row.file[: entrant_names.DIGITS]]
            connection.execute(teams.update().where(teams.c.id == row.team).values(**values))
        competitions.change(connection, revealed=moment)
        team_table.note(connection, moment, who, f"entered the result of {len(rows)} teams")
    return len(rows)


def _rows(text: str, where: str) -> Iterator[tuple[str, dict[str, int]]]:
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise QuickdrawError(
            f"{where}: standings.csv of quickdraw.draw_off expected. It has no column {missing[0]}"
        )
    count = 0
    for count, row in enumerate(rows, 1):
        try:
            points, log = float(row["points"]), float(row["mean_log_probability"])
            hits, file = int(row["hits"]), row["file"]
            has_digits = len(file) == entrant_names.DIGITS
            if not (-20 < log <= 0 and abs(points) < _MOST_POINTS and has_digits):
                raise ValueError
            values = {"final_tenths": round(points * 10), "final_hits": hits}
        except (TypeError, ValueError):
            raise QuickdrawError(f"{where}, line {count + 1}: not a row of standings.csv") from None
        yield file, {**values, "final_log": round(log * 1e6)}
    if not count:
        raise QuickdrawError(f"{where}: no model is in it")
