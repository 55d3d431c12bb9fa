"""The boards: the public one while the competition runs, the private one once revealed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from quickdraw.leaderboard.store import moments
from quickdraw.leaderboard.store.competition import POINTS, Competition
from quickdraw.leaderboard.store.schema import Row, submissions, teams

_CURVES = 8
Curve = tuple[str, list[tuple[int, float]]]
"""A team's name and its best public scores over time: (moment in microseconds, 0…1)."""


@dataclasses.dataclass(frozen=True)
class Standing:
    """A team on a board.

    Attributes:
        rank: counted from 1, the same for equal scores; None for a baseline.
        team: its number.
        name: its name.
        score: 0…1.
        entries: how many were scored.
        last: when the latest of them came, in microseconds.
        moved: ranks won since yesterday, or by the reveal; None where there was no rank.
        public_score: as the public board shows it, 0…1.
        right: right answers on the revealed board, fractional for MAP@3; None before.
    """

    rank: int | None
    team: int
    name: str
    score: float
    entries: int
    last: int | None
    moved: int | None
    public_score: float
    right: float | None = None

    @property
    def baseline(self) -> bool:
        return self.rank is None


def public(connection: sa.Connection, contest: Competition, moment: int) -> list[Standing]:
    """Return the public board: the best first, ties by the earlier entry."""
    rows = _taking_part(connection)
    before = _yesterday(connection, contest, moment)
    order = sorted(rows, key=lambda row: (-row.best_shown, row.best_at, row.id))
    ranks = _ranks([(row.id, row.best_shown) for row in order if not row.baseline])
    return [
        Standing(
            ranks.get(row.id),
            row.id,
            row.name,
            row.best_shown / contest.steps,
            row.entries,
            row.last_at,
            before[row.id] - ranks[row.id] if row.id in before and row.id in ranks else None,
            row.best_shown / contest.steps,
        )
        for row in order
    ]


def _taking_part(connection: sa.Connection) -> Sequence[Row]:
    query = sa.select(teams).where(teams.c.disqualified == "", teams.c.best_shown.is_not(None))
    return connection.execute(query).all()


def _ranks(scores: list[tuple[int, int]]) -> dict[int, int]:
    """Return the rank of each team of a sorted list: equal scores share a rank."""
    ranks: dict[int, int] = {}
    rank, last = 0, None
    for place, (team, score) in enumerate(scores, 1):
        rank, last = (rank if score == last else place), score
        ranks[team] = rank
    return ranks


def _yesterday(connection: sa.Connection, contest: Competition, moment: int) -> dict[int, int]:
    """Return the ranks at the latest midnight in the competition's time zone."""
    best = sa.func.max(submissions.c.shown)
    query = (
        sa.select(submissions.c.team, best)
        .join(teams, teams.c.id == submissions.c.team)
        .where(
            submissions.c.received < moments.day_start(moment, contest.time_zone),
            submissions.c.status == "scored",
            ~submissions.c.late,
            ~teams.c.baseline,
            teams.c.disqualified == "",
        )
        .group_by(submissions.c.team)
        .order_by(best.desc())
    )
    return _ranks([(row[0], row[1]) for row in connection.execute(query)])


def final(connection: sa.Connection, contest: Competition, moment: int) -> list[Standing]:
    """Return the private board: exact counts, and how ranks moved against the public one.

    A team gets its best private score among the entries that it chose or, if it chose none, among
    as many of its entries with the best public scores.
    """
    counted = _counted(connection, contest)
    before = public(connection, contest, moment)
    total = contest.private_count * POINTS[contest.metric]
    by_team = {row.team: row for row in before}
    order = sorted(
        (entry for team, entry in counted.items() if team in by_team),
        key=lambda entry: (-entry.private_points, entry.received, entry.id),
    )
    ranked = [entry for entry in order if not by_team[entry.team].baseline]
    ranks = _ranks([(entry.team, entry.private_points) for entry in ranked])
    return [
        dataclasses.replace(
            by_team[entry.team],
            rank=ranks.get(entry.team),
            score=entry.private_points / total,
            moved=(by_team[entry.team].rank or 0) - ranks[entry.team]
            if entry.team in ranks
            else None,
            right=entry.private_points / POINTS[contest.metric],
        )
        for entry in order
    ]


def _counted(connection: sa.Connection, contest: Competition) -> dict[int, Row]:
    """Return the entry of each team that counts for the private board."""
    query = sa.select(submissions).where(submissions.c.status == "scored", ~submissions.c.late)
    entries: dict[int, list[Row]] = {}
    for row in connection.execute(query):
        entries.setdefault(row.team, []).append(row)
    return {team: _deciding(rows, contest.final_choices) for team, rows in entries.items()}


def _deciding(rows: list[Row], choices: int) -> Row:
    chosen = [row for row in rows if row.chosen]
    if not chosen:
        chosen = sorted(rows, key=lambda row: (-row.shown, row.received, row.id))[:choices]
    return min(chosen, key=lambda row: (-row.private_points, row.received, row.id))


def curves(connection: sa.Connection, contest: Competition, board: list[Standing]) -> list[Curve]:
    """Return the best public scores over time of the leading teams."""
    first = [row for row in board if not row.baseline][:_CURVES]
    query = (
        sa.select(submissions.c.team, submissions.c.received, submissions.c.shown)
        .where(
            submissions.c.team.in_([row.team for row in first]),
            submissions.c.status == "scored",
            ~submissions.c.late,
        )
        .order_by(submissions.c.received, submissions.c.id)
    )
    points: dict[int, list[tuple[int, float]]] = {row.team: [] for row in first}
    for team, received, shown in connection.execute(query):
        if not points[team] or shown / contest.steps > points[team][-1][1]:
            points[team].append((received, shown / contest.steps))
    return [(row.name, points[row.team]) for row in first]
