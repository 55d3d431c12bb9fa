"""Databases of both kinds, and a server."""

from collections.abc import Iterator

import boarding
import pytest

from quickdraw.leaderboard.site import site_guards as guards
from quickdraw.leaderboard.site.context import Limits
from quickdraw.leaderboard.store import entry_table as entries
from quickdraw.leaderboard.store import schema
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


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Iterator[boarding.Board]:
    """One server for all hostile input, with two teams; every test leaves it running."""
    database = Database(str(tmp_path_factory.mktemp("hostile") / "c.db"), create=True)
    boarding.make_competition(database, daily_limit=100_000, total_limit=100_000)
    with boarding.serve(database, Limits(size=1 << 20, address_uploads=100_000)) as running:
        running.context.team_uploads = guards.Rate(100_000)
        running.context.wrong_secrets = guards.Rate(100_000)
        running.rabbits = running.team("Rabbits")
        running.foxes = running.team("Foxes")
        yield running
    database.close()


@pytest.fixture
def goes_on(place, monkeypatch) -> Iterator[None]:
    """After whatever a test did, the server answers, and no table is gone."""
    monkeypatch.setattr(entries, "MOST_REFUSED_A_DAY", 1_000)
    yield
    assert place.browser().get("/healthz").status == 200
    with place.database.reading() as connection:
        assert connection.execute(schema.teams.select()).all()
