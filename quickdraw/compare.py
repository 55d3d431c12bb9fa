"""Lays runs side by side: a table of their figures, and what differs in their settings.

    python -m quickdraw.compare runs/*
    python -m quickdraw.compare runs/cnn runs/resnet --json

For each run: model, number of weights, top-1 with its interval of 95 % (Wilson), top-3, MAP@3,
calibration error (ECE), epochs and how long the training took; the best first. Figures are those of
eval.json (python -m quickdraw.eval --run_once writes it), else those of the best validation. Loads
no model, so it takes a second however many runs there are. Whether a difference is more than chance
is seen on the same drawings only: python -m quickdraw.report --train_dir=runs/cnn,runs/resnet.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys

from quickdraw import cli, storage
from quickdraw.errors import UsageError
from quickdraw.fields import field


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of this command."""

    train_dir: str | None = field(
        None, "The folders of the runs, between commas, or without a flag.", path=True
    )
    json: bool = field(False, "Print JSON instead of a table.")


def command(flags: Flags) -> None:
    """Print the table."""
    from quickdraw.report.figure import plain
    from quickdraw.report.run_rows import run_rows, table

    if not flags.train_dir:
        raise UsageError("folders of runs are needed, such as runs/*")
    rows = run_rows(storage.folders_in(flags.train_dir))
    if flags.json:
        print(json.dumps(plain(rows), indent=1, ensure_ascii=False))
    else:
        print("\n".join(table(rows)))


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    program, *arguments = sys.argv if argv is None else argv
    # A shell expands a pattern to many arguments.
    folders = list(itertools.takewhile(lambda argument: not argument.startswith("-"), arguments))
    named = [f"--train_dir={','.join(folders)}"] if folders else []
    return cli.run(Flags, command, [program, *named, *arguments[len(folders) :]])


if __name__ == "__main__":
    sys.exit(main())
