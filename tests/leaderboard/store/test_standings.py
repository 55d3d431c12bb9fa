"""Boards: ranks, ties, yesterday, baselines, the final by what was chosen, disqualified teams."""

import boarding
import numpy as np
from boarding import HOUR, NOON, add_team, answers, board_of, entry, make_competition, send

from quickdraw.leaderboard.store import (
    competition,
    steering,
)
from quickdraw.leaderboard.store import (
    entry_table as entries,
)


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


def test_disqualified_teams_are_off_the_board_and_can_come_back(database):
    make_competition(database)
    team, _ = add_team(database, "Rabbits")
    send(database, team, answers())
    steering.disqualify(database, team, "two accounts", NOON, "me")
    assert board_of(database) == board_of(database, final=True) == []
    steering.disqualify(database, team, "", NOON, "me")
    assert len(board_of(database)) == 1
