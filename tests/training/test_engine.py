"""`fit`: what it takes, and training on the validation records, too."""

from __future__ import annotations

import csv
import gzip
import json
import shutil

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from reading import noise

from quickdraw import average, calibrate, runs
from quickdraw import eval as evaluate
from quickdraw.errors import QuickdrawError
from quickdraw.models import CnnModel
from quickdraw.training import Settings, fit, validation_records


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


@pytest.mark.parametrize(
    ("every", "told"),
    [
        (1, "--eval_every=1 evaluates every 1 step(s), 60 times an epoch. With a decimal point"),
        (1.0, ""),
        (500, ""),
        (500.0, "--eval_every=500.0, of 8 epochs, evaluates only at the end"),
    ],
)
def test_epochs_that_were_meant_by_steps_are_told(tiny_data, tmp_path, capfd, every, told):
    data = {"train_data_pattern": tiny_data.train, "eval_data_pattern": tiny_data.valid}
    steps = {"batch_size": 2, "max_steps": 2, "eval_every": every}
    fit(Settings(**data, **steps, train_dir=str(tmp_path / "run")))
    error = capfd.readouterr().err
    assert told in error
    assert ("note: --eval_every" in error) == bool(told)


def test_one_class_alone_is_said(write_records, tmp_path, capfd):
    one, two = ([1] * 9, [0, 1, 1] * 3)
    for name, labels in (("one", one), ("two", two)):
        pattern = write_records(tmp_path / name, noise(9), label=labels)
        fit(
            Settings(
                train_data_pattern=pattern, num_epochs=1.0, train_dir=str(tmp_path / f"r{name}")
            )
        )
        is_said = (
            "all are of the class '1': there is nothing to tell apart" in capfd.readouterr().err
        )
        assert is_said == (name == "one")


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


@pytest.mark.parametrize("how", ["the same file", "a copy", "gzipped"])
def test_validation_records_that_are_trained_on_are_told(tiny_data, tmp_path, capfd, how):
    valid = tiny_data.folder / "valid-0.tfrecord"
    if how != "the same file":
        shutil.copy(tiny_data.folder / "dataset.json", tmp_path)
        content = valid.read_bytes()
        valid = tmp_path / "others.tfrecord"
        valid.write_bytes(gzip.compress(content) if how == "gzipped" else content)
    data = {"train_data_pattern": f"{tiny_data.train},{valid}", "max_steps": 1}
    fit(Settings(**data, eval_data_pattern=tiny_data.valid, train_dir=str(tmp_path / "run")))
    told = capfd.readouterr().err
    assert "warning: 60 of 60 validation drawings are also trained on" in told


def test_a_part_of_the_validation_records_is_trained_on(tmp_path, capfd, write_records):
    images = noise(150)
    write_records(tmp_path / "train-0.tfrecord", images[:60], label=np.arange(60) % 3)
    write_records(tmp_path / "valid-0.tfrecord", images[40:], label=np.arange(110) % 3)
    data = {"train_data_pattern": f"{tmp_path}/train-*", "eval_data_pattern": f"{tmp_path}/valid-*"}
    fit(Settings(**data, max_steps=1, train_dir=str(tmp_path / "run")))
    assert "20 of 110 validation drawings are also trained on" in capfd.readouterr().err


def test_drawings_that_are_given_twice_are_told(tmp_path, capfd, write_records):
    images = noise(150)
    write_records(tmp_path / "train-0.tfrecord", images[:60], label=np.arange(60) % 3)
    write_records(tmp_path / "train-1.tfrecord", images[30:90], label=np.arange(60) % 3)
    write_records(tmp_path / "valid-0.tfrecord", images[90:], label=np.arange(60) % 3)
    shutil.copy(tmp_path / "valid-0.tfrecord", tmp_path / "valid-copy.tfrecord")
    data = {"train_data_pattern": f"{tmp_path}/train-*", "eval_data_pattern": f"{tmp_path}/valid-*"}
    fit(Settings(**data, max_steps=1, train_dir=str(tmp_path / "run")))
    told = capfd.readouterr().err
    assert "warning: 30 of 120 training drawings are copies of others among them" in told
    assert "warning: 60 of 120 validation drawings are copies of others among them" in told
    assert "also trained on" not in told


@hypothesis.given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 1000))
def test_equal_drawings_have_equal_hashes_and_others_do_not(count, side, seed):
    images = np.random.default_rng(seed).integers(0, 2, (count, side, side, 1), np.uint8) * 128
    hashes = validation_records._hashes(images)
    distinct = len(np.unique(images.reshape(count, -1), axis=0))
    assert len(np.unique(hashes)) == distinct
    assert (validation_records._hashes(images[::-1]) == hashes[::-1]).all()


def test_a_batch_larger_than_the_set_is_told_and_taken(tiny_data, tmp_path, capfd):
    data = {"train_data_pattern": tiny_data.train, "eval_data_pattern": tiny_data.valid}
    fit(Settings(**data, batch_size=500, max_steps=2, train_dir=str(tmp_path / "run")))
    told = capfd.readouterr().err
    assert "--batch_size=500 is more than there are drawings" in told
    assert "also trained on" not in told
    assert runs.read(str(tmp_path / "run")).finished_step == 2


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (lambda: fit({"model": "CnnModel"}), r"fit takes Settings\(…\)\. Received: dict"),
        (lambda: Settings(model=CnnModel), r"a class: CnnModel\(\) is an instance"),
    ],
)
def test_what_is_handed_over_in_the_place_of_an_instance_is_told(mistake, told):
    with pytest.raises(QuickdrawError, match=told):
        mistake()
