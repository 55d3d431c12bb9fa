"""Scores a predictions file as a leaderboard would.

    python -m quickdraw.score --predictions=predictions.csv --solution=data/qd10/solution.csv

Checks the file first: every id of the solution must be there once, and every label must exist.
What is wrong is named with its line. `image_id,label` files are scored by top-1, Kaggle's
`key_id,word` files by MAP@3. What a label means stands in a table beside each file
(predictions.labels.csv, as inference writes it; solution.labels.csv, or the dataset.json there):
where the two differ the names decide, with a warning, or the file is refused. Takes a fraction of a
second. --mlflow logs the score with the run in whose folder the predictions lie, or that of
--train_dir; it is kept there as score.json.
"""

from __future__ import annotations

import dataclasses
import os
import sys

from quickdraw import cli, storage
from quickdraw.errors import UsageError
from quickdraw.evaluation.scoring import Score, score
from quickdraw.fields import field
from quickdraw.runs import record
from quickdraw.tracking.mlflow_options import MlflowOptions


@dataclasses.dataclass(kw_only=True)
class Flags(MlflowOptions, cli.Config):
    """The flags of this command."""

    predictions: str | None = field(None, "The file to score.", path=True)
    solution: str | None = field(
        None, "The right answers: solution.csv beside the test records.", path=True
    )
    train_dir: str | None = field(
        None,
        "With --mlflow: the folder of the run, if the predictions lie elsewhere.",
        path=True,
    )


def command(flags: Flags) -> None:
    """Score a file and print the result."""
    if not flags.predictions or not flags.solution:
        raise UsageError("--predictions and --solution are both needed")
    if os.path.realpath(flags.predictions) == os.path.realpath(flags.solution):
        raise UsageError(f"--predictions and --solution are one file, {flags.solution}")
    train_dir = flags.train_dir or os.path.dirname(flags.predictions) or "."
    if flags.mlflow and not record.exists(train_dir):
        raise UsageError(
            f"--mlflow logs to a run, and {train_dir} holds none: name its --train_dir"
        )
    result = score(flags.predictions, flags.solution)
    print(result, flush=True)
    if flags.mlflow:
        _log(result, flags, train_dir)


def _log(result: Score, flags: Flags, train_dir: str) -> None:
    from quickdraw.tracking.mlflow_tracker import send_now

    given = {"predictions": flags.predictions, "solution": flags.solution}
    name = result.name.lower().replace("-", "").replace("@", "")  # top1, map3, as elsewhere
    figures = {name: result.value, "drawings": result.drawings}
    storage.write_json(os.path.join(train_dir, "score.json"), given | figures)
    send_now(train_dir, flags)


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-score`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
