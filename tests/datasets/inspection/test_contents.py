"""What the name of a shard says."""

import pytest

from quickdraw.datasets.inspection.contents import split_in_name


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("gs://b/train-00000-of-00004.tfrecords", "train"),
        ("d/valid.tfrecord", "valid"),
        ("d/test_3.tfrecords", "test"),
        ("d/training.tfrecord-00000-of-00010", "training"),
        ("d/00000.tfrecords", "00000"),
    ],
)
def test_the_split_is_the_start_of_the_name(path, split):
    assert split_in_name(path) == split
