"""What is measured at each size; each function is a process of its own, see `worker.py`.

`folder` is the size's: `strokes/`, then `records/`, `cache/` and `run/`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

from benchmarks import redraw
from benchmarks.data import records
from benchmarks.measure import Measurement, Stopwatch
from benchmarks.tree import TreeMemory

BATCH_SIZE, STEPS_A_CALL, PREDICT = 256, 20, 2048
LEAST_STEPS = 40


def make(folder: str, count: int, strokes: str) -> dict[str, Measurement]:
    """The drawings; see `redraw.make`."""
    shutil.rmtree(folder, ignore_errors=True)
    return redraw.make(os.path.join(folder, "strokes"), count, strokes)


def prepare(folder: str, processes: int) -> dict[str, Measurement]:
    """Strokes to records."""
    from quickdraw.datasets.prepare import prepare as prepare_records

    target = os.path.join(folder, "records")
    shutil.rmtree(target, ignore_errors=True)
    with TreeMemory() as memory, Stopwatch() as watch:
        info = prepare_records(os.path.join(folder, "strokes"), target, processes=processes)
    count = sum(split["records"] for split in info.splits.values()) + sum(info.skipped.values())
    skipped = {"value": sum(info.skipped.values()), "unit": "drawings"}
    return {"prepare": watch.rate(count), **_memory(memory), "skipped": skipped}


def decode(folder: str) -> dict[str, Measurement]:
    """Training records to the cache, which is empty; then opening it, as every later start does."""
    from quickdraw.training.data import cache

    shutil.rmtree(os.path.join(folder, "cache"), ignore_errors=True)
    with TreeMemory() as memory, Stopwatch() as watch:
        drawings = _load(folder, cache)
    with Stopwatch() as again:
        _load(folder, cache)
    opened = {"value": again.seconds, "unit": "s", "cpu": again.cpu, "cpu_unit": "s"}
    return {"decode": watch.rate(len(drawings)), **_memory(memory), "open again": opened}


def _load(folder: str, cache: Any) -> Any:
    from quickdraw.readers import QuickDrawFeatureReader

    os.environ["XDG_CACHE_HOME"] = os.path.join(folder, "cache")
    reader = QuickDrawFeatureReader()
    shards = reader.open(os.path.join(folder, "records", "train-*"))
    return cache.load(reader, shards, "reading", 1e6)


def epoch(folder: str, streamed: bool) -> dict[str, Measurement]:
    """One epoch of CnnModel, compiled before; the streamed one's order beside a permutation."""
    from quickdraw import cli

    cli.load_tensorflow()
    from quickdraw import devices
    from quickdraw.training.compiling import make_train_steps
    from quickdraw.training.data import cache, feed
    from quickdraw.training.schedules import share_of_rate
    from quickdraw.training.settings import Settings
    from quickdraw.training.setup import prepare as prepare_training
    from quickdraw.training.state import make_deterministic

    drawings = _load(folder, cache)
    settings = Settings(
        train_data_pattern=os.path.join(folder, "records", "train-*"),
        model="CnnModel",
        batch_size=BATCH_SIZE,
        memory_budget=(_budget(drawings) if streamed else 2 * drawings.nbytes) / 1e6,
    )
    make_deterministic(settings)
    steps = max(len(drawings) // BATCH_SIZE, LEAST_STEPS)
    with TreeMemory() as memory:
        setup = prepare_training(settings, devices.create("none"), cache.load)
        train_steps = make_train_steps(
            setup, lambda step: share_of_rate("cosine", step, steps) / 500
        )
        source, at = train_steps.feed, 0
        most = min(STEPS_A_CALL, source.most_steps)
        for number in (1, most):  # compiles, and starts to read ahead
            train_steps(source.inputs(at, number), at, number, False, 0.0)
            at += number
        with Stopwatch() as watch:
            for first in range(at, at + steps, most):
                train_steps(source.inputs(first, most), first, most, False, 0.0)
    taken = len(range(at, at + steps, most)) * most * BATCH_SIZE
    found = {"training": watch.rate(taken), **_memory(memory)}
    if streamed:
        rows = feed.Order(drawings.labels, settings.seed).rows_of_steps(BATCH_SIZE, 0, most)
        _, labels = drawings.take(rows)
        same = float((source.inputs(0, most)[1].numpy() == labels).mean())
        found["labels as in a permutation of all"] = {"value": same, "unit": "of 1"}
    return found


def _budget(drawings: Any) -> float:
    """A tenth of the set in bytes, but four steps at least."""
    batch = BATCH_SIZE * drawings.nbytes / len(drawings)
    return max(drawings.nbytes / 10, 3 * 4 * batch)


def checkpoint(folder: str) -> dict[str, Measurement]:
    """A training that is killed after a checkpoint: seconds until its next first step."""
    run = os.path.join(folder, "run")
    shutil.rmtree(run, ignore_errors=True)
    first = _until(folder, run, "compiled in", "--checkpoint_every_steps=5", kill=True)
    again = _until(folder, run, "compiled in", "--checkpoint_every_steps=5", kill=False)
    size = sum(
        os.path.getsize(os.path.join(run, "checkpoints", each))
        for each in os.listdir(os.path.join(run, "checkpoints"))
    )
    return {
        "command to first step": {"value": first, "unit": "s"},
        "resume after kill -9": {"value": again, "unit": "s"},
        "checkpoints": {"value": size / 1e6, "unit": "MB"},
    }


def _until(folder: str, run: str, said: str, *flags: str, kill: bool) -> float:
    """Start `train`; return the seconds until it says something; then kill it, or let it end."""
    os.environ["XDG_CACHE_HOME"] = os.path.join(folder, "cache")
    command = [
        *(sys.executable, "-m", "quickdraw.train", "--model=CnnModel", f"--train_dir={run}"),
        f"--train_data_pattern={os.path.join(folder, 'records', 'train-*')}",
        f"--eval_data_pattern={os.path.join(folder, 'records', 'valid-*')}",
        *("--max_steps=30", f"--batch_size={BATCH_SIZE}", *flags),
    ]
    start, seconds = time.perf_counter(), float("inf")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if said in line and seconds == float("inf"):
            seconds = time.perf_counter() - start
            if kill:
                _wait_for_checkpoint(run)
                process.send_signal(signal.SIGKILL)
    process.wait()
    return seconds


def _wait_for_checkpoint(run: str) -> None:
    folder, end = os.path.join(run, "checkpoints"), time.monotonic() + 60
    while time.monotonic() < end:
        if os.path.isdir(folder) and any(each.endswith(".index") for each in os.listdir(folder)):
            return
        time.sleep(0.01)


def evaluate(folder: str) -> dict[str, Measurement]:
    """The validation records, by the run that was killed and resumed."""
    from quickdraw import cli, runs

    cli.load_tensorflow()
    from quickdraw.evaluation.run_evaluation import RunEvaluation

    run, where = os.path.join(folder, "run"), os.path.join(folder, "records")
    with TreeMemory() as memory, Stopwatch() as watch:
        RunEvaluation(runs.load(run), run, os.path.join(where, "valid-*")).run()
    return {"eval": watch.rate(records(where, "valid")), **_memory(memory)}


def inference(folder: str) -> dict[str, Measurement]:
    """The test records to a CSV file."""
    from quickdraw import cli, runs

    cli.load_tensorflow()
    from quickdraw.evaluation.predict import predict
    from quickdraw.runs.ensemble import Ensemble

    run = os.path.join(folder, "run")
    pattern, output = os.path.join(folder, "records", "test-*"), os.path.join(run, "answers.csv")
    trained = Ensemble([runs.load(run)])
    with TreeMemory() as memory, Stopwatch() as watch:
        count = predict(trained, pattern, output, batch_size=PREDICT)
    return {"inference": watch.rate(count), **_memory(memory)}


def _memory(memory: TreeMemory) -> dict[str, Measurement]:
    return {"memory": {"value": memory.peak, "unit": "MB"}}
