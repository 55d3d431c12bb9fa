"""Measures quickdraw against the tools that people would use instead, on this machine.

    python scripts/benchmark.py input|train|inference|one|prepare|growth|gpu|all
        [--against=tfdata,keras,torch] [--data=data/qd10] [--json=results.json]
    python scripts/benchmark.py growth --sizes=10000,100000,1000000,10000000 --repeats=1
        --strokes='data/simplified/*.ndjson' --plot=docs/images/growth.svg

Every candidate is a process of its own, and they take turns (A B A B …), so that whatever else the
machine does hits all of them. It prints a table in Markdown: the best and the median of the turns,
CPU time beside wall time, peak memory; then what the machine itself can do, measured in the same
turns, and the ratios that this package promises. The rows of each candidate so far come on stderr
after each of its turns: an interruption leaves them. The opponents are in benchmarks/opponents,
written the way their users write them. PyTorch: pip install -e .[benchmark]

Without --data the drawings are the synthetic sample. `all --repeats=2` took ten minutes on two
cores. `one`, `growth` and `gpu` are asked for by name: `one` needs the extra `export`; `gpu` takes
the training step apart, on a CPU where there is no GPU; and `growth` takes some minutes for 100,000
drawings and ten times as long for ten times as many, with some 1.5 GB of disk for a million.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import importlib.util
import json
import os
import sys
import tempfile

from benchmarks import data, growth, machine, plot, report
from benchmarks.contest import Contest, Options, Results, run

from quickdraw.console import log

IN_TURN = ("input", "train", "inference", "prepare")
SUBCOMMANDS = (*IN_TURN, "one", "growth", "gpu")
CAMPS = {"tfdata": "tensorflow", "keras": "keras", "torch": "torch"}


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line: what to measure, and every field of `Options` as a flag."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=[*SUBCOMMANDS, "all"])
    parser.add_argument(
        "--against",
        type=lambda text: [_camp(name) for name in text.split(",") if name],
        default=[camp for camp, package in CAMPS.items() if importlib.util.find_spec(package)],
        help=f"which opponents: {','.join(CAMPS)}; by default those that are installed",
    )
    parser.add_argument("--plot", help="write the chart of `growth` to this SVG file")
    parser.add_argument("--json", help="also write everything that was measured to this file")
    for field in dataclasses.fields(Options):
        if "help" in field.metadata:
            kind = type(field.default)
            parser.add_argument(
                f"--{field.name}",
                type=kind,
                default=field.default,
                help=f"{field.metadata['help']} (default: {field.default})",
            )
    return parser.parse_args(argv)


def _camp(name: str) -> str:
    if name not in CAMPS:
        raise argparse.ArgumentTypeError(f"unknown opponent {name!r}. Known: {', '.join(CAMPS)}")
    if importlib.util.find_spec(CAMPS[name]) is None:
        raise argparse.ArgumentTypeError(f"{CAMPS[name]} is not installed")
    return name


def measure(names: list[str], options: Options, camps: list[str]) -> list[tuple[Contest, Results]]:
    """Runs the contests of some subcommands; each is the function `contest` of its module."""
    measured = []
    for name in names:
        contest = importlib.import_module(f"benchmarks.{name}").contest(options)
        measured.append((contest, run(contest, options.repeats, camps, _tell)))
    return measured


def _tell(results: Results, candidate: str) -> None:
    """Logs a candidate's rows, so that what is interrupted leaves what it measured."""
    log("\n".join(report.rows(results, candidate)))


def main(argv: list[str] | None = None) -> int:
    """Measures, prints the report, and returns the exit code."""
    arguments = parse(argv)
    flags = {
        field.name: getattr(arguments, field.name)
        for field in dataclasses.fields(Options)
        if field.metadata
    }
    names = list(IN_TURN) if arguments.what == "all" else [arguments.what]
    before = machine.describe()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CACHE_HOME"] = scratch  # the candidates' decoded drawings
        options = Options(scratch=scratch, **flags)
        if arguments.what != "growth":
            data.prepare(options)
        measured = measure(names, options, arguments.against)
    print(report.text(before, measured))
    if arguments.plot and arguments.what == "growth":
        chart = plot.log_log(growth.lines(options, measured[0][1]), "drawings", "images/s")
        with open(arguments.plot, "w", encoding="utf-8") as file:
            file.write(chart)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(report.content(before, measured), file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
