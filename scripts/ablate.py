"""Trains variants of a recipe, each with several seeds, and prints a Markdown table.

    python scripts/ablate.py scripts/ablations/cnn.json --runs_dir=runs/ablations --data=data/qd10

The file says what all variants share ("base", flags of quickdraw.train) and what each changes; a
dotted name changes one parameter. As many trainings run side by side as there are cores, each on a
core of its own. The same command goes on after an interruption. Figures: the best top-1 on the
validation records.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import threading
from typing import Any

from quickdraw import storage
from quickdraw.runs.history import evaluations

Key = tuple[str, int]
"""A variant and a seed."""

Job = tuple[Key, list[str]]
"""What to train, with which flags."""


def flags_of(base: dict[str, Any], changes: dict[str, Any]) -> list[str]:
    """The command-line flags of a variant."""
    flags = json.loads(json.dumps(base))
    for name, value in changes.items():
        flag, dot, param = name.partition(".")
        if dot:
            flags.setdefault(flag, {})[param] = value
        else:
            flags[flag] = value
    return [
        f"--{name}={json.dumps(value) if isinstance(value, dict) else value}"
        for name, value in flags.items()
    ]


class Results:
    """Top-1 and CPU seconds of each (variant, seed), kept in a CSV file."""

    def __init__(self, path: pathlib.Path):
        self._path, self._lock = path, threading.Lock()
        self.values: dict[Key, tuple[float, float]] = {}
        if path.exists():
            for row in csv.DictReader(path.read_text().splitlines()):
                key = row["variant"], int(row["seed"])
                self.values[key] = float(row["top1"]), float(row["cpu_seconds"])

    def add(self, key: Key, top1: float, cpu_seconds: float) -> None:
        with self._lock:
            self.values[key] = top1, cpu_seconds
            with storage.write_whole(str(self._path)) as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["variant", "seed", "top1", "cpu_seconds"])
                writer.writerows([*key, *value] for key, value in self.values.items())

    def table(self, variants: list[str]) -> str:
        """Mean, smallest and largest top-1 and mean CPU seconds; differences are from the first."""
        lines = [
            "| variant | seeds | top-1, mean | least … most | against the first | CPU time |",
            "|---|--:|--:|--:|--:|--:|",
        ]
        first = None
        for variant in variants:
            found = [value for (name, _), value in self.values.items() if name == variant]
            if not found:
                continue
            tops = [top1 for top1, _ in found]
            mean = statistics.mean(tops)
            first = mean if first is None else first
            seconds = statistics.mean(seconds for _, seconds in found)
            lines.append(
                f"| {variant} | {len(found)} | {mean:.2%} | {min(tops):.2%} … {max(tops):.2%} "
                f"| {100 * (mean - first):+.2f} | {seconds:.0f} s |"
            )
        return "\n".join(lines)


class Trainings:
    """What is in line and what is under way, each training a process that inherits its core."""

    def __init__(self, jobs: list[Job], folder: pathlib.Path):
        self._waiting, self._folder = collections.deque(jobs), folder
        self._running: set[subprocess.Popen] = set()
        self._lock = threading.Lock()

    def train_dir(self, key: Key) -> str:
        return str(self._folder / re.sub(r"[^\w.-]+", "_", f"{key[0]}-{key[1]}"))

    def start(self) -> tuple[Key, subprocess.Popen] | None:
        """Starts the next one; None when there is none."""
        with self._lock:
            if not self._waiting:
                return None
            key, flags = self._waiting.popleft()
            train_dir = self.train_dir(key)
            command = [sys.executable, "-m", "quickdraw.train", *flags, f"--train_dir={train_dir}"]
            with open(f"{train_dir}.log", "ab") as log:
                process = subprocess.Popen(command, stdout=log, stderr=log)
            self._running.add(process)
            return key, process

    def wait(self, process: subprocess.Popen) -> tuple[int, float]:
        """The exit status of a training, and the CPU seconds that it took."""
        _, status, used = os.wait4(process.pid, 0)
        self._running.discard(process)
        return status, used.ru_utime + used.ru_stime

    def end(self) -> None:
        """Starts no further one, and ends those under way."""
        with self._lock:
            self._waiting.clear()
            for process in list(self._running):
                process.terminate()


def train(core: int, trainings: Trainings, results: Results) -> None:
    """Trains what is in line, on one core."""
    os.sched_setaffinity(0, [core])  # this thread's, and its children's
    while started := trainings.start():
        key, process = started
        status, cpu_seconds = trainings.wait(process)
        train_dir = trainings.train_dir(key)
        if status:
            print(f"{key}: failed, see {train_dir}.log", file=sys.stderr, flush=True)
            continue
        top1 = max(evaluations(train_dir).values())
        results.add(key, top1, cpu_seconds)
        print(f"{key[0]}, seed {key[1]}: {top1:.2%}", flush=True)


def main(argv: list[str] | None = None) -> None:
    """Trains what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--runs_dir", type=pathlib.Path, default="runs/ablations")
    parser.add_argument("--data", default="data/qd10", help="a folder that prepare made")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args(argv)
    described = json.loads(chosen.file.read_text())
    folder = chosen.runs_dir / chosen.file.stem
    folder.mkdir(parents=True, exist_ok=True)
    results = Results(folder / "results.csv")
    data = [
        f"--train_data_pattern={chosen.data}/train-*",
        f"--eval_data_pattern={chosen.data}/valid-*",
    ]
    jobs = [
        ((variant, seed), [*flags_of(described["base"], changes), *data, f"--seed={seed}"])
        for seed in range(chosen.seeds)
        for variant, changes in described["variants"].items()
        if (variant, seed) not in results.values
    ]
    trainings = Trainings(jobs, folder)
    threads = [
        threading.Thread(target=train, args=(core, trainings, results), daemon=True)
        for core in os.sched_getaffinity(0)
    ]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        trainings.end()
    print(results.table(list(described["variants"])))


if __name__ == "__main__":
    main()
