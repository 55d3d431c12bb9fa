"""Opening a database: SQLite for one machine, PostgreSQL for more, and one way to write to both."""

from __future__ import annotations

import contextlib
import math
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa

from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.extras import needs
from quickdraw.leaderboard.store import schema

if TYPE_CHECKING:
    import sqlite3

    import psycopg

_BUSY_SECONDS = 20
_NETWORK = ("nfs", "cifs", "smb", "fuse.", "9p")
_CONNECTIONS = 20
_FRESH_SECONDS = 5.0


class Database:
    """A database whose reads and writes are transactions.

    SQLite: WAL, so that readers never wait, and synchronous=FULL, so that what is committed is on
    the disk. Writes begin with BEGIN IMMEDIATE: one that reads first and then writes would find
    `database is locked` at once, whatever the timeout (sqlite.org/rescode.html, BUSY_SNAPSHOT).
    """

    def __init__(self, url: str, create: bool = False):
        """Open a database, and bring its tables up to date.

        Args:
            url: `sqlite:///file.db`, `postgresql+psycopg://…`, or the path of an SQLite file.
            create: create it if it does not exist.

        Raises:
            QuickdrawError: it is not there, cannot be reached, is on a network drive, or of a later
                version.
        """
        self.url = _url(url)
        self.sqlite = self.url.drivername == "sqlite"
        # SQLite polls for its lock by sleeping, which starves threads; this lock queues them.
        self._turn: AbstractContextManager[object] = (
            threading.Lock() if self.sqlite else contextlib.nullcontext()
        )
        if self.sqlite:
            _check_file(self.url.database or "", create)
        self.engine = self._engine()
        try:
            with self.writing() as connection:
                schema.bring_up_to_date(connection)
        except sa.exc.DatabaseError as error:
            what = str(error.orig).strip().splitlines()[0]
            self.close()
            raise QuickdrawError(f"{self.name}: {what}") from None
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The database's address without its password."""
        return self.url.database or "" if self.sqlite else self.url.render_as_string()

    def _engine(self) -> sa.Engine:
        if not self.sqlite:
            with needs("leaderboard"):
                engine = sa.create_engine(
                    self.url, pool_size=_CONNECTIONS, max_overflow=_CONNECTIONS
                )
            sa.event.listen(engine, "checkin", _used)
            sa.event.listen(engine, "checkout", _check_old)
            return engine
        engine = sa.create_engine(
            self.url,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
            pool_size=_CONNECTIONS,
            max_overflow=_CONNECTIONS,
        )
        sa.event.listen(engine, "connect", _settings)
        sa.event.listen(engine, "begin", _begin)
        return engine

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection that sees one snapshot of the database."""
        with self.engine.connect() as connection:
            if not self.sqlite:  # SQLite's transactions are snapshots anyway
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def looking(self) -> Iterator[sa.Connection]:
        """Yield a connection for one statement, which saves PostgreSQL a BEGIN and a COMMIT."""
        if self.sqlite:
            with self.reading() as connection:
                yield connection
        else:
            with self.engine.connect() as connection:
                yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection whose changes are committed together, durably, or not at all."""
        with self._turn, self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _used(connection: psycopg.Connection, record: sa.pool.ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _check_old(
    connection: psycopg.Connection, record: sa.pool.ConnectionPoolEntry, proxy: object
) -> None:
    """Check a pooled connection only if it was idle: a ping before each use is too slow."""
    if time.monotonic() - record.info.get("used", math.inf) < _FRESH_SECONDS:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise sa.exc.DisconnectionError from error  # the pool replaces it


def _url(text: str) -> sa.URL:
    if "://" not in text:
        return sa.URL.create("sqlite", database=text)
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        raise UsageError(f"--database cannot be read: {text!r}") from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise UsageError(
            "--database must be a file, sqlite:///file.db or postgresql+psycopg://…. Received: "
            f"{url.render_as_string()!r}"
        )
    return url


def _check_file(path: str, create: bool) -> None:
    if not path:
        raise UsageError("--database must name a file: sqlite:///file.db")
    folder = os.path.dirname(os.path.abspath(path))
    if not create and not os.path.isfile(path):
        raise QuickdrawError(f"{path}: no such competition. `create` makes one")
    if not os.path.isdir(folder):
        raise QuickdrawError(f"{folder}: no such folder")
    kind = _file_system(folder)
    if kind.startswith(_NETWORK):
        raise QuickdrawError(
            f"{path}: on a network drive ({kind}), where SQLite's write-ahead log does not work. "
            "Put it on a local disk, or use --database=postgresql+psycopg://…"
        )


def _file_system(folder: str) -> str:
    """Return the file system type of a folder; empty if unknown."""
    if not os.path.exists("/proc/mounts"):
        return ""
    with open("/proc/mounts", encoding="utf-8", errors="replace") as file:
        mounts = [line.split()[1:3] for line in file]
    mounts = [[re.sub(r"\\040", " ", place), kind] for place, kind in mounts]
    folder = os.path.realpath(folder)
    above = [
        (len(place), kind)
        for place, kind in mounts
        if folder == place or folder.startswith(place.rstrip("/") + "/")
    ]
    return max(above, default=(0, ""))[1]


def _settings(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions begin in `_begin`, not in the driver
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
