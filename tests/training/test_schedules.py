"""The learning rate: its course, and what evaluations make of it."""

from __future__ import annotations

import csv
import math
import typing
from pathlib import Path

import pytest
import tensorflow as tf

from quickdraw import runs
from quickdraw.errors import QuickdrawError
from quickdraw.evaluation.metrics import Metrics
from quickdraw.models import BaseModel
from quickdraw.runs import best_model
from quickdraw.tracking import tensorboard
from quickdraw.training import Settings, fit
from quickdraw.training.schedules import share_of_rate
from quickdraw.training.settings import Schedule


class UnteachableModel(BaseModel):
    """Says the same of every drawing, whatever it is taught."""

    def create_model(self, images, num_classes):
        from keras import layers

        still = layers.Dense(num_classes, trainable=False, kernel_initializer="zeros")
        moving = layers.Dense(num_classes, use_bias=False)
        flat = layers.Flatten()(images)
        return still(flat) + 1e-9 * moving(flat)


def shares(schedule: Schedule, steps: int) -> list[float]:
    return share_of_rate(schedule, tf.range(steps), steps).numpy().tolist()


@pytest.mark.parametrize("schedule", typing.get_args(Schedule))
def test_every_step_takes_some_share(schedule):
    for steps in (1, 2, 3, 7, 19, 20, 21, 1000):
        assert all(0 < share <= 1 + 1e-6 for share in shares(schedule, steps)), steps


@pytest.mark.parametrize("schedule", typing.get_args(Schedule))
def test_it_rises_to_the_whole_rate(schedule):
    course = shares(schedule, 1000)
    peak = 300 if schedule == "one_cycle" else 49
    assert course[peak] == pytest.approx(1, abs=1e-3)
    assert course[:peak] == sorted(course[:peak])
    assert course[0] == pytest.approx(0.04 if schedule == "one_cycle" else 0.02, rel=1e-3)


@pytest.mark.parametrize(
    "schedule, expected",
    [
        ("constant", [1, 1, 1]),
        ("plateau", [1, 1, 1]),
        ("cosine", [0.5, 0.1464, 0]),
        ("step", [0.1, 0.01, 0.01]),
        ("one_cycle", [0.5, 0.1464, 0]),
    ],
)
def test_it_falls(schedule, expected):
    """At the half, three quarters and the end of what comes after the rise."""
    begin = 0.3 if schedule == "one_cycle" else 0.05
    course = shares(schedule, 100_000)
    at = [int(1e5 * (begin + (1 - begin) * part)) + 1 for part in (0.5, 0.75)]
    assert [course[at[0]], course[at[1]], course[-1]] == pytest.approx(expected, abs=1e-3)


def unteachable(tiny_data, train_dir: Path, **changes) -> Settings:
    values = {
        "train_data_pattern": tiny_data.train,
        "eval_data_pattern": tiny_data.valid,
        "train_dir": str(train_dir),
        "model": f"{__name__}.UnteachableModel",
        "batch_size": 60,
        "num_epochs": 10.0,
        "eval_every": 1,
    }
    return Settings(**{**values, **changes})


def column(train_dir: Path, name: str) -> list[float]:
    with open(train_dir / "metrics.csv", newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def test_a_plateau_lowers_the_rate(tiny_data, tmp_path, capfd):
    changes = {"schedule": "plateau", "plateau_patience": 4, "base_learning_rate": 1.0}
    fit(unteachable(tiny_data, tmp_path / "run", **changes))
    # The first evaluation is the best; every fourth after that halves what comes next.
    assert (
        column(tmp_path / "run", "learning_rate")
        == [1] * 5 + [0.5] * 4 + [0.25] * 4 + [0.125] * 4 + [0.0625] * 3
    )
    told = "no better top-1 for 4 evaluations: the learning rate is multiplied by 0.5"
    assert told in capfd.readouterr().err


def test_it_stops_early_and_stays_stopped(tiny_data, tmp_path, capfd):
    settings = unteachable(tiny_data, tmp_path / "run", early_stopping=3)
    assert fit(settings).step == 1  # the best
    assert "no better top-1 for 3 evaluations: this is the end" in capfd.readouterr().err
    assert runs.read(str(tmp_path / "run")).finished_step == 4
    fit(settings)
    assert column(tmp_path / "run", "step") == [1, 2, 3, 4]


@pytest.mark.parametrize(("monitor", "stops"), [("top1", 3), ("loss", 4)])
def test_it_goes_by_the_loss_where_asked_to(
    tiny_data, tmp_path, monkeypatch, monitor, stops, capfd
):
    """Top-1 stays what it is after the first evaluation, the loss gets better once more."""
    losses = iter([3.0, 2.0, 2.0, 4.0, 5.0, 6.0])
    result = Metrics.result

    def same_top1(self: Metrics) -> dict[str, float]:
        if not hasattr(self, "figures"):
            self.figures = {**result(self), "top1": 0.5, "loss": next(losses)}
        return self.figures

    monkeypatch.setattr(Metrics, "result", same_top1)
    monkeypatch.setattr(tensorboard, "write_evaluation", lambda *arguments: None)
    changes = {"monitor": monitor, "early_stopping": 2, "schedule": "plateau", "num_epochs": 3.0}
    rates = {"plateau_patience": 1, "plateau_factor": 0.1, "base_learning_rate": 1.0}
    settings = unteachable(tiny_data, tmp_path / "run", **changes, **rates)
    fit(settings)
    assert runs.read(str(tmp_path / "run")).finished_step == stops
    best = best_model.metrics_of(str(tmp_path / "run"))
    assert (best["step"], best["loss"]) == ((1, 3.0) if monitor == "top1" else (2, 2.0))
    name = {"top1": "top-1", "loss": "loss"}[monitor]
    told = capfd.readouterr().err
    assert f"no better {name} for 1 evaluations: the learning rate is multiplied by 0.1" in told
    assert f"no better {name} for 2 evaluations: this is the end" in told
    assert column(tmp_path / "run", "learning_rate")[-1] == pytest.approx(0.1)
    kept = runs.read(str(tmp_path / "run")).settings
    assert kept["plateau_factor"] == 0.1
    assert kept.get("monitor") == (None if monitor == "top1" else "loss")


def test_a_loss_that_is_no_number_is_never_the_best(tiny_data, tmp_path, monkeypatch):
    result = Metrics.result
    monkeypatch.setattr(Metrics, "result", lambda self: {**result(self), "loss": math.nan})
    fit(unteachable(tiny_data, tmp_path / "run", monitor="loss", early_stopping=2))
    assert runs.read(str(tmp_path / "run")).finished_step == 2
    assert not best_model.exists(str(tmp_path / "run"))


@pytest.mark.parametrize("change", [{"early_stopping": 1}, {"schedule": "plateau"}])
def test_they_go_by_validation_records(tiny_data, tmp_path, change):
    settings = unteachable(tiny_data, tmp_path / "run", eval_data_pattern=None, **change)
    with pytest.raises(QuickdrawError, match="--eval_data_pattern is needed"):
        fit(settings)
