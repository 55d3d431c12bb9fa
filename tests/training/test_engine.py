"""`fit`: training on the validation records, too."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from quickdraw import average, calibrate, runs
from quickdraw import eval as evaluate
from quickdraw.errors import QuickdrawError
from quickdraw.training import Settings, fit


@pytest.fixture(scope="module")
def blind_run(tiny_data, tmp_path_factory) -> str:
    """A run that trained on the validation records, too. Only read it."""
    train_dir = str(tmp_path_factory.mktemp("blind") / "run")
    data = {"train_data_pattern": tiny_data.train, "eval_data_pattern": tiny_data.valid}
    rate = {"base_learning_rate": 0.5, "schedule": "constant", "optimizer": "sgd"}
    common = {"batch_size": 60, "num_epochs": 4.0}
    fit(Settings(**data, **rate, **common, use_valid_as_train=True, train_dir=train_dir))
    return train_dir


def test_the_validation_records_are_trained_on_and_the_last_model_is_the_best(blind_run):
    assert runs.read(blind_run).finished_step == 12  # 180 drawings, not 120
    with open(f"{blind_run}/metrics.csv", newline="") as file:
        top1 = [float(row["eval_top1"]) for row in csv.DictReader(file)]
    assert len(top1) == 4
    with open(f"{blind_run}/best.json") as file:
        best = json.load(file)
    assert best["step"] == 12
    assert best["top1"] == pytest.approx(top1[-1], abs=1e-5)


@pytest.mark.parametrize("command", [evaluate, calibrate])
def test_figures_on_what_was_trained_on_come_with_a_warning(
    blind_run, tiny_run, tmp_path, capfd, command
):
    once = ["--run_once"] if command is evaluate else []
    command.main(["command", f"--train_dir={blind_run}", *once])
    assert "trained on these records too" in capfd.readouterr().err
    command.main(["command", f"--train_dir={tiny_run}", *once])
    assert "trained on these records too" not in capfd.readouterr().err


def test_the_best_checkpoints_are_not_known(blind_run, tmp_path, capfd):
    flags = [f"--train_dir={blind_run}", f"--output_dir={tmp_path}/mean", "--best=2"]
    assert average.main(["average", *flags]) == 1
    assert "was trained on all its validation records" in capfd.readouterr().err


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"eval_data_pattern": None}, "--eval_data_pattern is needed"),
        ({"early_stopping": 2}, "validation records that are not trained on"),
        ({"schedule": "plateau"}, "validation records that are not trained on"),
    ],
    ids=str,
)
def test_what_needs_validation_is_refused(tiny_data, tmp_path, changes, message):
    settings = {
        "train_data_pattern": tiny_data.train,
        "eval_data_pattern": tiny_data.valid,
        "train_dir": str(tmp_path / "run"),
        "use_valid_as_train": True,
    }
    with pytest.raises(QuickdrawError, match=message):
        fit(Settings(**{**settings, **changes}))


@pytest.mark.parametrize("copied", [False, True])
def test_validation_records_that_are_trained_on_are_told(tiny_data, tmp_path, capfd, copied):
    valid = tiny_data.valid
    if copied:
        shutil.copy(tiny_data.folder / "valid-0.tfrecord", tmp_path / "others.tfrecord")
        shutil.copy(tiny_data.folder / "dataset.json", tmp_path)
        valid = f"{tmp_path}/others.tfrecord"
    data = {"train_data_pattern": f"{tiny_data.train},{valid}", "max_steps": 1}
    fit(Settings(**data, eval_data_pattern=tiny_data.valid, train_dir=str(tmp_path / "run")))
    told = capfd.readouterr().err
    assert f"1 of 1 files of validation records are also trained on, {tiny_data.folder}" in told


def test_a_batch_larger_than_the_set_is_told_and_taken(tiny_data, tmp_path, capfd):
    data = {"train_data_pattern": tiny_data.train, "eval_data_pattern": tiny_data.valid}
    fit(Settings(**data, batch_size=500, max_steps=2, train_dir=str(tmp_path / "run")))
    told = capfd.readouterr().err
    assert "--batch_size=500 is more than there are drawings" in told
    assert "also trained on" not in told
    assert runs.read(str(tmp_path / "run")).finished_step == 2
