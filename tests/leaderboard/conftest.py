"""Databases of both kinds, and a server."""

from collections.abc import Iterator

import boarding
import pytest

from quickdraw.leaderboard.site.context import Limits
from quickdraw.leaderboard.store.database import Database


@pytest.fixture(scope="session")
def cluster() -> Iterator[boarding.Postgres]:
    with boarding.postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path) -> Iterator[Database]:
    """An empty database of each kind."""
    sqlite = request.param == "sqlite"
    url = str(tmp_path / "c.db") if sqlite else request.getfixturevalue("cluster").new()
    made = Database(url, create=True)
    yield made
    made.close()


@pytest.fixture
def sqlite(tmp_path) -> Iterator[Database]:
    made = Database(str(tmp_path / "c.db"), create=True)
    yield made
    made.close()


@pytest.fixture
def board(sqlite) -> Iterator[boarding.Board]:
    """A running server of a small competition."""
    boarding.make_competition(sqlite)
    with boarding.serve(sqlite, Limits(size=1 << 20)) as running:
        yield running
