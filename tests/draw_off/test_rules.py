"""The score: what counts how much, and that nothing but the events decides it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from quickdraw.draw_off.rules import ModelTally, Rules, score

WORDS = ["cat", "dog", "sun"]
OPENED = {"kind": "opened", "rules": {"seconds": 20}}


def began(*models):
    return {"kind": "began", "models": list(models)}


def answer(at, number=1, **by_model):
    """Answers of models, each `(likeliest word, its probability, that of the word)`."""
    answers = {m: {"top": [[w, q]], "p": p} for m, (w, q, p) in by_model.items()}
    return {"kind": "answers", "round": number, "at": at, "answers": answers}


def a_round(*answers, number=1, word="cat", end=({"kind": "finished", "round": 1},)):
    begin = {"kind": "round", "round": number, "word": word, "player": "p1"}
    return [begin, {"kind": "started", "round": number}, *answers, *end]


def only(events):
    (standing,) = score([OPENED, began("a"), *events])
    return standing


def test_a_hit_is_the_word_twice_in_a_row_and_falls_with_time():
    one = answer(2000, a=("cat", 0.5, 0.5))
    two = answer(4000, a=("cat", 0.9, 0.9))
    assert only(a_round(one)).tenths == 50  # no hit: 10 × 0.5
    assert only(a_round(one, two)).tenths == 1000 - 500 * 4 / 20 + 90
    between = answer(3000, a=("dog", 0.5, 0.1))
    assert only(a_round(one, between, two)).hits == 0


def test_the_last_moment_gives_half_and_none_gives_less():
    late = [answer(at, a=("cat", 1, 1)) for at in (19_000, 20_000)]
    assert only(a_round(*late)).tenths == 500 + 100
    beyond = [answer(at, a=("cat", 1, 1)) for at in (19_000, 90_000)]
    assert only(a_round(*beyond)).tenths == 500 + 100


def test_sure_and_wrong_at_the_end_costs():
    assert only(a_round(answer(1, a=("dog", 0.81, 0.1)))).tenths == 10 - 100
    assert only(a_round(answer(1, a=("dog", 0.8, 0.1)))).tenths == 10
    changed = [answer(1, a=("dog", 0.9, 0.1)), answer(2, a=("cat", 0.9, 0.9))]
    assert only(a_round(*changed)).tenths == 90


def test_a_round_that_is_annulled_or_has_not_ended_does_not_count():
    hits = [answer(at, a=("cat", 1, 1)) for at in (1, 2)]
    assert only(a_round(*hits, end=())).tenths == 0
    undone = [*a_round(*hits), {"kind": "annulled", "round": 1, "again": True}]
    assert only(undone) == only([])


def test_what_comes_after_the_end_of_a_round_does_not_count():
    late = [answer(at, a=("cat", 1, 1)) for at in (1, 2)]
    assert only([*a_round(), *late]).tenths == 0


def test_ties_go_by_the_mean_logarithm_and_then_share_the_rank():
    events = a_round(answer(1, a=("dog", 0.5, 0.2), b=("dog", 0.5, 0.204), c=("dog", 0.5, 0.2)))
    first, *others = score([OPENED, began("a", "b", "c"), *events])
    assert (first.model, first.rank) == ("b", 1)
    assert [(each.rank, each.tenths) for each in others] == [(2, 20), (2, 20)]
    assert {each.model for each in others} == {"a", "c"}


def test_a_model_that_never_answered_loses_no_points_but_every_tie():
    silent, wrong = score([OPENED, began("a", "b"), *a_round(answer(1, b=("dog", 0.5, 0.001)))])
    assert (silent.model, wrong.model) == ("b", "a")
    assert wrong.mean_log == round(math.log(1e-6), 6)


shares = st.floats(0, 1, width=32)
answers = st.lists(st.tuples(st.integers(0, 25_000), st.sampled_from(WORDS), shares, shares))


@given(answers, st.sampled_from(WORDS))
def test_points_are_within_bounds_and_rise_with_the_probability(given_answers, word):
    rules, tally = Rules(), ModelTally()
    for at, top, q, p in given_answers:
        tally.add(word, at, {"top": [[top, q]], "p": p})
    points = tally.tenths(word, rules)
    assert -100 <= points <= 1100
    assert points <= 100 or tally.hit is not None
    tally.probability = 1.0
    assert tally.tenths(word, rules) >= points


@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_earlier_is_never_worse(one, other):
    early, late = sorted((one, other))
    assert Rules().tenths(early, 0.5, False) >= Rules().tenths(late, 0.5, False)


@given(st.lists(answers, min_size=1, max_size=4), st.permutations(["a", "b", "c"]))
def test_the_order_of_models_and_what_else_happened_change_no_place(rounds, order):
    def events(models):
        made = [OPENED, began(*models)]
        for number, given_answers in enumerate(rounds, 1):
            told = [
                answer(at, number, **{m: (top, q, p) for m in models if (at + ord(m)) % 3})
                for at, top, q, p in given_answers
            ]
            finished = {"kind": "finished", "round": number}
            made += a_round(*told, number=number, end=[finished])
        return made

    def places(found):
        return {each.model: (each.rank, each.tenths, each.hits, each.mean_log) for each in found}

    plain = places(score(events(["a", "b", "c"])))
    assert places(score(events(order))) == plain
    noise = [{"kind": "joined", "player": "p9"}, {"kind": "ink", "round": 1, "at": 3}]
    mixed = [each for event in events(order) for each in (event, *noise)]
    assert places(score(mixed)) == plain
    assert sorted(rank for rank, *_ in plain.values())[0] == 1
