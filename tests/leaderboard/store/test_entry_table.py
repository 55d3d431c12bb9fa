"""Entries, on SQLite and on PostgreSQL: limits, days, keys, races; nothing is counted twice."""

import contextlib
import io
import threading

import numpy as np
import pytest
import sqlalchemy as sa
from boarding import HOUR, NOON, add_team, answers, entry, make_competition, send

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import (
    entry_table as entries,
)
from quickdraw.leaderboard.store import (
    moments,
    schema,
    steering,
)
from quickdraw.leaderboard.store.blobs import Packed, open_blob
from quickdraw.leaderboard.store.database import Database


def test_a_file_with_faults_is_told_and_does_not_count(database):
    make_competition(database, daily_limit=1)
    team, _ = add_team(database, "Rabbits")
    bad = entry(database, send(database, team, b"image_id,label\nid000,9\nwho,1\n"))
    assert bad.status == "refused"
    assert "line 2: the label must be 0…3" in bad.error and "no id 'who'" in bad.error
    assert "the id 'id001' is missing" in bad.error
    assert entry(database, send(database, team, answers())).status == "scored"
    with pytest.raises(entries.LimitError, match=r"1 entries of today are used.*2026-12-02 00:00"):
        send(database, team, answers(1))


def test_faulty_files_are_limited_too(database, monkeypatch):
    monkeypatch.setattr(entries, "MOST_REFUSED_A_DAY", 2)
    make_competition(database)
    team, _ = add_team(database, "Rabbits")
    for name in (b"a", b"b"):
        send(database, team, name)
    with pytest.raises(entries.LimitError, match="2 files with faults"):
        send(database, team, b"c")


def test_the_same_key_is_the_same_entry(database):
    make_competition(database, daily_limit=1)
    team, _ = add_team(database, "Rabbits")
    first = send(database, team, answers(), key="k")
    assert send(database, team, answers(), key="k") == first
    with pytest.raises(QuickdrawError, match="used for another file"):
        send(database, team, answers(1), key="k")


@pytest.mark.parametrize(
    ("zone", "last", "first", "hours"),
    [
        ("Asia/Seoul", "2026-12-01 23:59", "2026-12-02 00:00", 24),
        ("Europe/Berlin", "2026-03-29 23:59", "2026-03-30 00:00", 23),
        ("Europe/Berlin", "2026-10-25 23:59", "2026-10-26 00:00", 25),
        ("America/New_York", "2026-11-01 23:59", "2026-11-02 00:00", 25),
    ],
)
def test_a_day_is_the_competitions_own(sqlite, zone, last, first, hours):
    make_competition(sqlite, daily_limit=1, time_zone=zone)
    team, _ = add_team(sqlite, "Rabbits")
    before, after = moments.parse(last, zone), moments.parse(first, zone)
    start = moments.day_start(before, zone)
    assert moments.day_start(before, zone, days=1) - start == hours * HOUR
    send(sqlite, team, answers(), moment=start)
    with pytest.raises(entries.LimitError):
        send(sqlite, team, answers(1), moment=before)
    send(sqlite, team, answers(1), moment=after)


def test_an_hour_that_comes_twice_is_one_day(sqlite):
    zone = "Europe/Berlin"
    one = moments.parse("2026-10-25T02:30+02:00", zone)
    two = moments.parse("2026-10-25T02:30+01:00", zone)
    assert two - one == HOUR
    assert moments.day(one, zone) == moments.day(two, zone) == "2026-10-25"
    assert moments.text(one, zone) == moments.text(two, zone)


def test_of_many_at_once_exactly_the_limit_is_accepted(database):
    make_competition(database, daily_limit=5)
    team, _ = add_team(database, "Rabbits")
    outcomes = []

    def race(number):
        try:
            send(database, team, answers(number), score=False)
            outcomes.append("accepted")
        except entries.LimitError:
            outcomes.append("refused")

    threads = [threading.Thread(target=race, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("accepted") == 5 and len(outcomes) == 20


def test_two_processes_on_one_file_keep_the_limit(sqlite):
    """Two engines: the lock of one process does not help the other."""
    make_competition(sqlite, daily_limit=3)
    team, _ = add_team(sqlite, "Rabbits")
    other = Database(sqlite.url.database)
    accepted = []

    def race(which, number):
        with contextlib.suppress(entries.LimitError):
            accepted.append(send(which, team, answers(number), score=False))

    pairs = [((sqlite, other)[number % 2], number) for number in range(12)]
    threads = [threading.Thread(target=race, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert len(accepted) == 3


def test_nobody_sends_before_the_start(database):
    make_competition(database, starts=NOON)
    team, _ = add_team(database, "Rabbits")
    with pytest.raises(entries.LimitError, match="begins at 2026-12-01 12:00"):
        send(database, team, answers(), moment=NOON - 1)


def test_the_same_file_is_kept_once(database):
    make_competition(database)
    one, two = (add_team(database, name)[0] for name in ("One", "Two"))
    first, second = send(database, one, answers(3)), send(database, two, answers(3))
    assert entry(database, first).file == entry(database, second).file
    with database.reading() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(schema.files)).scalar()
    assert count == 2  # the solution's, too
    assert open_blob(database, entry(database, first).file).read() == answers(3)


def test_a_file_of_several_pieces_comes_back(database):
    data = np.random.default_rng(0).bytes(3_500_000)
    with Packed(io.BytesIO(data)) as packed, database.writing() as connection:
        packed.save(connection)
    assert open_blob(database, packed.sha256).read() == data


def test_choices_are_counted_and_close_at_the_end(database):
    make_competition(database, final_choices=1)
    team, _ = add_team(database, "Rabbits")
    other, _ = add_team(database, "Foxes")
    one, two = send(database, team, answers(1), key="a"), send(database, team, answers(2), key="b")
    with database.writing() as connection:
        entries.choose(connection, one, team, True, NOON)
        with pytest.raises(QuickdrawError, match="at most 1"):
            entries.choose(connection, two, team, True, NOON)
        with pytest.raises(QuickdrawError, match=f"no entry number {one}"):
            entries.choose(connection, one, other, False, NOON)
    steering.end(database, NOON, "me")
    with database.writing() as connection, pytest.raises(entries.LimitError, match="has ended"):
        entries.choose(connection, one, team, False, NOON)
