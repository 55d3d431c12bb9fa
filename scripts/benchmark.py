"""Measures quickdraw against the tools that people would use instead, on this machine.

    python scripts/benchmark.py input|train|inference|prepare|all [--against=tfdata,keras,torch]
        [--data=data/qd10] [--json=results.json]

Every candidate is a process of its own, and they take turns (A B A B …), so that whatever else the
machine does hits all of them. It prints a table in Markdown: the best and the median of the turns,
CPU time beside wall time, peak memory; then what the machine itself can do, measured in the same
turns, and the ratios that this package promises. The opponents are in benchmarks/opponents,
written the way their users write them. PyTorch: pip install -e .[benchmark]

Without --data the drawings are the synthetic sample. `all --repeats=2` took
ten minutes on two cores.
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

from benchmarks import data, machine, report
from benchmarks.contest import Contest, Options, Results, run

SUBCOMMANDS = ("input", "train", "inference", "prepare")
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
        measured.append((contest, run(contest, options.repeats, camps)))
    return measured


def main(argv: list[str] | None = None) -> int:
    """Measures, prints the report, and returns the exit code."""
    arguments = parse(argv)
    flags = {
        field.name: getattr(arguments, field.name)
        for field in dataclasses.fields(Options)
        if field.metadata
    }
    names = list(SUBCOMMANDS) if arguments.what == "all" else [arguments.what]
    before = machine.describe()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CACHE_HOME"] = scratch  # the candidates' decoded drawings
        options = Options(scratch=scratch, **flags)
        data.prepare(options)
        measured = measure(names, options, arguments.against)
    print(report.text(before, measured))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(report.content(before, measured), file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
