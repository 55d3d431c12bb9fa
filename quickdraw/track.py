"""Brings runs that are there already to an MLflow server, where they are compared in a browser.

    python -m quickdraw.track --train_dir='runs/*' --mlflow=http://127.0.0.1:5001

Each run appears with its parameters, the curves of its metrics.csv, the figures of its best model,
of eval and of score, and its files. What the server has already is not sent again: the command can
be repeated, and brings what a server that was away has missed. A run that was killed is shown as
that, one in training as running. About a second a run. A server of your own:

    pip install mlflow
    mlflow server --port=5001 --backend-store-uri=sqlite:///mlflow.db --artifacts-destination=mlruns

Figures of runs that were not logged while they were trained stand at the times that their speed
tells: pauses and evaluations are left out.
"""

from __future__ import annotations

import dataclasses
import os
import sys

from quickdraw import cli, environment, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.fields import field
from quickdraw.runs import record
from quickdraw.storage import patterns_in
from quickdraw.tracking.mlflow_options import MlflowOptions


@dataclasses.dataclass(kw_only=True)
class Flags(MlflowOptions, cli.Config):
    """The flags of this command."""

    train_dir: str = field(
        environment.TRAIN_DIR,
        "The folders of the runs: patterns, separated by commas.",
        path=True,
    )


def command(flags: Flags) -> None:
    """Send each run, and say where it is shown."""
    if not flags.mlflow:
        raise UsageError("--mlflow is needed: the address of the server")
    from quickdraw.tracking import mlflow_folder

    files = [os.path.join(pattern, record.FILE_NAME) for pattern in patterns_in(flags.train_dir)]
    folders = [os.path.dirname(path) for path in storage.expand(",".join(files))]
    failed = []
    for folder in folders:
        try:
            server = mlflow_folder.send(folder, flags)
            print(f"{folder}  {server.status}  {server.url}", flush=True)
        except QuickdrawError as error:
            log(f"{folder}: {error}")
            failed.append(folder)
    if failed:
        raise QuickdrawError(f"{len(failed)} of {len(folders)} runs were not sent as a whole")


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-track`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
