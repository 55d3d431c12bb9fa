"""A sweep as a run on the MLflow server, the parent of its trials, which log themselves."""

from __future__ import annotations

import os
import time
from typing import Self

from quickdraw import storage
from quickdraw.errors import StoppedError
from quickdraw.tracking import mlflow_state
from quickdraw.tracking.background import Background
from quickdraw.tracking.mlflow_options import MlflowOptions
from quickdraw.tracking.mlflow_server import ServerRun

_ARTIFACTS = ("results.csv", "results.png")


class SweepTracker:
    """Logs a sweep to an MLflow server, if there is one and while it is reachable.

    Trials find their parent by the mlflow.json in the parent folder.

    Args:
        study_dir: the folder of the sweep.
        options: the server, if any.
        search: the search space.
    """

    def __init__(self, study_dir: str, options: MlflowOptions, search: str):
        self._folder, self._options, self._search = study_dir, options, search
        self._top1: list[float] = []
        if options.mlflow:
            self._background = Background(self._send, "the same command again")
            self._background.ask("RUNNING")

    def tell(self, top1: list[float]) -> None:
        """Log the top-1 of all completed trials."""
        self._top1 = top1
        if self._options.mlflow:
            self._background.ask("RUNNING")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._options.mlflow:
            stopped = kind is not None and issubclass(kind, (StoppedError, KeyboardInterrupt))
            status = "KILLED" if stopped else "FAILED" if kind else "FINISHED"
            self._background.close(status, in_a_hurry=stopped)

    def _send(self, status: str) -> None:
        sent = mlflow_state.read_for(self._folder, self._options)
        now = round(1000 * time.time())
        server = ServerRun(sent, os.path.basename(os.path.abspath(self._folder)), now)
        sent.save(self._folder)
        done = len(self._top1)
        metrics = [("best/top1", max(self._top1), now, done)] if done > max(sent.step, 0) else []
        tags = {"mlflow.source.name": "quickdraw.sweep", "mlflow.source.type": "LOCAL"}
        server.log(metrics, {"search": self._search}, tags)
        sent.step = max(sent.step, done)
        sent.save(self._folder)
        if status == "FINISHED":
            for path in (os.path.join(self._folder, name) for name in _ARTIFACTS):
                if storage.exists(path):
                    server.upload(path)
        server.set_status(status)
