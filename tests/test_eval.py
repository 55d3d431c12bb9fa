"""`eval`: the camp's command line, and a run that goes away while it waits."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quickdraw import eval as evaluation
from quickdraw.errors import QuickdrawError
from quickdraw.evaluation import metrics
from quickdraw.runs import record


def evaluate(train_dir: str, *flags: str) -> int:
    return evaluation.main(["eval", f"--train_dir={train_dir}", "--run_once=True", *flags])


def test_the_camps_line_works(tiny_run, capsys):
    assert evaluate(tiny_run, "--model=LogisticModel", "--label_loss=CrossEntropyLoss") == 0
    assert "top-1" in capsys.readouterr().out


def test_figures_of_the_classes_their_means_and_the_confusion_matrix(tiny_run, tmp_path, capsys):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    assert evaluate(str(run)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["class", "precision", "recall", "F1", "drawings"]
    assert [line[:13].strip() for line in lines[1:6]] == [
        *("cat", "hot dog", "sun", "macro mean", "weighted mean")
    ]
    content = json.loads((run / "eval.json").read_text())
    assert lines[4].split()[-2:] == [f"{content['means']['macro']['f1']:.2%}", "60"]
    with open(run / "confusion.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["label \\ prediction", "cat", "hot dog", "sun"]
    assert [row[0] for row in rows] == header[1:]
    counts = np.array([row[1:] for row in rows], int)
    of = content["per_class"].values()
    assert counts.sum(axis=1).tolist() == [each["examples"] for each in of]
    assert np.diag(counts) / counts.sum(axis=1) == pytest.approx([each["recall"] for each in of])
    with Image.open(run / "confusion.png") as picture:
        assert min(picture.size) > 100


def test_of_many_classes_there_is_no_confusion_matrix(tiny_run, tmp_path, monkeypatch):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    for left in run.glob("confusion.*"):
        left.unlink()
    monkeypatch.setattr(metrics, "MOST_CONFUSED", 2)
    assert evaluate(str(run)) == 0
    assert "means" in json.loads((run / "eval.json").read_text())
    assert not list(run.glob("confusion.*"))


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--model=CnnModel", "holds a run with --model=LogisticModel. Received: CnnModel"),
        ("--model=my_models.LogisticModel", "Received: my_models.LogisticModel"),
        ("--label_loss=FocalLoss", "holds a run with --label_loss=CrossEntropyLoss. Received"),
    ],
)
def test_another_model_or_loss_than_the_runs_is_refused(tiny_run, capsys, flag, told):
    assert evaluate(tiny_run, flag) == 1
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("own", "given", "fits"),
    [
        ("CnnModel", "CnnModel", True),
        ("CnnModel", "quickdraw.models.CnnModel", True),
        ("CnnModel", "my_models.CnnModel", False),
        ("my_models.MyModel", "MyModel", True),
        ("my_models.MyModel", "my_models.MyModel", True),
        ("my_models.MyModel", "others.MyModel", False),
        ("my_models.MyModel", "Model", False),
        ("CnnModel", None, True),
    ],
)
def test_a_class_may_be_named_with_or_without_its_module(tiny_run, own, given, fits):
    run = record.read(tiny_run)
    run.model = own
    if fits:
        run.check_names(tiny_run, given, None)
    else:
        with pytest.raises(QuickdrawError, match="leave --model out"):
            run.check_names(tiny_run, given, None)


def test_records_that_were_trained_on_are_told(tiny_data, tiny_run, tmp_path, capsys):
    run = str(shutil.copytree(tiny_run, tmp_path / "run"))
    assert evaluate(run, f"--eval_data_pattern={tiny_data.valid}") == 0
    assert "trained on" not in capsys.readouterr().err
    assert evaluate(run, f"--eval_data_pattern={tiny_data.valid},{tiny_data.train}") == 0
    told = capsys.readouterr().err
    assert f"was trained on {tiny_data.folder}/train-0.tfrecord and 1 more of these files" in told


@pytest.fixture
def followed(tiny_run, tmp_path) -> Iterator[tuple[Path, Iterator[str]]]:
    """A run that has not ended, and the lines that `eval` writes about it, as it waits."""
    folder = tmp_path / "run"
    shutil.copytree(tiny_run, folder)
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**content, "finished_step": None}))
    flags = [f"--train_dir={folder}", "--poll_seconds=0.1"]
    with subprocess.Popen(
        [sys.executable, "-m", "quickdraw.eval", *flags], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        yield folder, iter(process.stderr.readline, "")
        assert process.wait(timeout=20) == 1


@pytest.mark.slow
@pytest.mark.parametrize("checkpoints", [True, False])
def test_a_run_that_is_deleted_ends_with_a_message(followed, checkpoints):
    folder, lines = followed
    if not checkpoints:
        shutil.rmtree(folder / "checkpoints")
    assert any("waiting for a checkpoint" in line for line in lines)
    shutil.rmtree(folder)
    assert list(lines)[-1].endswith("the run is gone, deleted or moved: this is the end\n")
    assert not folder.exists()


@pytest.mark.slow
def test_another_run_in_its_place_ends_it_too(followed):
    folder, lines = followed
    assert any("waiting for a checkpoint" in line for line in lines)
    content = json.loads((folder / "run.json").read_text())
    (folder / "new.json").write_text(json.dumps({**content, "started": "tomorrow"}))
    (folder / "new.json").replace(folder / "run.json")
    assert "another run, started tomorrow, has taken the place" in list(lines)[-1]
