"""Logging of a training, or of a command on its model, to MLflow."""

from __future__ import annotations

import os
import shlex

import numpy as np

from quickdraw import storage
from quickdraw.console import log
from quickdraw.runs.record import Run
from quickdraw.tracking import machine, mlflow_folder, mlflow_state, plots
from quickdraw.tracking.background import Background
from quickdraw.tracking.mlflow_options import MlflowOptions, check_installed
from quickdraw.tracking.tracker import Ending, Report, Tracker

_STATUS = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}


class MlflowTracker(Tracker):
    """Logs a training to an MLflow server, while it is reachable.

    Args:
        options: the server.

    Raises:
        QuickdrawError: MLflow's client is not installed.
    """

    def __init__(self, options: MlflowOptions):
        check_installed()
        self._options = options
        self._shown = False
        self._best: np.ndarray | None = None

    def begin(self, run: Run, train_dir: str, step: int) -> None:
        """Store a description of this machine, and create the run on the server."""
        self._train_dir, self._labels = train_dir, run.labels
        sent = mlflow_state.read_for(train_dir, self._options)
        sent.machine = machine.describe()
        sent.save(train_dir)
        self._background = Background(self._send, later(train_dir, self._options))
        self._background.ask("RUNNING")

    def report(self, report: Report) -> None:
        """Store the confusion matrix of the best evaluation."""
        if report.is_best and report.evaluation:
            self._best = report.evaluation.confusion

    def saved(self) -> None:
        """Send the latest reports."""
        self._background.ask("RUNNING")

    def end(self, ending: Ending) -> None:
        """Send the rest and the final status."""
        if ending == "finished" and self._best is not None:
            plots.save_confusion_matrix(self._train_dir, self._best, self._labels)
        self._background.close(_STATUS[ending], in_a_hurry=ending == "stopped")

    def _send(self, status: str) -> None:
        server = mlflow_folder.send(self._train_dir, self._options, status)
        if not self._shown:
            log(f"MLflow shows this run at {server.url}")
        self._shown = True


def send_now(train_dir: str, options: MlflowOptions, also: tuple[str, ...] = ()) -> None:
    """Send the results of a command in a run's folder; a failure is only a warning.

    Args:
        train_dir: the folder of the run.
        options: the server; without one, nothing is done.
        also: paths of files outside the folder that belong to the run.

    Raises:
        QuickdrawError: MLflow's client is not installed, or the folder cannot be written.
    """
    if not options.mlflow:
        return
    check_installed()
    sent = mlflow_state.read_for(train_dir, options)
    whole = [path if storage.is_remote(path) else os.path.abspath(path) for path in also]
    sent.also += [path for path in whole if path not in sent.also]
    sent.save(train_dir)

    def send(_: str) -> None:
        mlflow_folder.send(train_dir, options)

    Background(send, later(train_dir, options)).close("")


def later(train_dir: str, options: MlflowOptions) -> str:
    """Return the command that sends a folder later."""
    flags = {"train_dir": train_dir, "mlflow": options.mlflow}
    if options.mlflow_experiment != MlflowOptions().mlflow_experiment:
        flags["mlflow_experiment"] = options.mlflow_experiment
    given = " ".join(f"--{name}={shlex.quote(str(value))}" for name, value in flags.items())
    return f"python -m quickdraw.track {given}"
