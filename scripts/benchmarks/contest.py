"""Contests: candidates that take turns, each in a process of its own, and what they must show."""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import machine
from benchmarks.measure import Measurement
from quickdraw.console import log


def _option(default: Any, meaning: str) -> Any:
    return dataclasses.field(default=default, metadata={"help": meaning})


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line says."""

    scratch: str
    data: str = _option("data/sample", "folder of records; the sample is made where there is none")
    repeats: int = _option(3, "turns of each candidate")
    images: int = _option(140_000, "images of the large set, which repeats the training records")
    train_images: int = _option(20_000, "images that a training is timed on")
    batch_size: int = _option(256, "the batch size of ours")
    top1: float = _option(0.885, "the validation top-1 that the whole command must reach")
    epochs: float = _option(1.0, "epochs of our whole command")
    learning_rate: float = _option(0.012, "base learning rate of our whole command")
    precision: str = _option(machine.fast_precision(), "precision of our whole command")
    train_dir: str = _option("", "of `one`: the run that predicts; CnnModel where there is none")
    model: str = _option("CnnModel", "of `gpu`: which model is trained")
    batch_sizes: str = _option("128,512,2048", "of `gpu`: drawings a step, separated by commas")
    sizes: str = _option("10000,100000", "of `growth`: how many drawings, separated by commas")
    strokes: str = _option("", "of `growth`: .ndjson files that are drawn again; else the sample's")
    drawings: int = _option(100_000, "drawings that are made into records")
    processes: int = _option(os.cpu_count() or 1, "processes that make records of drawings")

    def pattern(self, split: str) -> str:
        """The records of a split."""
        return os.path.join(self.data, f"{split}-*")

    @property
    def large(self) -> str:
        """A folder in which the training and test records are repeated up to `images`."""
        return os.path.join(self.scratch, "large")


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One process to measure.

    Attributes:
        name: what the table calls it.
        function: what to call, "package.module:function"; it returns measurements by name.
        arguments: its keyword arguments.
        camp: the opponent that it belongs to, of `--against`; none for ours and for limits.
    """

    name: str
    function: str
    arguments: dict[str, Any]
    camp: str = ""


class Results:
    """What was measured: `turns[candidate]` is a list of what each turn returned."""

    def __init__(self) -> None:
        self.turns: dict[str, list[dict[str, Any]]] = {}

    def add(self, candidate: Candidate, turn: dict[str, Any]) -> None:
        """Adds what a process printed."""
        self.turns.setdefault(candidate.name, []).append(turn)

    def all(self, candidate: str, measurement: str) -> list[Measurement]:
        """A measurement in every turn; raises KeyError where the candidate did not run."""
        return [turn["measurements"][measurement] for turn in self.turns[candidate]]

    def best(self, candidate: str, measurement: str) -> float:
        """The best value: the lowest of times and megabytes, else the highest."""
        measured = self.all(candidate, measurement)
        choose = min if measured[0]["unit"] in ("s", "ms", "MB") else max
        return choose(each["value"] for each in measured)

    def median(self, candidate: str, measurement: str) -> float:
        """The median value."""
        return statistics.median(each["value"] for each in self.all(candidate, measurement))


# What quickdraw sets for itself. Keras is faster with it, too: `fit` of 256 on two cores with AVX2
# reached 2,200 to 2,800 images/s without and 4,000 to 4,400 with it.
_ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1"}

Value = Callable[[str, str], float]
"""`value(candidate, measurement)`: `Results.best` or `Results.median`."""


Tell = Callable[[Results, str], None]
"""`tell(results, candidate)`: what was measured so far, and the candidate whose turn it was."""


@dataclasses.dataclass(frozen=True)
class Goal:
    """What a contest must show.

    Attributes:
        title: what is compared.
        wanted: the figure to reach.
        reached: computes it from the results.
        at_most: whether it is a bound from above.
    """

    title: str
    wanted: float
    reached: Callable[[Value], float]
    at_most: bool = False


@dataclasses.dataclass(frozen=True)
class Contest:
    """Candidates, and what comparing them must show."""

    title: str
    candidates: list[Candidate]
    goals: list[Goal]


def run(contest: Contest, repeats: int, camps: list[str], tell: Tell) -> Results:
    """Lets the candidates of the chosen camps take turns; `tell` hears of each at once."""
    results = Results()
    for turn in range(1, repeats + 1):
        for candidate in contest.candidates:
            if not candidate.camp or candidate.camp in camps:
                start = time.perf_counter()
                results.add(candidate, call(candidate.function, candidate.arguments))
                seconds = time.perf_counter() - start
                log(f"{contest.title} {turn}/{repeats}: {candidate.name}, {seconds:.0f} s")
                tell(results, candidate.name)
    return results


def call(function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Calls a function in a process of its own; returns what `worker.py` prints."""
    scripts = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker", function, json.dumps(arguments)],
        env={
            **_ONEDNN,
            **os.environ,
            "PYTHONPATH": os.pathsep.join([scripts, *filter(None, sys.path)]),
            # As on everybody's machine; else each process compiles the whole package anew.
            "PYTHONDONTWRITEBYTECODE": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{function} failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout)
