"""A dry run finds what a training would fail on, says what it would take, and leaves no trace."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from quickdraw import train
from quickdraw.training import Settings, fit
from quickdraw.training.data import cache


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"DRY_RUN": "1"}, ["DRY_RUN changes nothing here: --dry_run tries"]),
        ({"USE_VALID": "True"}, ["USE_VALID changes nothing here: --use_valid_as_train"]),
        ({"USE_VALID": "yes", "DRY_RUN": "on"}, ["DRY_RUN changes", "USE_VALID changes"]),
        ({"DRY_RUN": "0", "USE_VALID": ""}, []),
        ({}, []),
    ],
    ids=str,
)
def test_variables_of_another_kit_are_answered_with_flags(monkeypatch, capfd, variables, told):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert train.main(["train", "--train_data_pattern=nowhere/*"]) == 1
    error = capfd.readouterr().err
    assert all(one in error for one in told)
    assert error.count("changes nothing here") == len(told)


def trace_of(*folders: str | Path) -> dict[str, int]:
    """Every file and folder below some, and when the files were written.

    AutoGraph's own files go when the process ends.
    """
    paths = [path for folder in folders for path in Path(folder).rglob("*")]
    return {
        str(path): path.is_file() and path.stat().st_mtime_ns
        for path in paths
        if not path.name.startswith("__autograph")
    }


@pytest.fixture
def dry_run(tiny_data, tmp_path, capfd, monkeypatch):
    """`dry_run(**flags)`: exit code and stderr; checks that nothing is left behind."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    os.makedirs(cache.folder(), exist_ok=True)
    settings = {"train_data_pattern": tiny_data.train, "eval_data_pattern": tiny_data.valid}

    def run(**flags) -> tuple[int, str]:
        chosen = {**settings, "train_dir": tmp_path / "run", **flags}
        before = trace_of(tmp_path, cache.folder(), tiny_data.folder)
        given = [f"--{name}={value}" for name, value in chosen.items() if value is not None]
        code = train.main(["train", "--dry_run", *given])
        assert trace_of(tmp_path, cache.folder(), tiny_data.folder) == before
        return code, capfd.readouterr().err

    return run


def test_it_says_what_the_training_would_take(dry_run):
    code, told = dry_run(batch_size=7, num_epochs=3, eval_every=0.5, model="MlpModel")
    assert code == 0
    assert re.search(r"step 30 .*validation loss", told)
    assert "drawings: 120 (0 MB decoded), 60 for validation" in told
    assert "steps: 51 of 7 drawings; 6 evaluations" in told
    assert re.search(r"time: about 0:0\d at [1-9][\d,]* images/s", told)


def test_part_of_the_drawings_is_decoded_and_all_are_counted(dry_run, write_records, tmp_path):
    labels = np.arange(1500) % 2
    images = np.zeros((1500, 4, 4), np.uint8)
    pattern = write_records(tmp_path / "many", images, label=labels)
    code, told = dry_run(train_data_pattern=pattern, eval_data_pattern=None, max_steps=9)
    assert code == 0
    assert "1,005 training drawings" in told
    assert "drawings: 1,500 (0 MB decoded), 0 for validation" in told
    assert "steps: 9 of 128 drawings; 0 evaluations" in told


def test_an_earlier_run_would_go_on(dry_run, tiny_data, tmp_path):
    common = {"batch_size": 20, "max_steps": 40}
    patterns = {"train_data_pattern": tiny_data.train, "eval_data_pattern": tiny_data.valid}
    fit(Settings(**patterns, **common, train_dir=str(tmp_path / "run")))
    assert "steps: 40 of 20 drawings, from step 40 on" in dry_run(**common)[1]
    code, told = dry_run(batch_size=30)
    assert code == 1
    assert "holds a run with other settings: batch_size 20 → 30" in told
    assert dry_run(batch_size=30, start_new_model=True)[0] == 0


@pytest.mark.parametrize(
    "flags, message",
    [
        ({"model": "CnModel"}, "'CnModel'"),
        ({"train_data_pattern": "nowhere/*"}, "no file matches"),
        ({"eval_data_pattern": "nowhere/*"}, "no file matches"),
        ({"class_weights": "mouse=2"}, "no class 'mouse'"),
        ({"augment": "spin=2"}, "no parameter 'spin'"),
        ({"augment": "flip=True, never_flip=('mouse',)"}, "never_flip: no class 'mouse'"),
        ({"optimizer": "adam", "weight_decay": 0.1}, "adamw is Adam with it"),
        ({"base_learning_rate": 1e38, "optimizer": "sgd"}, "not a number any more"),
        ({"train_dir": __file__}, "the folder cannot be made or written to"),
        ({"train_data_pattern": None}, "--dry_run needs --train_data_pattern"),
        ({"lr_find": True}, "either --dry_run or --lr_find"),
    ],
    ids=str,
)
def test_what_the_training_would_fail_on_shows(dry_run, flags, message):
    code, told = dry_run(**flags)
    assert code != 0
    assert message in told
    assert "all is well" not in told


def test_somebody_elses_folder_shows(dry_run, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").touch()
    code, told = dry_run()
    assert code == 1
    assert "is not empty and no run of quickdraw" in told


def test_a_damaged_record_far_behind_shows(dry_run, write_records, tmp_path):
    path = write_records(tmp_path / "many", np.zeros((1200, 4, 4), np.uint8), label=[0] * 1200)
    data = bytearray(Path(path).read_bytes())
    data[-20] ^= 255
    Path(path).write_bytes(data)
    code, told = dry_run(train_data_pattern=path)
    assert code == 1
    assert "record 1199: corrupted data" in told


@pytest.mark.slow
def test_xla_takes_a_model_with_max_pooling(tiny_data, tmp_path):
    command = [sys.executable, "-m", "quickdraw.train", f"--train_data_pattern={tiny_data.train}"]
    flags = ["--dry_run", f"--train_dir={tmp_path / 'run'}", "--model=CnnModel", "--xla"]
    ran = subprocess.run([*command, *flags], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_precision_that_this_cpu_is_slow_in_comes_with_a_warning(tiny_data, tmp_path, precision):
    command = [sys.executable, "-m", "quickdraw.train", f"--train_data_pattern={tiny_data.train}"]
    flags = ["--dry_run", f"--train_dir={tmp_path / 'run'}", f"--precision={precision}"]
    # Without oneDNN no CPU is fast in bfloat16.
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}
    ran = subprocess.run([*command, *flags], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0
    warned = "--precision=auto would be faster" in ran.stderr
    assert warned == (precision == "bfloat16")
