"""The script that compares variants of a recipe over several seeds."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts/ablate.py"


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def ablate(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.slow
def test_variants_are_compared_and_not_trained_twice(tmp_path, tiny_data):
    described = {
        "base": {"model": "MlpModel", "model_params": {"units": [8]}, "num_epochs": 1.0},
        "variants": {"as it is": {}, "dropout 0": {"model_params.dropout": 0.0}},
    }
    file = tmp_path / "mlp.json"
    file.write_text(json.dumps(described))
    arguments = (str(file), f"--runs_dir={tmp_path}", f"--data={tiny_data.folder}", "--seeds=1")
    first = ablate(*arguments)
    with open(tmp_path / "mlp/results.csv", newline="") as table:
        rows = list(csv.DictReader(table))
    assert {row["variant"] for row in rows} == {"as it is", "dropout 0"}
    for row in rows:
        assert f"{row['variant']}, seed 0: {float(row['top1']):.2%}" in first
        assert f"| {row['variant']} | 1 | {float(row['top1']):.2%} |" in first
    params = [
        json.loads((tmp_path / f"mlp/{name}-0/run.json").read_text())["model_params"]
        for name in ("as_it_is", "dropout_0")
    ]
    assert params == [{"units": [8], "dropout": 0.2}, {"units": [8], "dropout": 0.0}]
    second = ablate(*arguments)
    assert "seed" not in second.partition("|")[0]
    assert second.splitlines()[-2:] == first.splitlines()[-2:]


def test_trainings_end_with_the_script(tmp_path, tiny_data):
    file = tmp_path / "long.json"
    described = {"base": {"num_epochs": 1e6}, "variants": {f"{i}": {} for i in range(20)}}
    file.write_text(json.dumps(described))
    arguments = [str(file), f"--runs_dir={tmp_path}", f"--data={tiny_data.folder}"]
    command = [sys.executable, str(SCRIPT), *arguments]
    with subprocess.Popen(command, env=ENVIRONMENT) as script:
        wait_until(lambda: len(trainings_in(tmp_path)) == len(os.sched_getaffinity(0)))
        script.terminate()
    assert script.returncode == 143
    wait_until(lambda: not trainings_in(tmp_path))


def trainings_in(folder: Path) -> list[Path]:
    """The processes of trainings that write to a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"--train_dir={folder}/".encode() in (process / "cmdline").read_bytes():
                found.append(process)
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
