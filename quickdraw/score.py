"""Scores a predictions file as a leaderboard would.

    python -m quickdraw.score --predictions=predictions.csv --solution=data/qd10/solution.csv

Checks the file first: every id of the solution must be there once, and every label must exist.
What is wrong is named with its line. `image_id,label` files are scored by top-1, Kaggle's
`key_id,word` files by MAP@3. What a label means stands in a table beside each file
(predictions.labels.csv, as inference writes it; solution.labels.csv, or the dataset.json there):
where the two differ the names decide, with a warning, or the file is refused. Takes a fraction of a
second.
"""

from __future__ import annotations

import dataclasses
import sys

from quickdraw import cli
from quickdraw.errors import UsageError
from quickdraw.evaluation.scoring import score
from quickdraw.fields import field


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """What can be said on the command line."""

    predictions: str | None = field(None, "The file to score.", path=True)
    solution: str | None = field(
        None, "The right answers: solution.csv beside the test records.", path=True
    )


def command(flags: Flags) -> None:
    """Score a file and print the result."""
    if not flags.predictions or not flags.solution:
        raise UsageError("--predictions and --solution are both needed")
    print(score(flags.predictions, flags.solution))


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-score`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
