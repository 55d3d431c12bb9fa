"""The benchmark: every subcommand on a tiny sample, what its tables say, and its arithmetic."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quickdraw.datasets.sample import make_sample

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"

# One process for all candidates, since each would take seconds to import TensorFlow.
ONE_PROCESS = """
import importlib, sys
import tensorflow as tf
import benchmark
from benchmarks import contest, inference, limits

def call(function, arguments):
    module, name = function.split(":")
    measured = getattr(importlib.import_module(module), name)(**arguments)
    return {"measurements": measured, "peak_megabytes": 1.0}

tf.config.experimental.enable_op_determinism = lambda: None  # it would hold for the others too
limits.SECONDS = 0.01
contest.call = inference.call = call
sys.exit(benchmark.main(sys.argv[1:]))
"""


@pytest.fixture(scope="module", autouse=True)
def _scripts() -> Iterator[None]:
    if not SCRIPTS.is_dir():
        pytest.skip("the scripts are not part of the installed package")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("benchmark") / "sample")
    make_sample(folder, per_category=30)
    return folder


def run(*arguments: str) -> subprocess.CompletedProcess:
    paths = {"PYTHONPATH": ":".join([str(SCRIPTS), *filter(None, sys.path)])}
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **paths},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_subcommand_prints_its_table_and_its_goals(sample, tmp_path):
    sizes = ["--images=400", "--train_images=128", "--batch_size=32", "--repeats=1"]
    goals = ["--top1=0.01", "--epochs=1", "--drawings=200", "--against=tfdata,keras"]
    path = tmp_path / "all.json"
    done = run("-c", ONE_PROCESS, "all", f"--data={sample}", f"--json={path}", *sizes, *goals)
    assert done.returncode == 0, done.stderr
    for text in (
        "### Input",
        "### Training",
        "### Inference",
        "### Preparation",
        "| first epoch |",
    ):
        assert text in done.stdout
    contests = json.loads(path.read_text())["contests"]
    reached = {goal["title"]: goal["best"] for one in contests.values() for goal in one["goals"]}
    of_torch = [reached.pop(title) for title in list(reached) if "PyTorch" in title]
    # How large they are says nothing at these sizes; that they were measured does.
    assert all(math.isfinite(value) for value in reached.values()), reached
    assert all(value != value for value in of_torch)  # not a number: not measured


@pytest.mark.parametrize("in_memory", [True, False])
def test_pytorch(sample, in_memory):
    pytest.importorskip("torch")
    from benchmarks.contest import call

    arguments = {
        "pattern": f"{sample}/train-*",
        "classes": 10,
        "batch_size": 32,
        "train_images": 128,
        "in_memory": in_memory,
    }
    measured = call("benchmarks.opponents.pytorch:train", arguments)
    assert measured["measurements"]["training"]["value"] > 0


def test_a_candidate_is_a_process_that_may_print_what_it_likes(tmp_path, monkeypatch):
    from benchmarks.contest import call

    (tmp_path / "chatty.py").write_text(
        "def measure(times):\n"
        "    print('noise')\n"
        "    return {'it': {'value': times, 'unit': 's'}}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    turn = call("chatty:measure", {"times": 3})
    assert turn["measurements"] == {"it": {"value": 3, "unit": "s"}}
    assert turn["peak_megabytes"] > 1
    with pytest.raises(SystemExit, match="unexpected keyword"):
        call("chatty:measure", {"wrong": 1})


def test_best_and_median_know_what_is_better():
    from benchmarks.contest import Candidate, Results

    results = Results()
    for rate, seconds in ((1, 9), (5, 7), (4, 20)):
        measured = {
            "speed": {"value": rate, "unit": "images/s"},
            "time": {"value": seconds, "unit": "s"},
        }
        results.add(Candidate("a", "", {}), {"measurements": measured, "peak_megabytes": 1})
    assert (results.best("a", "speed"), results.median("a", "speed")) == (5, 4)
    assert (results.best("a", "time"), results.median("a", "time")) == (7, 9)


def test_floating_point_operations_of_the_deep_draw_network():
    from benchmarks.ours import training_flop

    from quickdraw.models import CnnModel

    convolutions = 28 * 28 * 9 * 16, 14 * 14 * 9 * 16 * 32, 7 * 7 * 9 * 32 * 64
    forward = 2 * (sum(convolutions) + 576 * 128 + 128 * 10)
    assert training_flop(CnnModel().build(28, 1, 10)) == 3 * forward - 2 * convolutions[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--against=jax"], "unknown opponent 'jax'"), (["--repeats=x"], "invalid int")],
)
def test_a_mistake_on_the_command_line_is_named(arguments, says):
    done = run(str(SCRIPTS / "benchmark.py"), "input", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
