"""Who may do what: links, tokens, sessions, and the names of teams."""

import pytest
from boarding import HOUR, NOON, add_team, answers, make_competition, send

from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.store import (
    access,
    steering,
    team_table,
)


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
        ("토끼", "토끼\u3164"),
        ("Team 1", "Team l"),
    ],
)
def test_names_that_look_alike_are_one(sqlite, one, other):
    make_competition(sqlite)
    add_team(sqlite, one)
    with pytest.raises(QuickdrawError, match="looks like"):
        add_team(sqlite, other)


@pytest.mark.parametrize(
    "name", ["", " ", "a\x00b", "x" * 41, "\u202eabc", "a\nb\x1b[2J", "---", "\u3164"]
)
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


def test_a_team_with_entries_is_not_removed(database):
    make_competition(database)
    one, two = (add_team(database, name)[0] for name in ("One", "Two"))
    send(database, one, answers())
    with pytest.raises(QuickdrawError, match="disqualify it"):
        steering.remove(database, one, NOON, "me")
    steering.remove(database, two, NOON, "me")
    with database.reading() as connection:
        assert [team.name for team in team_table.listed(connection)] == ["One"]
