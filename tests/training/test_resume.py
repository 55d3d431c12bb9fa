"""Killed at any moment, started again: the same bits. What is damaged is noticed."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from quickdraw.errors import QuickdrawError
from quickdraw.training import Settings, fit
from quickdraw.training.loop import Loop
from quickdraw.training.plan import Plan

EVERYTHING = (
    "flip=True, shift=1, rotation=8, scale=0.1, shear=0.1, elastic=1, thickness=0.3, erasing=0.3, "
    "mixup=0.2, cutmix=1"
)


def settings_of(tiny_data, train_dir: Path, **changes) -> dict:
    return {
        "train_data_pattern": tiny_data.train,
        "eval_data_pattern": tiny_data.valid,
        "train_dir": str(train_dir),
        "model": "MlpModel",
        "model_params": "units=(16,), dropout=0.3",
        "balanced_sampling": True,
        "augment": EVERYTHING,
        "optimizer": "muon",
        "ema_decay": 0.9,
        "batch_size": 10,
        "num_epochs": 10.0,
        "eval_every": 30,
        "checkpoint_every_steps": 20,
        **changes,
    }


def weights(train_dir: Path) -> dict[str, bytes]:
    """Everything in the newest checkpoint, as bytes."""
    newest = max(
        train_dir.glob("checkpoints/step-*.index"), key=lambda p: int(p.stem.split("-")[1])
    )
    reader = tf.train.load_checkpoint(str(newest.with_suffix("")))
    names = reader.get_variable_to_shape_map()
    graph = "_CHECKPOINTABLE_OBJECT_GRAPH"
    return {name: np.asarray(reader.get_tensor(name)).tobytes() for name in names if name != graph}


def checkpoint_steps(train_dir: Path) -> list[int]:
    return sorted(int(p.stem.split("-")[1]) for p in train_dir.glob("checkpoints/step-*.index"))


@pytest.fixture(scope="module")
def whole(tiny_data, tmp_path_factory) -> Path:
    """A run that was never stopped. Copy it before changing anything."""
    train_dir = tmp_path_factory.mktemp("whole") / "run"
    fit(Settings(**settings_of(tiny_data, train_dir)))
    return train_dir


@pytest.fixture
def copy(whole, tmp_path) -> Path:
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def test_old_checkpoints_are_pruned_and_the_best_is_kept(whole):
    assert checkpoint_steps(whole) == [90, 100, 120]
    assert (whole / "best.keras").exists()
    assert not list(whole.glob("checkpoints/unfinished*"))


@pytest.mark.parametrize("budget", [None, 0.02])
def test_memory_and_stream_give_the_same_bits(tiny_data, tmp_path, whole, budget):
    fit(Settings(**settings_of(tiny_data, tmp_path / "run", memory_budget=budget)))
    assert weights(tmp_path / "run") == weights(whole)


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_bits(tiny_data, tmp_path, whole):
    """Kill -9 again and again, at moments that sweep over start-up, training and writing."""
    settings = settings_of(tiny_data, tmp_path / "run", checkpoint_every_steps=5)
    program = (
        "import sys, os, time\n"
        "from quickdraw.training import Settings, fit\n"
        "from quickdraw.training import loop\n"
        "train = loop.Loop._train\n"
        "def slow(*arguments):\n"
        "    time.sleep(0.2)\n"
        "    return train(*arguments)\n"
        "loop.Loop._train = slow\n"
        "print('ready', flush=True)\n"
        f"fit(Settings(**{settings!r}))\n"
    )
    moments = random.Random(0)
    kills = 0
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            process.stdout.readline()
            time.sleep(moments.uniform(1.5, 5.0))
            process.kill()
        kills += process.returncode == -signal.SIGKILL
        if process.returncode == 0:
            break
    assert kills >= 2
    fit(Settings(**settings))
    assert weights(tmp_path / "run") == weights(whole)


RESNET = {
    "model": "ResNetModel",
    "model_params": {"filters": (4, 8), "blocks": (1, 1), "dropout": 0.2},
    "precision": "bfloat16",
}


def resumed(tiny_data, tmp_path: Path, changes: dict) -> dict[str, bytes]:
    """What a run ends with that went on from step 20; and the same, never stopped."""
    changes |= {"num_epochs": 3.0}
    fit(Settings(**settings_of(tiny_data, tmp_path / "whole", **changes)))
    shutil.copytree(tmp_path / "whole", tmp_path / "run")
    for path in tmp_path.glob("run/checkpoints/step-3*"):
        path.unlink()
    fit(Settings(**settings_of(tiny_data, tmp_path / "run", **changes)))
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")
    return weights(tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize("changes", [RESNET, RESNET | {"ema_decay": 0.0}])
def test_moving_means_of_normalisations_are_resumed(tiny_data, tmp_path, changes, capfd):
    resumed(tiny_data, tmp_path, changes)
    assert "going on from the checkpoint at step 20" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["CenterLoss", "LargeMarginSoftmaxLoss"])
def test_what_a_loss_keeps_is_resumed(tiny_data, tmp_path, loss, capfd):
    ends_with = resumed(tiny_data, tmp_path, {"label_loss": loss})
    assert "going on from the checkpoint at step 20" in capfd.readouterr().err
    assert any(ends_with["loss/0/.ATTRIBUTES/VARIABLE_VALUE"])


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "Nadam"},
        {"optimizer": "rmsprop", "momentum": 0.5, "optimizer_params": "centered=True"},
        {"optimizer": f"{__name__}.LateOptimizer", "optimizer_params": {"lateness": 0.5}},
    ],
    ids=lambda changes: changes["optimizer"],
)
def test_what_any_optimizer_keeps_is_resumed(tiny_data, tmp_path, changes, capfd):
    ends_with = resumed(tiny_data, tmp_path, changes)
    assert "going on from the checkpoint at step 20" in capfd.readouterr().err
    slots = [name for name in ends_with if name.startswith("optimizer/_variables/")]
    assert len(slots) > len(["iteration", "learning_rate"])
    assert all(any(ends_with[name]) for name in slots)


class LateOptimizer(keras.optimizers.Optimizer):
    """A student's own, that takes as little as can be: gradients arrive one step late."""

    def __init__(self, learning_rate=0.01, lateness=1.0):
        super().__init__(learning_rate)
        self.lateness = lateness

    def build(self, variables):
        super().build(variables)
        self.last = [self.add_variable_from_reference(each, "last") for each in variables]

    def update_step(self, gradient, variable, learning_rate):
        last = self.last[self._get_variable_index(variable)]
        now = self.lateness * last + (1 - self.lateness) * gradient
        self.assign(last, gradient)
        self.assign_sub(variable, learning_rate * now)


@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001"])
@pytest.mark.parametrize("damage", ["truncated", "emptied", "overwritten"])
def test_a_damaged_checkpoint_is_passed_over(tiny_data, copy, whole, ending, damage, capfd):
    path = copy / f"checkpoints/step-120.{ending}"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    if damage == "overwritten":
        content[middle : middle + 40] = bytes(40)
    path.write_bytes(content[: {"truncated": middle, "emptied": 0}.get(damage, len(content))])
    (copy / "run.json").write_text(
        re.sub(r'"finished_step": \d+', '"finished_step": null', (copy / "run.json").read_text())
    )
    fit(Settings(**settings_of(tiny_data, copy)))
    told = capfd.readouterr().err
    assert "step-120 is damaged" in told
    assert "going on from the checkpoint at step 100" in told


def test_when_all_are_damaged_it_says_so(tiny_data, copy):
    for path in copy.glob("checkpoints/step-*.index"):
        path.write_bytes(b"")
    with pytest.raises(QuickdrawError, match="all checkpoints .* --start_new_model"):
        fit(Settings(**settings_of(tiny_data, copy)))


@pytest.mark.parametrize("change", [{"units": [17]}, {"units": [16, 8]}, {"units": []}], ids=str)
def test_whole_checkpoints_of_another_network_are_not_called_damaged(tiny_data, copy, change):
    """As when a run of a version that kept neither code nor network goes on with edited code."""
    path = copy / "run.json"
    content = json.loads(path.read_text())
    content["model_params"] |= change
    content["network"] = ""
    path.write_text(json.dumps(content))
    params = f"units={tuple(change['units'])}, dropout=0.3"
    with pytest.raises(QuickdrawError, match="step-120 does not fit the model: its code") as caught:
        fit(Settings(**settings_of(tiny_data, copy, model_params=params)))
    assert "damaged" not in str(caught.value)


def test_a_damaged_run_json_is_told(tiny_data, copy):
    (copy / "run.json").write_text('{"model": ')
    with pytest.raises(QuickdrawError, match=r"run\.json: not a JSON file"):
        fit(Settings(**settings_of(tiny_data, copy)))


def test_changed_records_are_noticed_and_can_be_accepted(tiny_data, tmp_path, whole):
    shutil.copytree(tiny_data.folder, tmp_path / "data")
    shutil.copytree(whole, tmp_path / "run")
    shutil.copy(tmp_path / "data/train-0.tfrecord", tmp_path / "data/train-1.tfrecord")
    pattern = f"{tmp_path}/data/train-*"
    settings = settings_of(tiny_data, tmp_path / "run", train_data_pattern=pattern)
    with pytest.raises(QuickdrawError, match="data_fingerprint .* --accept_changed_data"):
        fit(Settings(**settings))
    fit(Settings(**settings, accept_changed_data=True))


def test_a_batch_larger_than_the_set(tiny_data, tmp_path):
    settings = settings_of(tiny_data, tmp_path / "run", batch_size=300, eval_every=1.0)
    trained = fit(Settings(**settings))
    assert trained.step in (1, 2, 3, 4)


def test_a_set_of_one_record(write_records, tmp_path):
    pattern = write_records(tmp_path / "train", [np.zeros((8, 8), np.uint8)], label=[0])
    trained = fit(Settings(train_data_pattern=pattern, train_dir=str(tmp_path / "run")))
    assert trained.labels == ["0"]


def test_a_budget_too_small_for_a_batch(tiny_data, tmp_path):
    settings = settings_of(tiny_data, tmp_path / "run", memory_budget=0.001)
    with pytest.raises(QuickdrawError, match="--memory_budget is too small for a batch of 10"):
        fit(Settings(**settings))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_learns_and_loads(tiny_data, tmp_path, precision):
    settings = settings_of(tiny_data, tmp_path / "run", precision=precision)
    trained = fit(Settings(**settings))
    assert trained.predict(np.zeros((12, 12), np.uint8))


def test_parts_of_a_batch_add_up_to_it(tiny_data, tmp_path):
    losses = []
    for parts in (1, 5):
        settings = settings_of(
            tiny_data,
            tmp_path / f"{parts}",
            accumulate_steps=parts,
            model="LogisticModel",
            model_params="",
            augment="mixup=0.4, cutmix=1",
        )
        fit(Settings(**settings))
        lines = (tmp_path / f"{parts}/metrics.csv").read_text().splitlines()
        losses.append([float(line.split(",")[5]) for line in lines[1:]])
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_xla_trains_the_same_model(tiny_data, tmp_path, whole):
    settings = settings_of(
        tiny_data, tmp_path / "run", xla=True, model_params="units=(16,), dropout=0.0"
    )
    assert fit(Settings(**settings)).step > 0


def test_evaluations_counted_in_epochs_end_with_the_training():
    plan = Plan(total=301, evaluate=75.05, checkpoint=1000)
    due = [step for step in range(1, 302) if plan.evaluates_at(step)]
    assert due == [75, 150, 225, 300, 301]
    step, seen = 0, []
    while step < plan.total:
        step = plan.next_event(step)
        seen.append(step)
    assert seen == [75, 100, 150, 200, 225, 300, 301]


@pytest.mark.parametrize("what", ["moved", "deleted", "replaced"])
def test_a_training_whose_run_is_gone_does_not_begin_a_second_one(
    what, tiny_data, tmp_path, monkeypatch
):
    folder, aside = tmp_path / "run", tmp_path / "elsewhere"
    report = Loop._report

    def take_away(loop: Loop, evaluate: bool) -> None:
        report(loop, evaluate)
        record = json.loads((folder / "run.json").read_text())
        folder.rename(aside)
        if what == "deleted":
            shutil.rmtree(aside)
        if what == "replaced":
            folder.mkdir()
            (folder / "run.json").write_text(json.dumps(record | {"started": "tomorrow"}))

    monkeypatch.setattr(Loop, "_report", take_away)
    told = "another run, started tomorrow, has taken" if what == "replaced" else "the run is gone"
    with pytest.raises(QuickdrawError, match=told):
        fit(Settings(train_data_pattern=tiny_data.train, train_dir=str(folder)))
    left = [path.name for path in folder.iterdir()] if folder.exists() else []
    assert left == ["run.json"] * (what == "replaced")
