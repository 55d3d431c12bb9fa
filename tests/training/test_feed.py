"""The order of the drawings is a pure function, and every epoch holds each of them once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.errors import QuickdrawError
from quickdraw.training import Settings, feed, fit

SIZES = st.integers(1, 40)


@given(SIZES, SIZES, st.integers(0, 2**63), st.integers(0, 100), st.integers(1, 12))
def test_rows_are_positions_of_records(records, batch_size, seed, first_step, steps):
    rows = feed.rows_of_steps(records, batch_size, seed, first_step, steps)
    assert rows.shape == (steps, batch_size)
    assert rows.dtype == np.int32
    assert rows.min() >= 0
    assert rows.max() < records


@given(SIZES, SIZES, st.integers(0, 99), st.integers(1, 4))
def test_every_epoch_holds_each_record_once(records, batch_size, seed, epochs):
    steps = -(-records * epochs // batch_size)
    row = feed.rows_of_steps(records, batch_size, seed, 0, steps).ravel()
    for epoch in range(epochs):
        part = row[epoch * records : (epoch + 1) * records]
        assert sorted(part) == list(range(records))


@given(SIZES, SIZES, st.integers(0, 99), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_how_the_steps_are_cut_into_calls_changes_nothing(records, batch_size, seed, calls):
    whole = feed.rows_of_steps(records, batch_size, seed, 0, sum(calls))
    step, parts = 0, []
    for steps in calls:
        parts.append(feed.rows_of_steps(records, batch_size, seed, step, steps))
        step += steps
    assert np.array_equal(np.concatenate(parts), whole)


def test_epochs_and_seeds_differ():
    def first_epochs(seed: int) -> np.ndarray:
        return feed.rows_of_steps(100, 100, seed, 0, 2)

    assert not np.array_equal(*first_epochs(0))
    assert not np.array_equal(first_epochs(0), first_epochs(1))
    assert not np.array_equal(first_epochs(0)[1], first_epochs(1)[0])
    assert not np.array_equal(first_epochs(0)[0], np.arange(100))


def test_a_batch_may_be_larger_than_the_set():
    rows = feed.rows_of_steps(3, 10, 0, 0, 3)
    assert np.bincount(rows.ravel()).tolist() == [10, 10, 10]


def test_one_record_is_seen_again_and_again():
    assert feed.rows_of_steps(1, 4, 0, 7, 2).tolist() == [[0] * 4] * 2


@pytest.mark.parametrize("label", [2**31, 2**32, 2**40 + 1])
def test_a_label_that_cannot_be_is_not_taken_for_another(tmp_path, write_records, label):
    path = write_records(tmp_path / "train-0", np.zeros((2, 4, 4), np.uint8), label=[0, label])
    with pytest.raises(QuickdrawError, match=str(label)):
        fit(Settings(train_data_pattern=path, train_dir=str(tmp_path / "run")))
