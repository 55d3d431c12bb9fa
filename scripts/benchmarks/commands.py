"""Whole commands: from starting a process until it says that its model is good enough."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import tempfile
import time

from benchmarks.measure import Measurement, Stopwatch


def quickdraw(
    train: str, valid: str, top1: float, epochs: float, learning_rate: float, precision: str
) -> dict[str, Measurement]:
    """`python -m quickdraw.train`, with nothing in its cache."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        arguments = {
            "train_data_pattern": train,
            "eval_data_pattern": valid,
            "train_dir": os.path.join(folder, "run"),
            "model": "CnnModel",
            "num_epochs": epochs,
            "batch_size": 96,
            "optimizer": "muon",
            "base_learning_rate": learning_rate,
            "precision": precision,
            "eval_every": epochs,
        }
        flags = [f"--{name}={value}" for name, value in arguments.items()]
        return _until(top1, "quickdraw.train", *flags)


def deep_draw(
    train: str, valid: str, top1: float, classes: int, epochs: int
) -> dict[str, Measurement]:
    """The script in opponents/deep_draw.py."""
    arguments = train, valid, str(classes), str(epochs)
    return _until(top1, "benchmarks.opponents.deep_draw", *arguments)


def _until(top1: float, module: str, *arguments: str) -> dict[str, Measurement]:
    """Seconds until a program prints such a validation top-1; infinite if it never does."""
    seconds = math.inf
    with Stopwatch() as watch:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        for line in process.stderr:
            said = re.search(r"validation .*?top-1 ([\d.]+)%", line)
            if said and float(said[1]) >= 100 * top1 and math.isinf(seconds):
                seconds = time.perf_counter() - start
                process.terminate()
        process.wait()
    return {"seconds to top-1": {"value": seconds, "unit": "s", "cpu": watch.cpu, "cpu_unit": "s"}}
