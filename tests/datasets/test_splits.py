"""Splits: a drawing's pixels decide, nothing else does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.datasets import splits
from quickdraw.errors import QuickdrawError

percentages = st.tuples(st.integers(1, 100), st.integers(0, 100)).map(
    lambda parts: (parts[0], min(parts[1], 100 - parts[0]), max(100 - sum(parts), 0))
)


@given(percentages)
def test_parse_reads_what_was_written(parts):
    assert splits.parse("{}/{}/{}".format(*parts)) == parts


@given(st.text(max_size=12))
def test_parse_accepts_or_explains(text):
    try:
        assert sum(splits.parse(text)) == 100
    except QuickdrawError as error:
        assert repr(text) in str(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "three whole percentages"),
        ("80/20", "three whole percentages"),
        ("80/10/5/5", "three whole percentages"),
        ("0.8/0.1/0.1", "three whole percentages"),
        ("-80/90/90", "three whole percentages"),
        ("80/10/20", "adds up to 110"),
        ("0/50/50", "some drawings to train on"),
    ],
)
def test_parse_says_what_is_wrong(text, words):
    with pytest.raises(QuickdrawError, match=words):
        splits.parse(text)


@given(st.binary(), percentages)
def test_a_drawing_stays_in_its_split(content, parts):
    split = splits.split_of(content, parts)
    assert split == splits.split_of(bytes(content), parts)
    assert parts[splits.SPLITS.index(split)] > 0


@given(st.binary())
def test_less_validation_moves_no_drawing_between_train_and_test(content):
    if splits.split_of(content, (80, 10, 10)) != "valid":
        assert splits.split_of(content, (80, 5, 15)) == splits.split_of(content, (80, 10, 10))


def test_the_rule_never_changes():
    """Published data sets were split by it."""
    image = np.arange(784, dtype=np.uint8).reshape(28, 28)
    assert splits.key_of(splits.content_of(image)) == 14575318230693342309
    assert [splits.split_of(bytes([n])) for n in range(3)] == ["test", "valid", "train"]


def test_shape_counts_as_content():
    zeros = np.zeros(16, np.uint8)
    contents = {splits.content_of(zeros.reshape(shape)) for shape in [(4, 4), (2, 8), (16, 1)]}
    assert len(contents) == 3


def test_the_shares_are_as_asked():
    keys = np.array([splits.key_of(b"%d" % n) for n in range(20_000)], np.uint64)
    shares = np.bincount(splits.assign(keys, (80, 10, 10)), minlength=3) / len(keys)
    np.testing.assert_allclose(shares, (0.8, 0.1, 0.1), atol=0.01)
