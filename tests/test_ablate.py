"""The script that compares variants of a recipe over several seeds."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "scripts/ablate.py"


def ablate(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


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
