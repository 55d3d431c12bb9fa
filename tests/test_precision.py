"""A run computes in what its machine is fast in, and says so."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from quickdraw import precision, runs
from quickdraw.training import Settings, fit

MODEL = {"model": "CnnModel", "model_params": "filters=(4, 8), dense_units=8"}


@pytest.fixture
def machine(monkeypatch):
    """Makes this machine one that takes so much of float32's time in half the bits."""

    def make(ratio: float) -> None:
        seconds = {"float32": 1.0, "bfloat16": ratio, "float16": ratio}
        monkeypatch.setattr(precision, "_convolution_seconds", seconds.__getitem__)

    return make


def settings_of(tiny_data, train_dir, **changes) -> Settings:
    shared = {"train_data_pattern": tiny_data.train, "eval_data_pattern": tiny_data.valid}
    return Settings(**shared, **MODEL, train_dir=str(train_dir), **{"max_steps": 4, **changes})


@pytest.mark.parametrize(
    ("ratio", "chosen"), [(0.6, "bfloat16"), (1.0, "float32"), (20, "float32")]
)
def test_auto_takes_what_is_measured_to_be_faster(
    tiny_data, tmp_path, machine, capsys, ratio, chosen
):
    machine(ratio)
    fit(settings_of(tiny_data, tmp_path / "run", precision="auto"))
    told = capsys.readouterr().err
    assert f"--precision=auto: {chosen}" in told
    assert "times as long" not in told
    assert runs.read(str(tmp_path / "run")).settings["precision"] == chosen


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(0.6, 20), (20, 0.6)])
def test_a_run_that_moves_keeps_its_precision(tiny_data, tmp_path, machine, capsys, before, after):
    machine(before)
    fit(settings_of(tiny_data, tmp_path / "run", precision="auto"))
    kept = runs.read(str(tmp_path / "run")).settings["precision"]
    capsys.readouterr()

    machine(after)
    fit(settings_of(tiny_data, tmp_path / "run", precision="auto"))
    assert runs.read(str(tmp_path / "run")).settings["precision"] == kept
    warned = "20.0 times as long as in float32" in capsys.readouterr().err
    assert warned == (kept == "bfloat16")


@pytest.mark.slow
def test_a_new_run_in_the_same_folder_chooses_anew(tiny_data, tmp_path, machine):
    machine(0.6)
    fit(settings_of(tiny_data, tmp_path / "run", precision="auto"))
    machine(20)
    fit(settings_of(tiny_data, tmp_path / "run", precision="auto", start_new_model=True))
    assert runs.read(str(tmp_path / "run")).settings["precision"] == "float32"


@pytest.mark.parametrize("trained_in", ["bfloat16", "float16"])
def test_predictions_are_in_float32_where_the_machine_is_slow_in_less(
    tiny_data, tmp_path, machine, trained_in
):
    machine(20)
    trained = fit(settings_of(tiny_data, tmp_path / "run", precision=trained_in))
    images = np.zeros((1, 12, 12, 1), np.uint8)
    assert trained.model(images).dtype == "float32"

    machine(0.6)
    again = runs.load(str(tmp_path / "run"))
    assert again.model(images).dtype == trained_in
    for here, there in zip(again.model.weights, trained.model.weights, strict=True):
        np.testing.assert_array_equal(here, there)


def run_python(program: str, **environment: str) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=True,
    )


SAY = "import os; print(os.environ.get('TF_ENABLE_ONEDNN_OPTS'))"


def test_onednn_is_on_unless_the_user_says_otherwise():
    assert run_python(f"import quickdraw; {SAY}").stdout == "1\n"
    assert run_python(f"import quickdraw; {SAY}", TF_ENABLE_ONEDNN_OPTS="0").stdout == "0\n"


@pytest.mark.slow
def test_advice_is_given_where_tensorflow_was_imported_first():
    advise = f"from quickdraw.devices import advise_onednn; advise_onednn(); {SAY}"
    first = run_python(f"import tensorflow; {advise}")
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        on_by_itself = " avx512_vnni " in file.read()
    assert ("leaves oneDNN off on this processor" in first.stderr) != on_by_itself
    assert first.stdout == "None\n"
    assert "leaves oneDNN off" not in run_python(f"import quickdraw; {advise}").stderr
