"""The competition: its settings, how it is created, read and changed."""

from __future__ import annotations

import dataclasses
import json
import secrets
from typing import BinaryIO, Literal, TypedDict

import numpy as np
import sqlalchemy as sa

from quickdraw.errors import QuickdrawError
from quickdraw.evaluation.solution import Solution
from quickdraw.leaderboard.store import moments, schema
from quickdraw.leaderboard.store.blobs import Packed, open_blob
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.halves import halves

_SECRET_BYTES = 32
_STEPS = (1000, 500, 200, 100, 50, 20, 10)
"""Possible resolutions of public scores: from a thousandth to a tenth."""
_LADDER = 2
"""With the Ladder, the steps by which an entry must be better to be shown."""
POINTS = {"top1": 1, "map3": 6}
_ALL = sa.select(schema.competition)


Metric = Literal["top1", "map3", "draw_off"]


class Terms(TypedDict):
    """The columns of `schema.competition` that the organiser chooses; moments are microseconds."""

    metric: Metric
    public_percent: int
    daily_limit: int
    total_limit: int
    final_choices: int
    ladder: bool
    time_zone: str
    starts: int | None
    ends: int | None
    data_url: str
    description: str


@dataclasses.dataclass(frozen=True)
class Competition:
    """The row of `schema.competition`; moments are microseconds since 1970."""

    name: str
    metric: Metric
    solution: str | None
    labels: list[str]
    secret: bytes = dataclasses.field(repr=False)
    public_percent: int
    public_count: int
    private_count: int
    daily_limit: int
    total_limit: int
    final_choices: int
    ladder: bool
    time_zone: str
    starts: int | None
    ends: int | None
    revealed: int | None
    data_url: str
    description: str

    @property
    def metric_name(self) -> str:
        """The metric as people write it."""
        return {"top1": "top-1", "map3": "MAP@3", "draw_off": "points"}[self.metric]

    @property
    def live(self) -> bool:
        """Whether teams enter models, for a live final, instead of predictions."""
        return self.metric == "draw_off"

    @property
    def suffix(self) -> str:
        """The suffix of the files that teams send."""
        return "onnx" if self.live else "csv"

    @property
    def steps(self) -> int:
        """How many steps a public score is rounded down to: none is smaller than one drawing."""
        return next((each for each in _STEPS if each <= self.public_count), _STEPS[-1])

    def shown(self, public_points: int, best: int | None) -> int:
        """Return the step that the board shows for an entry.

        With the Ladder (Blum and Hardt 2015, "The Ladder: a reliable leaderboard for machine
        learning competitions", arXiv 1502.04585, section 3) an entry shows the team's best again
        unless it is better by more than a threshold, so that small changes reveal nothing.

        Args:
            public_points: right answers in the public half, in sixths for MAP@3.
            best: the step of the team's best earlier entry; None for its first.
        """
        step = public_points * self.steps // (self.public_count * POINTS[self.metric])
        if self.ladder and best is not None and step < best + _LADDER:
            return best
        return step

    def started(self, moment: int) -> bool:
        return self.starts is None or moment >= self.starts

    def ended(self, moment: int) -> bool:
        return self.ends is not None and moment >= self.ends


def create(
    database: Database, solution: BinaryIO, name: str, labels: list[str], settings: Terms
) -> Competition:
    """Create the competition in an empty database.

    Args:
        database: an empty one.
        solution: a csv `image_id,label`, open for reading bytes; seekable.
        name: what the competition is called.
        labels: names of the classes, in label order; words can be scored only with them.
        settings: what the organiser chooses.

    Raises:
        QuickdrawError: the database has a competition, the solution is invalid, or a half of it
            would be empty.
    """
    _check(settings, labels)
    right = Solution(solution, "the solution")
    if labels and int(right.labels.max()) >= len(labels):
        raise QuickdrawError(
            f"the solution has the label {int(right.labels.max())}, and there are {len(labels)} "
            "names of classes"
        )
    solution.seek(0)
    secret = secrets.token_bytes(_SECRET_BYTES)
    with Packed(solution) as packed, database.writing() as connection:
        _check_empty(connection, database)
        packed.save(connection)
    public = halves(database, packed.sha256, right, settings["public_percent"], secret)
    counts = {"public_count": int(public.sum()), "private_count": int((~public).sum())}
    if not all(counts.values()):
        raise QuickdrawError(
            f"{len(right)} drawings cannot be split: {counts['public_count']} would be public, "
            f"{counts['private_count']} private"
        )
    return _made(
        database, name, labels, solution=packed.sha256, secret=secret, **counts, **settings
    )


def create_live(database: Database, name: str, settings: Terms) -> Competition:
    """Make the competition of an empty database, for models that meet in a live final.

    Args:
        database: an empty one.
        name: what the competition is called.
        settings: as for `create`.

    Raises:
        QuickdrawError: the database has a competition.
    """
    _check(settings, [])
    none = {"solution": None, "secret": b"", "public_count": 0, "private_count": 0}
    return _made(database, name, [], **none, **settings)


def _made(database: Database, name: str, labels: list[str], **values: object) -> Competition:
    values |= {"id": 1, "name": name, "revealed": None}
    with database.writing() as connection:
        _check_empty(connection, database)
        connection.execute(
            schema.competition.insert().values(
                **values, labels=json.dumps(labels, ensure_ascii=False)
            )
        )
    return load(database)


def _check_empty(connection: sa.Connection, database: Database) -> None:
    if connection.execute(sa.select(schema.competition.c.id)).first():
        raise QuickdrawError(f"{database.name}: a competition is there; take another database")


def _check(settings: Terms, labels: list[str]) -> None:
    moments.zone(settings["time_zone"])
    starts, ends = settings["starts"], settings["ends"]
    if starts is not None and ends is not None and starts >= ends:
        raise QuickdrawError("the end must come after the start")
    if settings["metric"] == "map3" and not labels:
        raise QuickdrawError(
            "MAP@3 needs the names of the classes: a dataset.json or solution.labels.csv beside "
            "the solution"
        )


def load(database: Database) -> Competition:
    """Return the current competition.

    Raises:
        QuickdrawError: there is none.
    """
    with database.reading() as connection:
        return loaded(connection)


def loaded(connection: sa.Connection) -> Competition:
    """Return the competition within a transaction."""
    row = connection.execute(_ALL).mappings().first()
    if row is None:
        raise QuickdrawError("this database holds no competition. `create` makes one")
    values = {key: value for key, value in row.items() if key != "id"}
    return Competition(**{**values, "labels": json.loads(row["labels"])})


def change(connection: sa.Connection, **values: object) -> None:
    """Change settings of the competition."""
    connection.execute(schema.competition.update().values(**values))


def read_solution(database: Database, competition: Competition) -> tuple[Solution, np.ndarray]:
    """Return the right answers, and which of them are public, bool `[drawings]`."""
    assert competition.solution is not None
    with open_blob(database, competition.solution) as file:
        right = Solution(file, "the solution")
    public = halves(
        database, competition.solution, right, competition.public_percent, competition.secret
    )
    return right, public
