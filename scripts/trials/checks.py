"""Whether a database holds what was acknowledged, no more, and the right scores."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import numpy as np
import sqlalchemy as sa
from sklearn.metrics import accuracy_score

from quickdraw.leaderboard.store import competition, moments, standings
from quickdraw.leaderboard.store.blobs import open_blob
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.schema import chunks, files, submissions
from trials.crowd import Sending


def wait_until_scored(database: Database, seconds: float = 60.0) -> None:
    """Wait until nothing is in the queue."""
    end = time.monotonic() + seconds
    while queued(database):
        if time.monotonic() > end:
            raise RuntimeError(f"{queued(database)} entries were not scored in {seconds:.0f} s")
        time.sleep(0.1)


def queued(database: Database) -> int:
    """How many entries are in the queue."""
    query = sa.select(sa.func.count()).where(submissions.c.status == "queued")
    with database.reading() as connection:
        return int(connection.execute(query).scalar_one())


def wrong(database: Database, sendings: list[Sending], limit: int) -> list[str]:
    """What is wrong: lost, doubled, half, over the limit, scored otherwise than by scikit-learn."""
    with database.reading() as connection:
        rows = {(row.team, row.key): row for row in connection.execute(sa.select(submissions))}
        count = connection.execute(sa.select(sa.func.count()).select_from(submissions)).scalar()
    contest = competition.load(database)
    right, public = competition.read_solution(database, contest)
    found = [] if count == len(rows) else ["a key has two entries"]
    for sending in sendings:
        row = rows.get((sending.team + 1, sending.key))
        if row is None:
            found += [f"lost: {sending.key}"] if sending.acknowledged else []
            continue
        if sending.acknowledged and row.id != sending.number:
            found.append(f"another number: {sending.key}")
        found += _score(row, sending, right.labels, public)
    found += _limits(list(rows.values()), limit) + _files(database) + _board(database, rows)
    if database.sqlite:
        with database.reading() as connection:
            told = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        found += [] if told == "ok" else [f"integrity: {told}"]
    return found


def _score(row: Any, sending: Sending, right: np.ndarray, public: np.ndarray) -> list[str]:
    if sending.labels is None:
        return [] if row.status == "refused" else [f"{sending.key}: {row.status}, not refused"]
    counts = [
        accuracy_score(right[half], sending.labels[half], normalize=False)
        for half in (public, ~public)
    ]
    good = [row.public_points, row.private_points] == [int(each) for each in counts]
    return [] if good else [f"{sending.key}: {row.status}, not as scikit-learn counts"]


def _limits(rows: list[Any], limit: int) -> list[str]:
    used: dict[tuple[int, str], int] = {}
    for row in rows:
        if row.status != "refused":
            used[row.team, row.day] = used.get((row.team, row.day), 0) + 1
    return [f"team {team}: {count} entries" for (team, _), count in used.items() if count > limit]


def _files(database: Database) -> list[str]:
    """Every file is whole: its content has the hash that is its name."""
    with database.reading() as connection:
        names = connection.execute(sa.select(files.c.sha256, files.c.size)).all()
        pieces = set(connection.execute(sa.select(chunks.c.file).distinct()).scalars())
    found = ["a piece without a file"] if pieces - {row.sha256 for row in names} else []
    for name, size in names:
        content = open_blob(database, name).read()
        if hashlib.sha256(content).hexdigest() != name or len(content) != size:
            found.append(f"half a file: {name}")
    return found


def _board(database: Database, rows: dict[Any, Any]) -> list[str]:
    """The board shows the best of each team, and counts each entry once."""
    best: dict[int, tuple[int, int]] = {}
    for row in rows.values():
        if row.status == "scored":
            shown, count = best.get(row.team, (0, 0))
            best[row.team] = (max(shown, row.shown), count + 1)
    with database.reading() as connection:
        contest = competition.loaded(connection)
        board = standings.public(connection, contest, moments.now())
    shown_now = {row.team: (round(row.score * contest.steps), row.entries) for row in board}
    return [] if shown_now == best else ["the board is not what the entries say"]
