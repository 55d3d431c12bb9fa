"""Scores: right in both halves, fixed by the key, told in steps; what was left is scored."""

import dataclasses
import threading

import boarding
import numpy as np
import pytest
from boarding import HOUR, NOON, Clock, add_team, answers, board_of, entry, make_competition, send
from hypothesis import given, settings
from hypothesis import strategies as st

from quickdraw.leaderboard.store import (
    competition,
    halves,
    probing,
    schema,
)
from quickdraw.leaderboard.store.scorer import Scorer


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
