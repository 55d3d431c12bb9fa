"""A model that no other runtime takes: Keras answers for it, in a process of its own."""

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
    """Recognises drawings with a run, by `quickdraw.export.keras_process`.

    The process ends with this object. If it ends before, the next batch starts another.

    Args:
        train_dir: the run's folder, local or gs://.
        name: what it is called; the name of the run where None.

    Raises:
        QuickdrawError: no run, or it cannot be loaded.
    """

    runtime = "keras"

    def __init__(self, train_dir: str, name: str | None = None):
        self._train_dir, self._lock = train_dir, threading.Lock()
        self._start()
        self.name = name or self.description.name
        self.gallery = {}

    def _start(self) -> None:
        command = [sys.executable, "-m", "quickdraw.export.keras_process", self._train_dir]
        # Python's own buffers would keep what is read ahead; SIGINT is for the server.
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
        # Nobody reads what it says from now on; a full pipe would stop it.
        threading.Thread(target=_drain, args=(self._process.stderr,), daemon=True).start()
        self.description = exported.from_json(json.loads(line), self._train_dir)
        self._finalizer = weakref.finalize(self, _end, self._process)

    def probabilities(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Return float32 `[batch, num_classes]` of a batch of inputs by name.

        Raises:
            QuickdrawError: Keras refused, or its process ended twice.
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
            with contextlib.suppress(OSError):  # what was to be sent can no longer be
                pipe.close()
