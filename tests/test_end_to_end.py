"""Train, evaluate, predict and score as a user does, on a tiny set of records."""

from __future__ import annotations

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from quickdraw import eval as evaluation
from quickdraw import inference, score, train
from quickdraw.datasets.sample import make_sample


def train_flags(tiny_data, train_dir: Path | str, **flags) -> list[str]:
    """The command line of a short training, with these flags changed."""
    settings = {
        "train_data_pattern": tiny_data.train,
        "eval_data_pattern": tiny_data.valid,
        "train_dir": train_dir,
        "model": "MlpModel",
        "model_params": "units=(16,), dropout=0.2",
        "batch_size": 10,
        "num_epochs": 10,
        "base_learning_rate": 0.01,
        **flags,
    }
    return ["train", *(f"--{name}={value}" for name, value in settings.items())]


def predictions_of(tiny_data, train_dir: Path | str, *flags: str) -> bytes:
    """What inference writes for the test records."""
    pattern = f"--input_data_pattern={tiny_data.test}"
    assert inference.main(["inference", f"--train_dir={train_dir}", pattern, *flags]) == 0
    return Path(train_dir, "predictions.csv").read_bytes()


def command(module: str, *flags: str) -> list[str]:
    return [sys.executable, "-m", f"quickdraw.{module}", *flags]


def wait_for(condition, seconds: float = 60) -> None:
    """Waits until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def test_train_eval_inference_score(tiny_data, tmp_path, capsys):
    run = tmp_path / "run"
    assert train.main(train_flags(tiny_data, run)) == 0
    assert {"run.json", "best.keras", "best.json", "metrics.csv", "checkpoints"} <= {
        path.name for path in run.iterdir()
    }
    with open(run / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert int(rows[-1]["step"]) == 120
    assert float(rows[-1]["eval_top1"]) > 0.9

    assert evaluation.main(["eval", f"--train_dir={run}", "--run_once"]) == 0
    printed = capsys.readouterr().out
    assert "hot dog" in printed and "top-1" in printed and "MAP@3" in printed
    report = json.loads((run / "eval.json").read_text())
    best = json.loads((run / "best.json").read_text())
    assert report["examples"] == 60
    assert report["top1"] == pytest.approx(best["top1"])
    assert set(report["per_class"]) == set(tiny_data.labels)

    lines = predictions_of(tiny_data, run).decode().splitlines()
    assert lines[0] == "image_id,label"
    assert [line.split(",")[0] for line in lines[1:]] == list(tiny_data.answers)
    paths = [f"--predictions={run}/predictions.csv", f"--solution={tiny_data.solution}"]
    capsys.readouterr()
    assert score.main(["score", *paths]) == 0
    right = sum(
        int(line.split(",")[1]) == tiny_data.answers[line.split(",")[0]] for line in lines[1:]
    )
    assert f"top-1 {right / 40:.4f}" in capsys.readouterr().out
    assert right > 36


def test_events_hold_curves_and_pictures(tiny_data, tmp_path):
    assert train.main(train_flags(tiny_data, tmp_path / "run")) == 0
    tags = {}
    for name in ("train", "eval"):
        events = EventAccumulator(str(tmp_path / "run" / name))
        events.Reload()
        tags[name] = {*events.Tags()["tensors"], *events.Tags()["images"]}
    assert {"loss", "top1", "learning_rate", "images_per_second", "images"} <= tags["train"]
    assert {"loss", "top1", "top3", "map3", "confusion", "recall/hot dog"} <= tags["eval"]


def test_kaggle_file_and_probabilities(tiny_data, tiny_run, tmp_path, capsys):
    kaggle, every = tmp_path / "kaggle.csv", tmp_path / "probabilities.csv"
    flags = ["--top_k=3", f"--output_file={kaggle}", f"--output_probabilities={every}"]
    predictions_of_run = [f"--train_dir={tiny_run}", f"--input_data_pattern={tiny_data.test}"]
    assert inference.main(["inference", *predictions_of_run, *flags]) == 0
    with open(kaggle, newline="") as file:
        words = list(csv.reader(file))
    assert words[0] == ["key_id", "word"]
    assert sorted(words[1][1].split()) == ["cat", "hot_dog", "sun"]
    with open(every, newline="") as file:
        rows = list(csv.DictReader(file))
    for (_, chosen), row in zip(words[1:], rows, strict=True):
        scores = {name.replace(" ", "_"): float(row[name]) for name in tiny_data.labels}
        assert sum(scores.values()) == pytest.approx(1, abs=1e-4)
        assert chosen.split()[0] == max(scores, key=scores.__getitem__)
    capsys.readouterr()
    paths = [f"--predictions={kaggle}", f"--solution={tiny_data.solution}"]
    assert score.main(["score", *paths]) == 0
    assert capsys.readouterr().out.startswith("MAP@3 ")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_predictions(tiny_data, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        flags = train_flags(tiny_data, tmp_path / name, seed=seed, num_epochs=1)
        assert train.main(flags) == 0
        flag = f"--output_probabilities={tmp_path / name / 'all.csv'}"
        predictions_of(tiny_data, tmp_path / name, flag)
    a, b, c = ((tmp_path / name / "all.csv").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.slow
def test_killed_and_resumed_ends_with_the_same_weights(tiny_data, tmp_path):
    """Kill -9 in the middle; evaluate and predict what there is; go on; compare."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    flags = {"num_epochs": 400, "eval_every": 100, "checkpoint_every_steps": 50}
    assert train.main(train_flags(tiny_data, whole, **flags)) == 0
    process = subprocess.Popen(command("train", *train_flags(tiny_data, killed, **flags)[1:]))
    wait_for(lambda: any(killed.glob("checkpoints/step-*.index")) or process.poll() is not None)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    predictions_of(tiny_data, killed, "--checkpoint=latest")
    assert evaluation.main(["eval", f"--train_dir={killed}", "--run_once"]) == 0
    assert train.main(train_flags(tiny_data, killed, **flags)) == 0
    for name in ("whole", "killed"):
        flag = f"--output_probabilities={tmp_path / name / 'all.csv'}"
        predictions_of(tiny_data, tmp_path / name, flag, "--checkpoint=latest")
    assert (whole / "all.csv").read_bytes() == (killed / "all.csv").read_bytes()

    def evaluations(run: Path) -> list[list[str]]:
        with open(run / "metrics.csv", newline="") as file:
            names = ("step", "epoch", "learning_rate", "eval_loss", "eval_top1")
            return [[row[name] for name in names] for row in csv.DictReader(file)]

    assert evaluations(whole) == evaluations(killed)


@pytest.mark.slow
def test_sigterm_saves_and_says_start_me_again(tiny_data, tmp_path):
    flags = train_flags(tiny_data, tmp_path / "run", num_epochs=20000)
    process = subprocess.Popen(command("train", *flags[1:]), stderr=subprocess.PIPE, text=True)
    wait_for(lambda: any(tmp_path.glob("run/checkpoints/step-*.index")))
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 75
    assert "Traceback" not in stderr
    assert "the same command goes on from there" in stderr.splitlines()[-1]


@pytest.mark.slow
def test_ctrl_c_saves_between_two_steps_and_nothing_is_lost(tiny_data, tmp_path):
    """A second Ctrl-C would end it at once; one ends with the weights of a run that had none."""
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    flags = {"num_epochs": 400, "eval_every": 100}
    assert train.main(train_flags(tiny_data, whole, **flags)) == 0
    call = command("train", *train_flags(tiny_data, stopped, **flags)[1:])
    process = subprocess.Popen(call, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: any(stopped.glob("checkpoints/step-*.index")) or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr.splitlines()[-1]) == (
        130,
        "python -m quickdraw.train: interrupted",
    )
    assert train.main(train_flags(tiny_data, stopped, **flags)) == 0
    for name in ("whole", "stopped"):
        flag = f"--output_probabilities={tmp_path / name / 'all.csv'}"
        predictions_of(tiny_data, tmp_path / name, flag, "--checkpoint=latest")
    assert (whole / "all.csv").read_bytes() == (stopped / "all.csv").read_bytes()


@pytest.mark.slow
def test_eval_follows_a_training_until_it_ends(tiny_data, tmp_path):
    run = tmp_path / "run"
    follower = subprocess.Popen(
        command("eval", f"--train_dir={run}", "--poll_seconds=0.1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert train.main(train_flags(tiny_data, run)) == 0
    stdout, stderr = follower.communicate(timeout=60)
    assert follower.returncode == 0, stderr
    assert "step 120, 60 drawings" in stdout
    assert "the training has ended at step 120" in stderr
    assert json.loads((run / "eval.json").read_text())["step"] == 120


@pytest.mark.slow
def test_interrupted_inference_leaves_no_predictions(tiny_data, tiny_run, tmp_path):
    """A pipe as second shard keeps inference waiting in the middle."""
    shard = Path(tiny_data.test.replace("-*", "-0.tfrecord")).read_bytes()
    (tmp_path / "test-0.tfrecord").write_bytes(shard)
    os.mkfifo(tmp_path / "test-1.tfrecord")
    output = tmp_path / "out.csv"
    process = subprocess.Popen(
        command(
            "inference",
            f"--train_dir={tiny_run}",
            f"--input_data_pattern={tmp_path}/test-*",
            f"--output_file={output}",
            "--batch_size=8",
        )
    )
    wait_for(lambda: Path(f"{output}.tmp").exists() or process.poll() is not None)
    assert process.poll() is None
    process.kill()
    process.wait()
    assert not output.exists()


@pytest.mark.slow
def test_no_flags_make_sample_data_and_train(tmp_path):
    result = subprocess.run(
        command("train", "--max_steps=3"), cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "synthetic" in result.stderr and "Real drawings" in result.stderr
    assert (tmp_path / "runs/LogisticModel/best.keras").exists()
    assert "traffic_light" in (tmp_path / "data/sample/dataset.json").read_text()


@pytest.mark.slow
def test_a_students_own_model_and_loss(tiny_data, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import tensorflow as tf\n"
        "from keras import layers\n"
        "from quickdraw.losses import BaseLoss\n"
        "from quickdraw.models import BaseModel\n"
        "class Tiny(BaseModel):\n"
        "    units: int = 4\n"
        "    def create_model(self, images, num_classes):\n"
        "        x = layers.Dense(self.units, activation='relu')(layers.Flatten()(images))\n"
        "        return layers.Dense(num_classes)(x)\n"
        "class Hinge(BaseLoss):\n"
        "    def calculate_loss(self, logits, labels):\n"
        "        right = tf.gather(logits, labels, axis=1, batch_dims=1)\n"
        "        return tf.reduce_sum(tf.nn.relu(1 + logits - right[:, None]), axis=1)\n"
    )
    flags = train_flags(tiny_data, "run", model="mine.Tiny", model_params="units=8")
    flags.append("--label_loss=mine.Hinge")
    result = subprocess.run(command("train", *flags[1:]), cwd=tmp_path)
    assert result.returncode == 0
    run = json.loads((tmp_path / "run/run.json").read_text())
    assert (run["model"], run["model_params"]) == ("mine.Tiny", {"units": 8})
    flags = ["--train_dir=run", f"--input_data_pattern={tiny_data.test}"]
    assert subprocess.run(command("inference", *flags), cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("model", ["CnnModel", "MlpModel"])
def test_resizing_is_kept_with_the_run(tiny_data, tmp_path, model):
    flags = train_flags(tiny_data, tmp_path / "run", model=model, model_params="", image_size=16)
    assert train.main([*flags, "--num_epochs=1"]) == 0
    assert predictions_of(tiny_data, tmp_path / "run").count(b"\n") == 41
    assert json.loads((tmp_path / "run/run.json").read_text())["image_size"] == 16


def steps(capsys) -> list[list[str]]:
    """The commands that a training has named at its end, as a shell takes them."""
    lines = capsys.readouterr().err.partition("Next:")[2].splitlines()
    return [shlex.split(line) for line in lines if line.startswith("  ")]


def test_what_is_printed_can_be_pasted(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_sample("my data, [1]", per_category=20)
    records = ["--train_data_pattern=my data[,] [[]1]/train-*", "--max_steps=2"]
    validated = "--eval_data_pattern=my data[,] [[]1]/valid-*"
    assert train.main(["train", *records, validated, "--train_dir=my run (1), b"]) == 0
    evaluated, predicted, watched = steps(capsys)
    assert evaluation.main(evaluated[2:]) == 0
    assert inference.main(predicted[2:]) == 0
    assert (tmp_path / "my run (1), b/predictions.csv").exists()
    assert watched == ["tensorboard", "--logdir=."]


def test_no_evaluation_is_named_where_there_is_nothing_to_evaluate_on(tiny_data, tmp_path, capsys):
    flags = [f"--train_data_pattern={tiny_data.train}", "--max_steps=2"]
    assert train.main(["train", *flags, f"--train_dir={tmp_path / 'a b'}"]) == 0
    named, watched = steps(capsys)
    assert named == ["python", "-m", "quickdraw.inference", "--help"]
    assert watched == ["tensorboard", f"--logdir={tmp_path}"]
