"""The learning-rate range test: the rate rises, the loss falls and rises, a rate is suggested."""

from __future__ import annotations

import itertools
import re

import pytest
import tensorflow as tf

from quickdraw import train
from quickdraw.losses import BaseLoss
from quickdraw.training import Settings
from quickdraw.training.lr_find import Point, lowest, range_test, table


class SquaredLoss(BaseLoss):
    """Of the logits: steps that are too long make it large."""

    def calculate_loss(self, logits, labels):
        return tf.reduce_sum((logits - tf.one_hot(labels, logits.shape[1])) ** 2, axis=1)


@pytest.fixture(scope="module")
def points(tiny_data) -> list[Point]:
    how = {"label_loss": f"{__name__}.SquaredLoss", "optimizer": "sgd", "batch_size": 20}
    return range_test(Settings(train_data_pattern=tiny_data.train, **how))


def test_the_rate_rises_exponentially_from_1e_6_to_1(points):
    assert points[0].rate == pytest.approx(1e-6, rel=1e-4)
    steps = [later.rate / one.rate for one, later in itertools.pairwise(points)]
    assert steps == pytest.approx([10 ** (6 / 299)] * len(steps), rel=1e-4)


def test_the_loss_falls_at_a_rate_that_trains_and_rises_at_one_that_does_not(points):
    best = lowest(points)
    assert 1e-4 < best.rate < 0.5
    assert best.loss < 0.5 * points[0].loss
    assert points[-1].loss > 4 * best.loss
    assert all(point.loss <= 4 * best.loss for point in points[points.index(best) : -1])


def test_the_suggestion_can_be_pasted_and_is_a_tenth_of_the_best():
    told = table([Point(1e-3, 2.0), Point(1e-2, 0.5), Point(1e-1, 1.0)])
    assert told.splitlines()[-1] == "--base_learning_rate=1.0e-03"
    assert "Lowest at 1.0e-02: 0.5000" in told


@pytest.mark.parametrize("points", [[], [Point(1e-6, 1.0), Point(1.0, 0.97)]])
def test_a_loss_that_does_not_fall_gives_no_suggestion(points):
    assert "no suggestion" in table(points)
    assert "--base_learning_rate" not in table(points)


def test_the_command_prints_a_table_and_writes_no_run(tiny_data, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = f"--train_data_pattern={tiny_data.train}"
    assert train.main(["train", data, "--lr_find", "--batch_size=20"]) == 0
    table = capfd.readouterr().out
    assert re.search(r"^--base_learning_rate=[\d.e-]+$", table, re.M)
    assert len(re.findall(r"^ +\d\.\de-0\d  \d\.\d{4}$", table, re.M)) >= 8
    assert not list(tmp_path.iterdir())
