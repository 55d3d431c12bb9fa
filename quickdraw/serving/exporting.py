"""Runs as ONNX files for the server, each exported once in a separate process.

The server never imports TensorFlow; `python -m quickdraw.export` does, and ends. What it wrote is
kept beside the run, or in the cache for one on gs://, and found there the next time. A folder that
holds an export is taken as it is: a machine without TensorFlow can serve that.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys

from quickdraw import environment, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.runs import exported, record

_FILES = ("best.json", "calibration.json")
_ONNX = "model.onnx"
_SECONDS = 600.0


class NotExportedError(QuickdrawError):
    """A run that cannot be converted to ONNX."""


@dataclasses.dataclass(frozen=True)
class ServedRun:
    """The current state of a run that is served.

    Attributes:
        train_dir: its folder, local or gs://.
        state: changes with the best model or the temperature of the run.
        is_export: whether the folder holds an export instead of a run.
    """

    train_dir: str
    state: str
    is_export: bool = False

    @property
    def folder(self) -> str:
        """The folder of its export."""
        if storage.is_remote(self.train_dir):
            name = hashlib.sha256(self.train_dir.encode()).hexdigest()[:16]
            return os.path.join(environment.cache_folder(), "serving", name, self.state)
        if self.is_export:
            return self.train_dir
        return os.path.join(self.train_dir, "serving", self.state)


def look_at(train_dir: str) -> ServedRun:
    """Return the current state of a run or an export.

    Raises:
        QuickdrawError: it is neither, or has no model yet.
    """
    export = os.path.join(train_dir, exported.FILE_NAME)
    if storage.exists(export):
        content = json.dumps(storage.read_json(export), sort_keys=True)
        return ServedRun(train_dir, _digest(content), is_export=True)
    run = record.read(train_dir)
    contents = [run.started]
    for name in _FILES:
        path = os.path.join(train_dir, name)
        contents.append(str(storage.read_json(path)) if storage.exists(path) else "")
    if not contents[1]:  # without validation the latest checkpoint is served
        folder = os.path.join(train_dir, "checkpoints")
        names = storage.listdir(folder) if storage.is_folder(folder) else []
        contents[1] = str([name for name in names if name.endswith(".index")])
    return ServedRun(train_dir, _digest("\n".join(contents)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def onnx_of(run: ServedRun) -> str:
    """Return the folder of a run's export; export the run first if necessary.

    Raises:
        NotExportedError: it cannot be exported; with the error of `export`.
    """
    if _is_there(run.folder):
        return run.folder
    if run.is_export:
        return _fetched(run)
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
        raise NotExportedError(
            f"{run.train_dir}: not exported after {_SECONDS:.0f} seconds"
        ) from None
    if done.returncode or not _is_there(run.folder):
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise NotExportedError(f"{run.train_dir}: it cannot be exported. {lines[-1]}")
    return run.folder


def forget(run: ServedRun) -> None:
    """Delete an outdated export, so that a long training does not fill the disk."""
    if run.folder == run.train_dir:  # not made by this server
        return
    with contextlib.suppress(OSError):
        shutil.rmtree(run.folder)


def _fetched(run: ServedRun) -> str:
    """Copy an export from gs:// to the cache, its description last to mark it as complete.

    Raises:
        QuickdrawError: it has no ONNX file.
    """
    for name in (_ONNX, exported.GALLERY, exported.FILE_NAME):
        source, target = (os.path.join(folder, name) for folder in (run.train_dir, run.folder))
        if not storage.exists(source):
            if name == exported.GALLERY:
                continue
            raise QuickdrawError(f"{run.train_dir}: no {name} there: export it with --format=onnx")
        with storage.open_binary(source) as given, storage.write_whole(target, "wb") as taken:
            shutil.copyfileobj(given, taken, 1 << 20)
    return run.folder


def _is_there(folder: str) -> bool:
    has = (os.path.join(folder, name) for name in (exported.FILE_NAME, _ONNX))
    return all(map(os.path.isfile, has))
