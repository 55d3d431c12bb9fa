"""Synchronisation of a run's folder with an MLflow server: whatever it lacks is sent.

No queue is needed for a server that is unreachable: the next synchronisation catches up.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Iterator

from quickdraw import storage
from quickdraw.runs import history, record
from quickdraw.runs.record import Run
from quickdraw.storage import transfer
from quickdraw.storage.lock import is_locked
from quickdraw.tracking import mlflow_state
from quickdraw.tracking.mlflow_options import MlflowOptions
from quickdraw.tracking.mlflow_server import ServerRun
from quickdraw.tracking.mlflow_state import Sent
from quickdraw.tracking.parameters import parameters

ARTIFACTS = (
    *("run.json", "metrics.csv", "best.keras", "best.weights.h5", "best.json"),
    *("calibration.json", "eval.json", "confusion.csv", "confusion.png"),
    *("report.html", "report.json", "export"),
    *("predictions.csv", "predictions.labels.csv", "score.json"),
)
"""The files of a run's folder that are uploaded, if they exist."""

_FIGURES = {"best.json": "best", "eval.json": "evaluation", "score.json": "leaderboard"}
"""Files of figures, and the prefixes of their metrics on the server."""

Metric = tuple[str, float, int, int]


def send(train_dir: str, options: MlflowOptions, status: str | None = None) -> ServerRun:
    """Send everything in a run's folder that the server lacks.

    Args:
        train_dir: the folder of the run.
        options: the server.
        status: "RUNNING" by the training itself, which then sends no artifacts, or
            "FINISHED", "KILLED" or "FAILED"; None for `status_of` the folder.

    Raises:
        QuickdrawError: not a run, or the server is unreachable or refuses.
    """
    run, sent = record.read(train_dir), mlflow_state.read_for(train_dir, options)
    by_training, status = status is not None, status or status_of(train_dir, run)
    server = ServerRun(sent, os.path.basename(os.path.abspath(train_dir)), _started(run))
    sent.save(train_dir)
    server.log(parameters=parameters(run), tags=_tags(train_dir, run, sent))
    if status == "RUNNING":
        server.set_status(status)
    if by_training or status != "RUNNING":  # a running training sends its own figures
        _send_history(train_dir, run, server, sent, by_training)
    if not by_training or status == "FINISHED":
        _send_files(train_dir, server, sent)
    if status != "RUNNING":
        server.set_status(status, None if by_training else _ended(train_dir, run))
    return server


def status_of(train_dir: str, run: Run) -> str:
    """Return the status of a run by its folder: FINISHED, RUNNING, or else KILLED."""
    if run.finished_step is not None:
        return "FINISHED"
    return "RUNNING" if is_locked(train_dir) else "KILLED"


def _tags(train_dir: str, run: Run, sent: Sent) -> dict[str, str]:
    versions = {name: of for name, of in run.versions.items() if name != "git_commit"}
    tags = {
        "data_fingerprint": run.data_fingerprint,
        "train_dir": train_dir,
        "mlflow.source.name": "quickdraw.train",
        "mlflow.source.type": "LOCAL",
        **{f"version.{name}": of for name, of in versions.items()},
        **{f"machine.{name}": of for name, of in sent.machine.items()},
    }
    if commit := run.versions.get("git_commit"):
        tags["mlflow.source.git.commit"] = commit
    # Trials lie in the folder of their sweep, which is their parent run.
    parent = mlflow_state.read(os.path.dirname(train_dir.rstrip("/")) or ".")
    if parent and parent.run_id and parent.uri == sent.uri:
        tags["mlflow.parentRunId"] = parent.run_id
    return tags


def _send_history(train_dir: str, run: Run, server: ServerRun, sent: Sent, now: bool) -> None:
    rows = _with_times(history.reports(train_dir), run)
    new = [(row, _milliseconds() if now else at) for row, at in rows if row["step"] > sent.step]
    if new:
        metrics = [metric for row, at in new for metric in _metrics_of(row, at)]
        # After a kill or a lost response it is unknown what has arrived: the server is asked.
        if sent.sending > sent.step:
            there = {name: server.steps(name) for name in {name for name, *_ in metrics}}
            metrics = [metric for metric in metrics if metric[3] not in there[metric[0]]]
        sent.sending = int(new[-1][0]["step"])
        sent.save(train_dir)
        server.log(metrics)
        sent.step = sent.sending
        sent.save(train_dir)


def _with_times(rows: list[dict[str, float]], run: Run) -> Iterator[tuple[dict[str, float], int]]:
    """Yield each row with its time: the start plus the training time so far."""
    now, images = float(_started(run)), 0.0
    for row in rows:
        done = row["step"] * run.settings.get("batch_size", 0)
        if row.get("images_per_second"):
            now += 1000 * max(0.0, done - images) / row["images_per_second"]
        images = done
        yield row, round(now)


def _metrics_of(row: dict[str, float], now: int) -> Iterator[Metric]:
    """Yield the figures of a row, `train_loss` as `train/loss`, which MLflow groups."""
    step = int(row["step"])
    for name, value in row.items():
        if name != "step" and math.isfinite(value):
            yield re.sub("^(train|eval)_", r"\1/", name), value, now, step


def _send_files(train_dir: str, server: ServerRun, sent: Sent) -> None:
    there = set(storage.listdir(train_dir))
    paths = {name: os.path.join(train_dir, name) for name in ARTIFACTS if name in there}
    paths |= {path: path for path in sent.also if storage.exists(path)}
    for name, path in paths.items():
        now = _fingerprint(path)
        if sent.files.get(name) == now:
            continue
        if group := _FIGURES.get(name):
            server.log(_figures(path, group))
        fetch = transfer.fetched_folder if storage.is_folder(path) else transfer.fetched
        with fetch(path) as local:
            server.upload(local)
        sent.files[name] = now
        sent.save(train_dir)


def _fingerprint(path: str) -> str:
    """Return a checksum of a file, or of the files in a folder."""
    if storage.is_folder(path):
        return "; ".join(_fingerprint(os.path.join(path, name)) for name in storage.listdir(path))
    return storage.checksum(path)


def _figures(path: str, group: str) -> Iterator[Metric]:
    """Yield the numbers of a file: `{"step": 9, "top1": 0.9, "means": {"macro": {"f1": …}}}`."""
    content = storage.read_json(path)
    content |= {
        f"{kind}_{name}": value
        for kind, means in content.pop("means", {}).items()
        for name, value in means.items()
    }
    now = _milliseconds()
    for name, value in content.items():
        if isinstance(value, (int, float)) and math.isfinite(value):
            yield f"{group}/{name}", float(value), now, 0  # one value a run: drawn as bars


def _started(run: Run) -> int:
    return round(1000 * run.started_at.timestamp())


def _ended(train_dir: str, run: Run) -> int:
    """Return the time of the latest figures."""
    times = [now for _, now in _with_times(history.reports(train_dir), run)]
    return max(times, default=_started(run))


def _milliseconds() -> int:
    return round(1000 * time.time())
