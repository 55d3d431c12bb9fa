"""Export of a competition as csv, safe to open in a spreadsheet; backups of the database."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from quickdraw import storage
from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import competition as competitions
from quickdraw.leaderboard.store import live_final, moments, standings
from quickdraw.leaderboard.store.blobs import open_blob
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.live_final import LivePlace
from quickdraw.leaderboard.store.schema import events, submissions, teams
from quickdraw.leaderboard.store.standings import Standing

_SECRET = {"token", "looks", "sketch", "leased", "key"}


def export(database: Database, output: str, moment: int, with_files: bool) -> int:
    """Write all tables, and perhaps the submissions, to a folder; return the number of files."""
    with database.reading() as connection:
        contest = competitions.loaded(connection)
        boards: dict[str, Sequence[Standing] | Sequence[LivePlace]]
        if contest.live:
            boards = {"board": live_final.places(connection)}
        else:
            boards = {
                "board": standings.public(connection, contest, moment),
                "final": standings.final(connection, contest, moment),
            }
        tables = {
            name: connection.execute(sa.select(table).order_by(table.c.id)).mappings().all()
            for name, table in (("teams", teams), ("submissions", submissions), ("events", events))
        }
    zone, count = contest.time_zone, 0
    for name, rows in boards.items():
        dicts = [vars(row) for row in rows]
        count += _write(os.path.join(output, f"{name}.csv"), dicts, zone)
    for name, found in tables.items():
        count += _write(os.path.join(output, f"{name}.csv"), map(dict, found), zone)
    for row in tables["submissions"] if with_files else ():
        path = os.path.join(output, "submissions", f"{row['id']}.{contest.suffix}")
        with storage.write_whole(path, "wb") as target, open_blob(database, row["file"]) as source:
            shutil.copyfileobj(source, target, 1 << 20)
        count += 1
    return count


def _write(path: str, rows: Iterable[dict[str, Any]], zone: str) -> int:
    times = ("last", "created", "best_at", "last_at", "received", "at")
    with storage.write_whole(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, row in enumerate(rows):
            shown = {key: value for key, value in row.items() if key not in _SECRET}
            if number == 0:
                writer.writerow(shown)
            writer.writerow(
                storage.safe_cell(moments.text(value, zone) if key in times else value)
                for key, value in shown.items()
            )
    return 1


def backup(database: Database, output: str) -> None:
    """Copy an SQLite database to a file while the server runs, whole or not at all.

    Raises:
        QuickdrawError: the database is PostgreSQL: use pg_dump.
    """
    if not database.sqlite:
        raise QuickdrawError("a copy of PostgreSQL is made by pg_dump")
    with storage.staging(os.path.dirname(output) or ".") as folder:
        temporary = os.path.join(folder, f"{os.path.basename(output)}.tmp")
        storage.delete(temporary)
        with database.engine.connect() as connection:  # VACUUM needs no transaction
            driver: Any = connection.connection.driver_connection
            driver.execute("VACUUM INTO ?", (temporary,))
        storage.move(temporary, output)
