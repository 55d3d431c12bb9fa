"""Runs as ONNX files for the server: each is exported once, by a process of its own.

The server never imports TensorFlow; `python -m quickdraw.export` does, and ends. What it wrote is
kept beside the run, or in the cache for one on gs://, and found there the next time.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys

from quickdraw import environment, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.runs import exported, record

_FILES = ("best.json", "calibration.json")
_ONNX = "model.onnx"
_SECONDS = 600.0


@dataclasses.dataclass(frozen=True)
class ServedRun:
    """A run that is to be served, as it is now.

    Attributes:
        train_dir: its folder, local or gs://.
        state: changes when the run has a better model or another temperature.
    """

    train_dir: str
    state: str

    @property
    def folder(self) -> str:
        """Where its export is kept."""
        if storage.is_remote(self.train_dir):
            name = hashlib.sha256(self.train_dir.encode()).hexdigest()[:16]
            return os.path.join(environment.cache_folder(), "serving", name, self.state)
        return os.path.join(self.train_dir, "serving", self.state)


def look_at(train_dir: str) -> ServedRun:
    """Return a run as it is now.

    Raises:
        QuickdrawError: there is none, or it has no model yet.
    """
    run = record.read(train_dir)
    contents = [run.started]
    for name in _FILES:
        path = os.path.join(train_dir, name)
        contents.append(str(storage.read_json(path)) if storage.exists(path) else "")
    if not contents[1]:  # not validated: the latest checkpoint counts
        folder = os.path.join(train_dir, "checkpoints")
        names = storage.listdir(folder) if storage.is_folder(folder) else []
        contents[1] = str([name for name in names if name.endswith(".index")])
    return ServedRun(train_dir, hashlib.sha256("\n".join(contents).encode()).hexdigest()[:16])


def onnx_of(run: ServedRun) -> str:
    """Return the folder of a run's export, exporting it first if need be.

    Raises:
        QuickdrawError: it cannot be exported, with the line that export printed.
    """
    if _is_there(run.folder):
        return run.folder
    log(f"exporting {run.train_dir} for the server, in a process of its own")
    command = [
        *(sys.executable, "-m", "quickdraw.export", "--format=onnx", "--gallery"),
        *(f"--train_dir={run.train_dir}", f"--output_dir={run.folder}"),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise QuickdrawError(
            f"{run.train_dir}: not exported after {_SECONDS:.0f} seconds"
        ) from None
    if done.returncode or not _is_there(run.folder):
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise QuickdrawError(f"{run.train_dir}: it cannot be exported. {lines[-1]}")
    return run.folder


def _is_there(folder: str) -> bool:
    has = (os.path.join(folder, name) for name in (exported.FILE_NAME, _ONNX))
    return all(map(os.path.isfile, has))
