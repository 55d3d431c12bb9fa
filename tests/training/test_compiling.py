"""`--xla` left open: measured on a GPU, and what is measured leaves the training as it is."""

from __future__ import annotations

import numpy as np
import pytest

from quickdraw import devices
from quickdraw.training import Settings, compiling, fit


@pytest.fixture
def train(tiny_data, tmp_path, monkeypatch):
    def train(name: str, **changes):
        folder = str(tmp_path / name)
        common = {"model": "MlpModel", "batch_size": 20, "max_steps": 8, "ema_decay": 0.9}
        data = {"train_data_pattern": tiny_data.train, "train_dir": folder}
        return fit(Settings(**data, **common, **changes)).model.get_weights()

    monkeypatch.setattr(compiling, "_WORTH_SECONDS", 0.0)
    monkeypatch.setattr(compiling, "_STEPS", 2)
    return train


def test_what_is_measured_leaves_the_training_as_it_is(train, monkeypatch, capfd):
    expected = train("plain", xla=False)
    monkeypatch.setattr(devices.Distribution, "on_one_gpu", True)
    monkeypatch.setattr(compiling, "_FASTER", 0.0)  # so that it is never chosen
    capfd.readouterr()
    measured = train("measured")
    assert "ms, with XLA " in capfd.readouterr().err
    assert all(map(np.array_equal, expected, measured))


def test_the_faster_one_is_taken(train, monkeypatch):
    asked = []
    seconds = {False: 2.0, True: 1.0}
    monkeypatch.setattr(devices.Distribution, "on_one_gpu", True)
    monkeypatch.setattr(compiling, "_seconds_a_step", lambda setup, *_: seconds[setup.settings.xla])
    made = compiling._made
    monkeypatch.setattr(
        compiling,
        "_made",
        lambda setup, *rest: asked.append(setup.settings.xla) or made(setup, *rest),
    )
    train("faster")
    seconds[True] = 1.95
    train("slower")
    monkeypatch.setattr(compiling, "_WORTH_SECONDS", 100.0)
    seconds[True] = 1.0
    train("short")
    train("asked for", xla=True)
    train("refused", deterministic=True)
    assert asked == [True, False, False, True, None]


def test_what_xla_cannot_compile_goes_without(train, monkeypatch, capfd):
    from quickdraw.errors import QuickdrawError

    def fails(setup, *_):
        if setup.settings.xla:
            raise QuickdrawError("no such operation")
        return 1.0

    monkeypatch.setattr(devices.Distribution, "on_one_gpu", True)
    monkeypatch.setattr(compiling, "_seconds_a_step", fails)
    train("run")
    assert "XLA cannot compile the step (no such operation)" in capfd.readouterr().err


def test_a_cpu_is_not_measured(train, monkeypatch):
    monkeypatch.setattr(compiling, "_seconds_a_step", lambda *_: pytest.fail("measured"))
    train("run")
