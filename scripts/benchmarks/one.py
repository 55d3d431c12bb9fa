"""One drawing at a time: from a uint8 array to labelled probabilities."""

from __future__ import annotations

import os
import time

import numpy as np

from benchmarks.contest import Candidate, Contest, Goal, Options, call
from benchmarks.measure import Measurement
from quickdraw.runs.recognition import Recognises

TENSORFLOW = "quickdraw.runs.load, TensorFlow"
ONNX = "quickdraw.runs.OnnxModel, onnxruntime"
MOST_MS, MOST_P99 = 1.0, 3.0
DRAWINGS, WARM_UP = 1000, 50


def contest(options: Options) -> Contest:
    """`predict` of CnnModel, or of the run that `--train_dir` names, by both runtimes."""
    train_dir = options.train_dir or os.path.join(options.scratch, "one")
    if not options.train_dir:
        records = {"train": options.pattern("train"), "valid": options.pattern("valid")}
        call(
            "benchmarks.ours:make_run", {**records, "train_dir": train_dir, "precision": "float32"}
        )
    where = {"train_dir": train_dir, "folder": os.path.join(options.scratch, "one_export")}
    call("benchmarks.one:export", where)
    goals = [
        Goal(f"{ONNX}, {what} in ms", most, lambda value, what=what: value(ONNX, what), True)
        for what, most in (("median", MOST_MS), ("p99", MOST_P99))
    ]
    return Contest(
        "One drawing",
        [
            Candidate(TENSORFLOW, "benchmarks.one:tensorflow", {"train_dir": train_dir}),
            Candidate(ONNX, "benchmarks.one:onnx", {"folder": where["folder"]}),
        ],
        goals,
    )


def export(train_dir: str, folder: str) -> dict[str, Measurement]:
    """Write the ONNX file."""
    from quickdraw import export as exporting

    if exporting.main(
        ["export", f"--train_dir={train_dir}", f"--output_dir={folder}", "--format=onnx"]
    ):
        raise SystemExit(f"{train_dir} cannot be exported")
    return {}


def tensorflow(train_dir: str) -> dict[str, Measurement]:
    """`predict` of a run."""
    from quickdraw import cli, runs

    cli.load_tensorflow()
    return _timed(runs.load(train_dir))


def onnx(folder: str) -> dict[str, Measurement]:
    """`predict` of an exported model."""
    from quickdraw import runs

    return _timed(runs.OnnxModel(folder))


def _timed(model: Recognises) -> dict[str, Measurement]:
    rng = np.random.default_rng(0)
    size = model.takes.image_size
    images = rng.integers(0, 256, (WARM_UP + DRAWINGS, size, size), np.uint8)
    for image in images[:WARM_UP]:
        model.predict(image)
    wall, cpu = [], time.process_time()
    for image in images[WARM_UP:]:
        start = time.perf_counter()
        model.predict(image)
        wall.append(1e3 * (time.perf_counter() - start))
    cpu = 1e3 * (time.process_time() - cpu) / DRAWINGS
    return {
        "median": {"value": float(np.median(wall)), "unit": "ms", "cpu": cpu, "cpu_unit": "ms"},
        "p99": {"value": float(np.percentile(wall, 99)), "unit": "ms"},
    }
