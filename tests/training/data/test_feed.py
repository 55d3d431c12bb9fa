"""The order of the drawings is a pure function, and every epoch holds each of them once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw import devices
from quickdraw.errors import QuickdrawError
from quickdraw.records.shards import BadRecords
from quickdraw.training import Settings, fit
from quickdraw.training.data import cache, feed

SIZES = st.integers(1, 40)


def rows_of_steps(records: int, batch_size: int, seed: int, first_step: int, steps: int):
    order = feed.Order(np.zeros(records, np.int32), seed)
    return order.rows_of_steps(batch_size, first_step, steps)


@given(SIZES, SIZES, st.integers(0, 2**63), st.integers(0, 100), st.integers(1, 12))
def test_rows_are_positions_of_records(records, batch_size, seed, first_step, steps):
    rows = rows_of_steps(records, batch_size, seed, first_step, steps)
    assert rows.shape == (steps, batch_size)
    assert rows.dtype == np.int32
    assert rows.min() >= 0
    assert rows.max() < records


@given(SIZES, SIZES, st.integers(0, 99), st.integers(1, 4))
def test_every_epoch_holds_each_record_once(records, batch_size, seed, epochs):
    steps = -(-records * epochs // batch_size)
    row = rows_of_steps(records, batch_size, seed, 0, steps).ravel()
    for epoch in range(epochs):
        part = row[epoch * records : (epoch + 1) * records]
        assert sorted(part) == list(range(records))


@given(SIZES, SIZES, st.integers(0, 99), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_how_the_steps_are_cut_into_calls_changes_nothing(records, batch_size, seed, calls):
    whole = rows_of_steps(records, batch_size, seed, 0, sum(calls))
    step, parts = 0, []
    for steps in calls:
        parts.append(rows_of_steps(records, batch_size, seed, step, steps))
        step += steps
    assert np.array_equal(np.concatenate(parts), whole)


def test_epochs_and_seeds_differ():
    def first_epochs(seed: int) -> np.ndarray:
        return rows_of_steps(100, 100, seed, 0, 2)

    assert not np.array_equal(*first_epochs(0))
    assert not np.array_equal(first_epochs(0), first_epochs(1))
    assert not np.array_equal(first_epochs(0)[1], first_epochs(1)[0])
    assert not np.array_equal(first_epochs(0)[0], np.arange(100))


def test_a_batch_may_be_larger_than_the_set():
    rows = rows_of_steps(3, 10, 0, 0, 3)
    assert np.bincount(rows.ravel()).tolist() == [10, 10, 10]


def test_one_record_is_seen_again_and_again():
    assert rows_of_steps(1, 4, 0, 7, 2).tolist() == [[0] * 4] * 2


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 99), SIZES)
def test_balanced_epochs_hold_each_class_equally_often(labels, seed, epoch):
    labels = np.array(labels)
    rows = feed.Order(labels, seed, balanced=True).epoch(epoch)
    assert rows.shape == labels.shape and rows.dtype == np.int32
    times = np.bincount(labels[rows], minlength=5)[np.unique(labels)]
    assert times.max() - times.min() <= 1
    for label in np.unique(labels):  # and within a class each drawing, too
        mine = np.flatnonzero(labels == label)
        times = np.bincount(rows, minlength=len(labels))[mine]
        assert times.max() - times.min() <= 1


def test_balanced_epochs_follow_from_the_seed_and_differ():
    labels = np.repeat([0, 1, 2], [70, 20, 10])
    first, again, other = (feed.Order(labels, seed, balanced=True) for seed in (0, 0, 1))
    assert np.array_equal(first.epoch(3), again.epoch(3))
    assert not np.array_equal(first.epoch(3), first.epoch(4))
    assert not np.array_equal(first.epoch(3), other.epoch(3))
    assert set(np.concatenate([first.epoch(epoch) for epoch in range(9)])) == set(range(100))


def test_both_feeds_give_the_same_balanced_batches():
    images = np.arange(50, dtype=np.uint8).repeat(4).reshape(50, 2, 2, 1)
    labels = np.repeat([0, 1], [45, 5]).astype(np.int32)
    drawings = cache.Drawings({"image": images}, labels, "", BadRecords("error"))
    batches = []
    for megabytes in (1.0, 0.0001):
        settings = Settings(batch_size=6, balanced_sampling=True, memory_budget=megabytes)
        source = feed.create(drawings, settings, devices.create("none"))
        inputs = source.inputs(5, 3)
        for step in range(3):
            picked, targets = source.pick(source.data, inputs, step)
            batches.append([picked["image"].numpy(), targets.numpy()])
    for resident, streamed in zip(batches[:3], batches[3:], strict=True):
        assert all(map(np.array_equal, resident, streamed))


@given(
    st.sampled_from([(3, 3, 1), (28, 28, 1), (5, 7, 3), (1, 1, 1)]),
    st.sampled_from([np.uint8, np.int16]),
    st.integers(1, 5),
)
def test_rows_of_eight_bytes_hold_the_same(shape, dtype, count):
    limits = np.iinfo(dtype)
    random = np.random.default_rng(count)
    array = random.integers(limits.min, limits.max, (count, *shape), dtype, endpoint=True)
    words = feed._words(array)
    assert words.dtype == np.int64 and words.shape == (count, -(-array[0].nbytes // 8))
    again = feed._from_words(words, shape, array.dtype).numpy()
    assert again.dtype == dtype and np.array_equal(again, array)


def test_rows_that_are_words_already_are_not_copied():
    images = np.zeros((2, 28, 28, 1), np.uint8)
    assert np.shares_memory(feed._words(images), images)


def test_epochs_from_a_bucket_are_streamed_from_this_machine(tiny_data, tmp_path, server):
    for path in tiny_data.folder.glob("train-*"):
        server.store.put("b", f"data/{path.name}", path.read_bytes())
    asked, weights = [], []
    for epochs in (1.0, 3.0):
        before = len(server.requests)
        settings = Settings(
            train_data_pattern="gs://b/data/train-*",
            train_dir=str(tmp_path / f"{epochs}"),
            batch_size=20,
            num_epochs=epochs,
            memory_budget=0.05,
        )
        weights.append(fit(settings).model.get_weights())
        asked.append(len(server.requests) - before)
    # The first reads the records; three epochs ask no more than one, and find them in the cache.
    assert 0 < asked[1] <= asked[0]
    data = {"train_data_pattern": tiny_data.train, "train_dir": str(tmp_path / "local")}
    local = fit(Settings(**data, batch_size=20, num_epochs=3.0)).model.get_weights()
    assert all(map(np.array_equal, weights[1], local))


@pytest.mark.parametrize("label", [2**31, 2**32, 2**40 + 1])
def test_a_label_that_cannot_be_is_not_taken_for_another(tmp_path, write_records, label):
    path = write_records(tmp_path / "train-0", np.zeros((2, 4, 4), np.uint8), label=[0, label])
    with pytest.raises(QuickdrawError, match=str(label)):
        fit(Settings(train_data_pattern=path, train_dir=str(tmp_path / "run")))
