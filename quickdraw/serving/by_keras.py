"""A model that does not convert to ONNX, served by Keras in a separate process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import weakref
from typing import IO

import numpy as np

from quickdraw.errors import QuickdrawError
from quickdraw.runs import array_pipe, exported
from quickdraw.serving.recogniser import Recogniser


class KerasRecogniser(Recogniser):
    """Recognises drawings with a run in a process of `quickdraw.export.keras_process`.

    The process lives as long as this object; if it dies, the next batch starts another.

    Args:
        train_dir: the run's folder, local or gs://.
        name: of the model; None for the name of the run.

    Raises:
        QuickdrawError: not a run, or it cannot be loaded.
    """

    runtime = "keras"

    def __init__(self, train_dir: str, name: str | None = None):
        self._train_dir, self._lock = train_dir, threading.Lock()
        self._start()
        self.name = name or self.description.name
        self.gallery = {}

    def _start(self) -> None:
        command = [sys.executable, "-m", "quickdraw.export.keras_process", self._train_dir]
        # A session of its own: Ctrl-C reaches the server alone, which then ends this process.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout and self._process.stderr
        line = self._process.stdout.readline()
        if not line:
            told = self._process.stderr.read().decode(errors="replace").splitlines()
            _end(self._process)
            raise QuickdrawError(f"{self._train_dir}: {(told or ['Keras did not start'])[-1]}")
        # Nobody reads stderr from now on, and a full pipe would block the process.
        threading.Thread(target=_drain, args=(self._process.stderr,), daemon=True).start()
        self.description = exported.from_json(json.loads(line), self._train_dir)
        self._finalizer = weakref.finalize(self, _end, self._process)

    def probabilities(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Return float32 `[batch, num_classes]` of a batch of inputs by name.

        Raises:
            QuickdrawError: Keras raised an error, or its process died twice.
        """
        with self._lock:
            try:
                found = self._asked(arrays)
            except (OSError, EOFError):
                self._finalizer()
                self._start()
                try:
                    found = self._asked(arrays)
                except (OSError, EOFError):
                    raise QuickdrawError(f"{self.name}: the process of Keras ended") from None
        if "error" in found:
            raise QuickdrawError(f"{self.name}: {found['error']}")
        return found["probabilities"]

    def _asked(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        array_pipe.send(stdin, arrays)  # type: ignore[arg-type]
        found = array_pipe.receive(stdout)  # type: ignore[arg-type]
        if found is None:
            raise EOFError
        return found


def _drain(file: IO[bytes]) -> None:
    while os.read(file.fileno(), 1 << 16):
        pass


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with contextlib.suppress(OSError):  # closing flushes the pipe, which may be broken
                pipe.close()
