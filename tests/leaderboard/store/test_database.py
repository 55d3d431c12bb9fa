"""Databases of both kinds: opened, migrated, refused, copied, exported; an organiser's changes."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from boarding import NOON, add_team, answers, board_of, entry, make_competition, send

from quickdraw import storage
from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import (
    access,
    competition,
    moments,
    schema,
    steering,
)
from quickdraw.leaderboard.store import (
    csv_export as exporting,
)
from quickdraw.leaderboard.store.database import Database

HERE = Path(__file__).parent


@pytest.mark.parametrize("version", ["first", "second"])
def test_a_database_of_an_earlier_version_is_migrated(tmp_path, version):
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((HERE / f"{version}_version.sql").read_text(encoding="utf-8"))
    connection.close()
    database = Database(str(path))
    assert [(row.rank, row.name, row.entries) for row in board_of(database)] == [(1, "Rabbits", 1)]
    new, _ = add_team(database, "New")
    row = entry(database, send(database, new, answers(1)))
    assert row.nearest is None and len(row.sketch) == 256 and row.about == ""
    database.close()
    fresh = Database(str(tmp_path / "new.db"), create=True)
    assert columns_of(database) == columns_of(fresh)
    for each in (database, fresh):
        each.close()


def columns_of(database):
    """The columns of each table, and whether they may be empty."""
    with database.reading() as connection:
        inspector = sa.inspect(connection)
        return {
            table: {(each["name"], each["nullable"]) for each in inspector.get_columns(table)}
            for table in inspector.get_table_names()
        }


def test_postgresql_of_the_second_version_is_migrated(cluster):
    url = cluster.new()
    database = Database(url)
    make_competition(database)
    now = columns_of(database)
    with database.writing() as connection:
        for statement in (
            "ALTER TABLE competition ALTER COLUMN solution SET NOT NULL",
            "ALTER TABLE submissions DROP COLUMN about",
            *(f"ALTER TABLE teams DROP COLUMN final_{name}" for name in ("tenths", "hits", "log")),
            "UPDATE schema_version SET version = 2",
        ):
            connection.execute(sa.text(statement))
    database.close()
    database = Database(url)
    assert columns_of(database) == now
    assert competition.load(database).name == "Camp"
    database.close()


def test_a_database_of_a_later_version_is_refused(database):
    with database.writing() as connection:
        connection.execute(schema.schema_version.update().values(version=99))
    with pytest.raises(QuickdrawError, match="made by a later quickdraw"):
        Database(database.url.render_as_string(hide_password=False))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nothing.db", "no such competition"),
        ("mysql://x/y", "--database must be"),
        ("sqlite://", "must name a file"),
        ("postgresql+psycopg://nobody@127.0.0.1:1/x", "127.0.0.1"),
    ],
)
def test_a_database_that_cannot_be_used_is_told(tmp_path, monkeypatch, url, told):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QuickdrawError, match=told):
        Database(url)
    assert list(tmp_path.iterdir()) == []


def test_a_network_drive_is_refused(tmp_path, monkeypatch):
    from quickdraw.leaderboard.store import database as module

    monkeypatch.setattr(module, "_file_system", lambda folder: "nfs4")
    with pytest.raises(QuickdrawError, match="network drive"):
        Database(str(tmp_path / "c.db"), create=True)


def test_a_backup_is_whole_and_can_be_served(sqlite, tmp_path):
    make_competition(sqlite)
    team, _ = add_team(sqlite, "Rabbits")
    send(sqlite, team, answers())
    exporting.backup(sqlite, str(tmp_path / "copies" / "b.db"))
    copy = Database(str(tmp_path / "copies" / "b.db"))
    assert board_of(copy) == board_of(sqlite)
    copy.close()
    assert [path.name for path in (tmp_path / "copies").glob("*.tmp")] == []


def test_an_export_has_everything_and_no_secret(database, tmp_path):
    make_competition(database)
    team, token = add_team(database, "=cmd|'/c calc'!A1")
    number = send(database, team, answers(3))
    exporting.export(database, str(tmp_path / "out"), NOON, True)
    files = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.csv")}
    assert files[f"{number}.csv"] == answers(3)
    assert b"'=cmd|" in files["teams.csv"] and b"\n1,=cmd" not in files["teams.csv"]
    assert not any(access.hashed(token).encode() in data for data in files.values())
    assert set(files) == {
        *("board.csv", "final.csv", "teams.csv", "submissions.csv", "events.csv"),
        f"{number}.csv",
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\r=1"])
def test_no_cell_is_a_formula(text):
    assert storage.safe_cell(text) == "'" + text
    assert storage.safe_cell(5) == 5 and storage.safe_cell("a=b") == "a=b"


def test_a_competition_that_cannot_be_is_refused(sqlite):
    with pytest.raises(QuickdrawError, match="MAP@3 needs the names"):
        make_competition(sqlite, metric="map3", labels=[])
    with pytest.raises(QuickdrawError, match="the label 3, and there are 2 names"):
        make_competition(sqlite, labels=["a", "b"])
    with pytest.raises(QuickdrawError, match="no time zone 'Mars'"):
        make_competition(sqlite, time_zone="Mars")
    with pytest.raises(QuickdrawError, match="the end must come after"):
        make_competition(sqlite, starts=NOON, ends=NOON)
    make_competition(sqlite)
    with pytest.raises(QuickdrawError, match="a competition is there"):
        make_competition(sqlite)


def test_settings_are_checked_noted_and_closed_by_the_reveal(database):
    make_competition(database)
    chosen = {"daily_limit": "7", "ends": "2026-12-24 18:00"}
    steering.change(database, chosen, NOON, "me")
    contest = competition.load(database)
    assert contest.daily_limit == 7
    assert moments.text(contest.ends, contest.time_zone) == "2026-12-24 18:00"
    for bad in ({"daily_limit": "0"}, {"daily_limit": "-1"}, {"daily_limit": "x"}, {"ends": "?"}):
        with pytest.raises(QuickdrawError):
            steering.change(database, bad, NOON, "me")
    with pytest.raises(QuickdrawError, match="has not ended"):
        steering.reveal(database, NOON, "me")
    steering.end(database, NOON, "me")
    steering.reveal(database, NOON, "me")
    with pytest.raises(QuickdrawError, match="revealed"):
        steering.change(database, chosen, NOON, "me")
    with database.reading() as connection:
        log = [row.what for row in connection.execute(sa.select(schema.events))]
    assert log == [
        "changed daily_limit 7, ends 2026-12-24 18:00",
        "ended the competition",
        "revealed the results",
    ]
