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
from benchmarks import contest, gpu, inference, limits, one

def call(function, arguments):
    module, name = function.split(":")
    measured = getattr(importlib.import_module(module), name)(**arguments)
    return {"measurements": measured, "peak_megabytes": 1.0}

tf.config.experimental.enable_op_determinism = lambda: None  # it would hold for the others too
limits.SECONDS = 0.01
one.DRAWINGS = 50
gpu.SECONDS, gpu.MATRIX = 0.02, {"CPU": 256, "GPU": 256}
contest.call = inference.call = one.call = call
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_one_drawing_is_timed_with_both_runtimes(sample):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    done = run("-c", ONE_PROCESS, "one", f"--data={sample}", "--images=400", "--repeats=1")
    assert done.returncode == 0, done.stderr
    for text in ("### One drawing", "TensorFlow | median", "onnxruntime | p99"):
        assert text in done.stdout


@pytest.mark.slow
def test_the_training_step_is_taken_apart(sample, tmp_path):
    path = tmp_path / "gpu.json"
    flags = [f"--json={path}", "--batch_sizes=8,16", "--repeats=1", f"--data={sample}"]
    done = run("-c", ONE_PROCESS, "gpu", *flags)
    assert done.returncode == 0, done.stderr
    (contest,) = json.loads(path.read_text())["contests"].values()
    assert {name.split("batch ")[1].split(",")[0] for name in contest["turns"]} == {"8", "16"}
    for (turn,) in contest["turns"].values():
        measured = {name: each["value"] for name, each in turn["measurements"].items()}
        assert all(math.isfinite(value) for value in measured.values()), measured
        assert measured["training"] > 0 and measured["share of the matrix product"] > 0
        parts = [value for name, value in measured.items() if name.endswith(", a step")]
        assert len(parts) == 4


def test_drawings_are_drawn_again_and_none_is_double(tmp_path):
    from benchmarks import redraw

    real = tmp_path / "real"
    real.mkdir()
    square, line = [[[50, 200, 200], [50, 50, 200]]], [[[0, 255], [9, 9]], [[3], [4]]]
    for name in range(redraw.CLASSES):
        lines = [json.dumps({"drawing": each}) for each in (square, line)]
        (real / f"{name:03}.ndjson").write_text("\n".join(lines))
    folder = tmp_path / "made"
    redraw.make(str(folder), 10_000, f"{real}/*.ndjson")
    made = [json.loads(line) for p in folder.iterdir() for line in p.read_text().splitlines()]
    assert len(made) == 10_000 and len({each["word"] for each in made}) == 100
    assert len({json.dumps([each["word"], each["drawing"]]) for each in made}) == 10_000
    numbers = [x for each in made for stroke in each["drawing"] for axis in stroke for x in axis]
    assert min(numbers) >= 0 and max(numbers) <= 255
    shapes = {tuple(len(stroke[0]) for stroke in each["drawing"]) for each in made}
    assert shapes == {(3,), (2, 1)}


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_memory_of_child_processes_counts():
    from benchmarks.tree import TreeMemory

    code = "kept = bytes(range(256)) * 400_000; import time; time.sleep(0.7)"
    with TreeMemory() as memory:
        subprocess.run([sys.executable, "-c", code], check=True)
    with TreeMemory() as without:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.7)"], check=True)
    assert memory.peak > without.peak + 90


def test_a_chart_has_a_line_and_a_place_for_each_part():
    from xml.etree import ElementTree

    from benchmarks import plot

    lines = {"a & b": [(1e4, 900.0), (1e6, 90.0)], "c": [(1e4, 1000.0)]}
    root = ElementTree.fromstring(plot.log_log(lines, "drawings", "images/s"))
    drawn = [each.get("points", "") for each in root.iter() if each.tag.endswith("polyline")]
    (first, last), (only,) = ([p.split(",") for p in points.split()] for points in drawn)
    assert float(first[0]) < float(last[0]) and float(first[1]) < float(last[1])
    assert float(only[1]) == plot.TOP and float(only[0]) == float(first[0])
    assert any(each.text == "a & b" for each in root.iter())


def test_growth_measures_every_part_at_every_size():
    from benchmarks import growth
    from benchmarks.contest import Options

    made = growth.contest(Options(scratch="", sizes="2000,1000"))
    names = [each.name for each in made.candidates]
    assert names[0] == "1,000: make" and len(names) == 2 * len(growth.PARTS)
    share = made.goals[0].reached(lambda name, what: {"1,000": 4.0, "2,000": 3.0}[name[:5]])
    assert share == 0.75


@pytest.mark.slow
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


def test_what_was_measured_is_there_when_the_rest_is_interrupted(monkeypatch, capsys):
    import benchmark
    from benchmarks import contest, prepare

    turns = iter((2.0, 4.0, 3.0))

    def call(function, arguments):
        if (value := next(turns, None)) is None:
            raise KeyboardInterrupt
        return {"measurements": {"it": {"value": value, "unit": "s"}}, "peak_megabytes": 5.0}

    candidates = [contest.Candidate(name, "", {}) for name in "ab"]
    found = contest.Contest("Some", candidates, [])
    monkeypatch.setattr(prepare, "contest", lambda options: found)
    monkeypatch.setattr(contest, "call", call)
    with pytest.raises(KeyboardInterrupt):
        benchmark.measure(["prepare"], contest.Options(scratch="", repeats=2), [])
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith("|")] == [
        "| a | it | 2 s | 2 s |  | 5 |",
        "| b | it | 4 s | 4 s |  | 5 |",
        "| a | it | 2 s | 2.5 s |  | 5 |",
    ]


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
