"""The tables, their version, and the migrations from earlier versions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text

from quickdraw.errors import QuickdrawError

Row = sa.Row[tuple[Any, ...]]
"""A row that a query returns; its columns are attributes."""

VERSION = 3

metadata = sa.MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))

# One row: a database holds one competition.
competition = Table(
    "competition",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("metric", Text, nullable=False),  # top1, map3, or draw_off: points of a live final
    Column("solution", Text, ForeignKey("files.sha256")),  # None for a live final
    Column("labels", Text, nullable=False),  # JSON: names of the classes, in label order
    Column("secret", LargeBinary, nullable=False),  # the key that splits ids into halves
    Column("public_percent", Integer, nullable=False),
    Column("public_count", Integer, nullable=False),
    Column("private_count", Integer, nullable=False),
    Column("daily_limit", Integer, nullable=False),
    Column("total_limit", Integer, nullable=False),
    Column("final_choices", Integer, nullable=False),
    Column("ladder", Boolean, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("starts", BigInteger),
    Column("ends", BigInteger),
    Column("revealed", BigInteger),
    Column("data_url", Text, nullable=False),
    Column("description", Text, nullable=False),
)

teams = Table(
    "teams",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("looks", Text, nullable=False, unique=True),  # equal for confusable names
    Column("baseline", Boolean, nullable=False),
    Column("token", Text, unique=True),  # SHA-256 of the team's token
    Column("created", BigInteger, nullable=False),
    Column("disqualified", Text, nullable=False),  # the reason; empty if it takes part
    # What the board shows, denormalised so that it need not be computed from the entries:
    Column("best_shown", Integer),  # right answers, in sixths for MAP@3
    Column("best_at", BigInteger),
    Column("entries", Integer, nullable=False),
    Column("last_at", BigInteger),
    # The result of a live final; None before it, and for teams without a model in it:
    Column("final_tenths", Integer),  # of a point
    Column("final_hits", Integer),
    Column("final_log", Integer),  # millionths of the mean logarithm, which decides a tie
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team", Integer, ForeignKey("teams.id"), nullable=False),
    Column("key", Text, nullable=False),  # idempotency key: a repeated request makes no new entry
    Column("received", BigInteger, nullable=False),
    Column("day", Text, nullable=False),  # by the competition's time zone, for the daily limit
    Column("file", Text, ForeignKey("files.sha256"), nullable=False),
    Column("message", Text, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("chosen", Boolean, nullable=False),
    Column("status", Text, nullable=False),  # queued, scored, refused
    Column("error", Text, nullable=False),
    Column("leased", BigInteger, nullable=False),  # end of a worker's lease
    Column("public_points", BigInteger),
    Column("private_points", BigInteger),
    Column("shown", BigInteger),
    Column("sketch", LargeBinary),  # see probing.py
    Column("nearest", Integer),
    Column("about", Text, nullable=False),  # summary of a model
    sa.UniqueConstraint("team", "key"),
    sa.Index("submissions_of_a_day", "team", "day"),
    sa.Index("submissions_to_score", "status", "id"),
)

files = Table(
    "files",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
)

chunks = Table(
    "chunks",
    metadata,
    Column("file", Text, ForeignKey("files.sha256"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),  # zlib
)

# One-time codes and sessions: only their hashes are stored.
invites = Table(
    "invites",
    metadata,
    Column("code", Text, primary_key=True),
    Column("team", Integer, ForeignKey("teams.id")),  # None: the organiser
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token", Text, primary_key=True),
    Column("team", Integer, ForeignKey("teams.id")),  # None: the organiser
    Column("expires", BigInteger, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
)

# SQLite cannot drop NOT NULL from a column: the table is created again.
_COMPETITION_3 = (
    "ALTER TABLE competition RENAME TO competition_2",
    """
    CREATE TABLE competition (
        id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, metric TEXT NOT NULL,
        solution TEXT REFERENCES files (sha256), labels TEXT NOT NULL, secret BLOB NOT NULL,
        public_percent INTEGER NOT NULL, public_count INTEGER NOT NULL,
        private_count INTEGER NOT NULL, daily_limit INTEGER NOT NULL, total_limit INTEGER NOT NULL,
        final_choices INTEGER NOT NULL, ladder BOOLEAN NOT NULL, time_zone TEXT NOT NULL,
        starts BIGINT, ends BIGINT, revealed BIGINT, data_url TEXT NOT NULL,
        description TEXT NOT NULL
    )
    """,
    """
    INSERT INTO competition SELECT id, name, metric, solution, labels, secret, public_percent,
        public_count, private_count, daily_limit, total_limit, final_choices, ladder, time_zone,
        starts, ends, revealed, data_url, description FROM competition_2
    """,
    "DROP TABLE competition_2",
)

# Migrations from each version to the next: for both databases, or by the name of one.
_MIGRATIONS: dict[int, tuple[str | dict[str, tuple[str, ...]], ...]] = {
    1: (
        "ALTER TABLE submissions ADD COLUMN sketch {blob}",
        "ALTER TABLE submissions ADD COLUMN nearest INTEGER",
        "ALTER TABLE competition ADD COLUMN description TEXT NOT NULL DEFAULT ''",
    ),
    2: (
        {
            "sqlite": _COMPETITION_3,
            "postgresql": ("ALTER TABLE competition ALTER COLUMN solution DROP NOT NULL",),
        },
        "ALTER TABLE teams ADD COLUMN final_tenths INTEGER",
        "ALTER TABLE teams ADD COLUMN final_hits INTEGER",
        "ALTER TABLE teams ADD COLUMN final_log INTEGER",
        "ALTER TABLE submissions ADD COLUMN about TEXT NOT NULL DEFAULT ''",
    ),
}


def bring_up_to_date(connection: sa.Connection) -> None:
    """Create the tables in an empty database; migrate those of an earlier version.

    Raises:
        QuickdrawError: they are of a later version.
    """
    if not sa.inspect(connection).has_table("schema_version"):
        metadata.create_all(connection)
        connection.execute(schema_version.insert().values(version=VERSION))
        return
    found = connection.execute(sa.select(schema_version.c.version)).scalar_one()
    if found > VERSION:
        raise QuickdrawError(
            f"the database has version {found} of the tables, made by a later quickdraw; this one "
            f"knows {VERSION}. Update it"
        )
    kind = connection.dialect.name
    blob = "BYTEA" if kind == "postgresql" else "BLOB"
    for version in range(found, VERSION):
        for step in _MIGRATIONS[version]:
            for statement in (step,) if isinstance(step, str) else step[kind]:
                connection.execute(sa.text(statement.format(blob=blob)))
    if found < VERSION:
        connection.execute(schema_version.update().values(version=VERSION))
