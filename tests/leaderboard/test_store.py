"""The store, on SQLite and on PostgreSQL: limits, keys, scoring, boards, and nothing lost."""

import contextlib
import dataclasses
import io
import sqlite3
import threading
from pathlib import Path

import boarding
import numpy as np
import pytest
import sqlalchemy as sa
from boarding import NOON, Clock, add_team, answers, make_competition
from hypothesis import given, settings
from hypothesis import strategies as st

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import (
    access,
    competition,
    halves,
    moments,
    probing,
    schema,
    standings,
    steering,
    team_table,
)
from quickdraw.leaderboard.store import (
    csv_export as exporting,
)
from quickdraw.leaderboard.store import (
    entry_table as entries,
)
from quickdraw.leaderboard.store.blobs import Packed, open_blob
from quickdraw.leaderboard.store.database import Database
from quickdraw.leaderboard.store.scorer import Scorer

FIRST_VERSION = Path(__file__).parent / "first_version.sql"
HOUR = 3600 * moments.SECOND


def send(database, team, data, key=None, moment=NOON, score=True):
    packed = Packed(io.BytesIO(data))
    number = entries.accept(database, team, packed, key or packed.sha256, "", moment)
    if score:
        while Scorer(database, Clock(moment)).score_next():
            pass
    return number


def entry(database, number):
    with database.reading() as connection:
        return entries.of_number(connection, number, None)


def board_of(database, final=False, moment=NOON):
    with database.reading() as connection:
        contest = competition.loaded(connection)
        return (standings.final if final else standings.public)(connection, contest, moment)


def test_counts_are_right_in_both_halves(database):
    contest = make_competition(database)
    team, _ = add_team(database, "Rabbits")
    row = entry(database, send(database, team, answers(wrong=20)))
    assert (contest.public_count, contest.private_count) == (60, 140)
    right, public = competition.read_solution(database, contest)
    wrong = np.arange(boarding.COUNT) < 20
    assert row.public_points == (public & ~wrong).sum()
    assert row.private_points == (~public & ~wrong).sum()
    assert all(public[right.labels == label].sum() == 15 for label in range(4))


def test_map3_counts_sixths(database):
    contest = make_competition(database, metric="map3")
    team, _ = add_team(database, "Rabbits")
    words = ["cat", "dog", "sun", "hot_dog"]
    right = {key: f"{words[(n + 1) % 4]} {words[n]}" for key, n in boarding.RIGHT.items()}
    row = entry(database, send(database, team, boarding.rows(right, "key_id,word")))
    assert (row.public_points, row.private_points) == (60 * 3, 140 * 3)
    assert board_of(database)[0].score == 0.5
    assert contest.metric_name == "MAP@3"


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


def test_equal_scores_share_a_rank_and_the_earlier_stands_first(database):
    make_competition(database)
    names = ["Late", "Early", "Worse"]
    teams = {name: add_team(database, name)[0] for name in names}
    send(database, teams["Early"], answers(20), key="e", moment=NOON)
    send(database, teams["Late"], answers(20), key="l", moment=NOON + HOUR)
    send(database, teams["Worse"], answers(150), key="w", moment=NOON)
    rows = [(row.rank, row.name) for row in board_of(database)]
    assert rows == [(1, "Early"), (1, "Late"), (3, "Worse")]


def test_change_since_yesterday(database):
    make_competition(database)
    one, two = (add_team(database, name)[0] for name in ("One", "Two"))
    yesterday = NOON - 24 * HOUR
    send(database, one, answers(50), moment=yesterday)
    send(database, two, answers(100), key="b", moment=yesterday)
    send(database, two, answers(0), key="c", moment=NOON)
    assert [(row.name, row.moved) for row in board_of(database)] == [("Two", 1), ("One", -1)]


def test_baselines_have_no_rank_and_no_limits(database):
    make_competition(database, daily_limit=1)
    team, _ = add_team(database, "Rabbits")
    ghost, _ = add_team(database, "CnnModel", baseline=True)
    send(database, team, answers(50))
    send(database, ghost, answers(40), key="a")
    send(database, ghost, answers(10), key="b")
    assert [(row.rank, row.name) for row in board_of(database)] == [
        (None, "CnnModel"),
        (1, "Rabbits"),
    ]


def test_the_final_goes_by_what_was_chosen(database):
    contest = make_competition(database, final_choices=1)
    _, public = competition.read_solution(database, contest)
    ids = np.array(list(boarding.RIGHT))
    one, two = (add_team(database, name)[0] for name in ("One", "Two"))

    def spoilt(wrong):
        spoil = {key: (boarding.RIGHT[key] + 1) % 4 for key in wrong}
        return boarding.rows(boarding.RIGHT | spoil)

    good_in_public = spoilt(ids[~public][:40])
    good_in_private = spoilt(ids[public][:30])
    send(database, one, good_in_public, key="a")
    chosen = send(database, one, good_in_private, key="b")
    send(database, two, answers(30), key="c")
    assert [row.name for row in board_of(database, final=True)] == ["Two", "One"]
    with database.writing() as connection:
        entries.choose(connection, chosen, one, True, NOON)
    first, second = board_of(database, final=True)
    assert (first.name, first.right, first.score) == ("One", 140, 1.0)
    assert second.name == "Two"


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


def test_late_entries_are_scored_and_do_not_count(database):
    make_competition(database)
    team, _ = add_team(database, "Rabbits")
    send(database, team, answers(100), key="a")
    steering.end(database, NOON, "me")
    late = entry(database, send(database, team, answers(0), key="b", moment=NOON + HOUR))
    assert late.late and late.status == "scored" and late.public_points == 60
    (row,) = board_of(database)
    assert row.score < 0.7 and row.entries == 1
    assert board_of(database, final=True)[0].right < 100


def test_nobody_sends_before_the_start(database):
    make_competition(database, starts=NOON)
    team, _ = add_team(database, "Rabbits")
    with pytest.raises(entries.LimitError, match="begins at 2026-12-01 12:00"):
        send(database, team, answers(), moment=NOON - 1)


def test_the_ladder_tells_only_of_progress(database):
    make_competition(database, ladder=True)  # 60 public drawings: steps of 1/50
    team, _ = add_team(database, "Rabbits")
    shown = [
        entry(database, send(database, team, answers(wrong), key=str(wrong))).shown
        for wrong in (40, 39, 0)  # one drawing more is less than two steps
    ]
    assert shown[0] == shown[1] < shown[2] == 50


@pytest.mark.parametrize(("public", "steps"), [(5, 10), (60, 50), (1022, 1000), (56_000, 1000)])
def test_a_step_is_no_smaller_than_a_drawing(sqlite, public, steps):
    contest = dataclasses.replace(make_competition(sqlite), public_count=public)
    assert contest.steps == steps
    assert contest.shown(public, None) == steps and contest.shown(0, None) == 0


def test_disqualified_teams_are_off_the_board_and_can_come_back(database):
    make_competition(database)
    team, _ = add_team(database, "Rabbits")
    send(database, team, answers())
    steering.disqualify(database, team, "two accounts", NOON, "me")
    assert board_of(database) == board_of(database, final=True) == []
    steering.disqualify(database, team, "", NOON, "me")
    assert len(board_of(database)) == 1


def test_a_team_with_entries_is_not_removed(database):
    make_competition(database)
    one, two = (add_team(database, name)[0] for name in ("One", "Two"))
    send(database, one, answers())
    with pytest.raises(QuickdrawError, match="disqualify it"):
        steering.remove(database, one, NOON, "me")
    steering.remove(database, two, NOON, "me")
    with database.reading() as connection:
        assert [team.name for team in team_table.listed(connection)] == ["One"]


def test_what_was_left_unscored_is_scored_at_the_start(database):
    make_competition(database)
    team, _ = add_team(database, "Rabbits")
    number = send(database, team, answers(), score=False)
    with database.writing() as connection:  # as if a worker had died with it
        connection.execute(schema.submissions.update().values(leased=NOON + HOUR))
    scorer = Scorer(database, Clock())
    scorer.start()
    for _ in range(500):
        if entry(database, number).status == "scored":
            break
        threading.Event().wait(0.01)
    scorer.stop()
    assert entry(database, number).status == "scored"


def test_scoring_twice_counts_once(database):
    make_competition(database)
    team, _ = add_team(database, "Rabbits")
    send(database, team, answers(), score=False)
    one, two = Scorer(database, Clock()), Scorer(database, Clock())
    threads = [threading.Thread(target=each.score_next) for each in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert board_of(database)[0].entries == 1


def test_a_link_works_once_and_not_for_ever(database):
    make_competition(database)
    team, _ = add_team(database, "Rabbits")
    with database.writing() as connection:
        code, old = (access.invite(connection, team, NOON) for _ in range(2))
        assert access.use(connection, code, NOON).team == team
        with pytest.raises(QuickdrawError, match="used before"):
            access.use(connection, code, NOON)
        with pytest.raises(QuickdrawError, match="too old"):
            access.use(connection, old, NOON + 31 * 24 * HOUR)


def test_only_hashes_of_secrets_are_kept(sqlite, tmp_path):
    make_competition(sqlite)
    team, token = add_team(sqlite, "Rabbits")
    with sqlite.writing() as connection:
        code = access.invite(connection, team, NOON)
        session = access.open_session(connection, access.Visitor(team, "Rabbits"), NOON)
    sqlite.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert access.hashed(token).encode() in content
    assert not any(secret.encode() in content for secret in (token, code, session))


def test_a_new_token_makes_the_old_one_void(database):
    make_competition(database)
    team, token = add_team(database, "Rabbits")
    with database.writing() as connection:
        assert access.by_token(connection, token).team == team
        new = access.new_token(connection, team)
        assert access.by_token(connection, token) is None
        assert access.by_token(connection, new).team == team
        team_table.shut_out(connection, team)
        assert access.by_token(connection, new) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rabbits", "rabbits"),
        ("Rabbits", "Rabbits "),
        ("Rabbits", "Ｒａｂｂｉｔｓ"),
        ("Rabbits", "Rаbbits"),  # Cyrillic а
        ("Rabbits", "Rab\u00adbits"),
        ("Rabbits", "Rábbits"),
        ("CAT", "СAТ"),
        ("Foo", "F00"),
        ("corn", "com"),
        ("토끼", "토끼".encode().decode() + "\u200b"),
        ("Team 1", "Team l"),
    ],
)
def test_names_that_look_alike_are_one(sqlite, one, other):
    make_competition(sqlite)
    add_team(sqlite, one)
    with pytest.raises(QuickdrawError, match="looks like"):
        add_team(sqlite, other)


@pytest.mark.parametrize("name", ["", " ", "a\x00b", "x" * 41, "\u202eabc", "a\nb\x1b[2J", "---"])
def test_names_that_are_none_are_refused(sqlite, name):
    make_competition(sqlite)
    with pytest.raises(QuickdrawError):
        add_team(sqlite, name)


@pytest.mark.parametrize("name", ["토끼", "Zoë's 2 cats", "👩‍🎨 artists", "チーム", "Ωmega", "x_y"])
def test_names_of_all_languages_are_welcome(sqlite, name):
    make_competition(sqlite)
    add_team(sqlite, name)


def test_a_list_of_teams_is_added_whole_or_not_at_all(sqlite):
    make_competition(sqlite)
    names = team_table.names_in("number,team\n1,Rabbits\n2,토끼\n", "class.csv")
    assert names == ["Rabbits", "토끼"]
    with pytest.raises(QuickdrawError, match="looks like"):
        steering.add_teams(sqlite, [*names, "rabbits"], NOON, "me")
    with sqlite.reading() as connection:
        assert team_table.listed(connection) == []
    with pytest.raises(QuickdrawError, match=r"class\.csv, line 3"):
        team_table.names_in("team\nA\n\x01\n", "class.csv")


@settings(max_examples=50, deadline=None)
@given(
    labels=st.lists(st.integers(0, 5), min_size=20, max_size=200),
    percent=st.integers(1, 99),
    secret=st.binary(min_size=1, max_size=64),
)
def test_halves_are_stratified_and_fixed_by_the_key(labels, percent, secret):
    hashes = np.array([halves.keyed_hash(secret, f"id{n}") for n in range(len(labels))], np.uint64)
    array = np.array(labels)
    public = halves.public_half(hashes, array, percent, secret)
    for label in set(labels):
        wanted = (array == label).sum() * percent / 100
        assert abs(public[array == label].sum() - wanted) < 1
    order = np.random.default_rng(0).permutation(len(labels))
    assert (halves.public_half(hashes[order], array[order], percent, secret) == public[order]).all()


def test_another_key_is_another_half():
    labels = np.zeros(1000, int)
    parts = [
        halves.public_half(
            np.array([halves.keyed_hash(key, str(n)) for n in range(1000)], np.uint64),
            labels,
            50,
            key,
        )
        for key in (b"a", b"b")
    ]
    assert 400 < (parts[0] == parts[1]).sum() < 600


@given(changed=st.integers(1, 10), seed=st.binary(min_size=32, max_size=32))
@settings(max_examples=30, deadline=None)
def test_a_few_changed_answers_leave_most_of_a_sketch(changed, seed):
    given_answers = np.arange(2000) % 10
    other = given_answers.copy()
    other[:changed] += 1
    one, two = (probing.sketch(each, seed) for each in (given_answers, other))
    assert 1 <= probing.difference(one, two) <= changed
    far = probing.sketch(given_answers[::-1], seed)
    assert probing.difference(one, far) > probing.FEW


def test_probing_is_noticed(sqlite):
    make_competition(sqlite)
    team, _ = add_team(sqlite, "Rabbits")
    numbers = [send(sqlite, team, answers(wrong), key=str(wrong)) for wrong in (0, 1, 2, 100)]
    nearest = [entry(sqlite, number).nearest for number in numbers]
    assert nearest[0] is None and nearest[1] == 1 and nearest[2] == 1
    assert nearest[3] > probing.FEW


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
    packed = Packed(io.BytesIO(data))
    with database.writing() as connection:
        packed.save(connection)
    assert open_blob(database, packed.sha256).read() == data


def test_a_database_of_the_first_version_is_migrated(tmp_path):
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(FIRST_VERSION.read_text(encoding="utf-8"))
    connection.close()
    database = Database(str(path))
    assert [(row.rank, row.name, row.entries) for row in board_of(database)] == [(1, "Rabbits", 1)]
    new, _ = add_team(database, "New")
    row = entry(database, send(database, new, answers(1)))
    assert row.nearest is None and len(row.sketch) == 256
    database.close()
    fresh = Database(str(tmp_path / "new.db"), create=True)
    columns = []
    for each in (database, fresh):
        with each.reading() as connection:
            inspector = sa.inspect(connection)
            columns.append(
                {
                    table: {column["name"] for column in inspector.get_columns(table)}
                    for table in inspector.get_table_names()
                }
            )
        each.close()
    assert columns[0] == columns[1]


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
    assert exporting.safe_cell(text) == "'" + text
    assert exporting.safe_cell(5) == 5 and exporting.safe_cell("a=b") == "a=b"


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
