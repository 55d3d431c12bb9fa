"""An untrusted model in a sandboxed process: asked with a deadline, killed if it hangs."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import selectors
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from quickdraw.errors import QuickdrawError

_SCRIPT = Path(__file__).with_name("caged.py")
_LONGEST_FACTS, _LONGEST_ERROR = 1 << 20, 4096
_WALLS = {
    "network": "no network",
    "memory": "limited memory",
    "time": "limited computing time",
    "files": "no files written",
    "calls": "no system calls but those of computing",
}


class CageError(QuickdrawError):
    """Raised if a model cannot be loaded, fails, hangs, or its process ended."""


@dataclasses.dataclass(frozen=True)
class CageLimits:
    """The limits of a model's process.

    Attributes:
        memory: bytes, in addition to Python and onnxruntime.
        cpu_seconds: CPU time in all.
        start_seconds: the timeout of loading.
    """

    memory: int = 512 << 20
    cpu_seconds: int = 1800
    start_seconds: float = 60.0


class Cage:
    """A model running in a sandboxed process.

    Its methods block; one thread at a time may call them.

    Args:
        model: an ONNX file.
        limits: of the process.

    Attributes:
        facts: what onnxruntime reports: `inputs` and `outputs`, each with name, type and shape, and
            `metadata`. Untrusted: not validated yet.
        missing: the limits that this system does not support.

    Raises:
        CageError: it cannot be loaded, or not in time.
    """

    def __init__(self, model: bytes, limits: CageLimits | None = None):
        limits = limits or CageLimits()
        self._folder = tempfile.TemporaryDirectory(prefix="quickdraw-cage-")
        command = [sys.executable, "-I", str(_SCRIPT), str(limits.memory), str(limits.cpu_seconds)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env={
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )
        assert self._process.stdin and self._process.stdout
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        for pipe in (self._in, self._out):
            os.set_blocking(pipe, False)
        try:
            self.facts = self._begin(model, time.monotonic() + limits.start_seconds)
        except BaseException:
            self.close()
            raise
        walls = self.facts.pop("walls", None)
        walls = walls if isinstance(walls, list) else []
        if "calls" in walls:  # a socket pair: it can neither connect nor open anything
            walls += ["network", "files"]
        self.missing = [text for name, text in _WALLS.items() if name not in walls]

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def ask(self, arrays: dict[str, np.ndarray], classes: int, seconds: float) -> np.ndarray:
        """Return the output of the model, finite float32 `[batch, classes]`.

        Args:
            arrays: a batch of each input, by name.
            classes: the number of its classes.
            seconds: the timeout, after which the process is killed.

        Raises:
            CageError: it fails, times out, or returns something else.
        """
        batch = len(next(iter(arrays.values())))
        end = time.monotonic() + seconds
        head = [
            {"name": name, "dtype": array.dtype.str, "shape": array.shape}
            for name, array in arrays.items()
        ]
        parts = [json.dumps(head).encode(), *(each.tobytes() for each in arrays.values())]
        self._send(parts, end)
        size = batch * classes * 4
        reply = self._receive(end, max(size, _LONGEST_ERROR) + 1)
        if reply[:1] != b"\0":
            raise CageError(f"it fails: {_shown(reply[1:])}")
        if len(reply) != size + 1:
            raise CageError(
                f"{batch * classes} probabilities expected. Received: {(len(reply) - 1) // 4}"
            )
        answer = np.frombuffer(reply, np.float32, offset=1).reshape(batch, classes)
        if not np.isfinite(answer).all():
            raise CageError("it answers what is no number (NaN or infinite)")
        return answer

    def close(self) -> None:
        """Kill the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()
        self._folder.cleanup()

    def _begin(self, model: bytes, end: float) -> dict[str, Any]:
        self._send([model], end)
        reply = self._receive(end, _LONGEST_FACTS)
        try:
            facts = json.loads(reply)
        except (ValueError, RecursionError):
            facts = None
        if not isinstance(facts, dict):
            raise CageError("its description cannot be read")
        if "error" in facts:
            raise CageError(_shown(str(facts["error"]).encode()))
        return facts

    def _send(self, parts: list[bytes], end: float) -> None:
        rest = memoryview(b"".join(struct.pack("<I", len(part)) + part for part in parts))
        while rest:
            self._wait(self._in, selectors.EVENT_WRITE, end)
            try:
                rest = rest[os.write(self._in, rest[: 1 << 16]) :]
            except OSError:
                raise self._over() from None

    def _receive(self, end: float, most: int) -> bytes:
        (size,) = struct.unpack("<I", self._exactly(4, end))
        if size > most:
            self.close()
            raise CageError(f"at most {most:,} bytes of answer expected. Received: {size:,}")
        return self._exactly(size, end)

    def _exactly(self, size: int, end: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait(self._out, selectors.EVENT_READ, end)
            piece = os.read(self._out, size - len(data))
            if not piece:
                raise self._over()
            data += piece
        return bytes(data)

    def _wait(self, pipe: int, event: int, end: float) -> None:
        left = end - time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, event)
            if left <= 0 or not selector.select(left):
                self.close()
                raise CageError("it did not answer in time, and was ended")

    def _over(self) -> CageError:
        self.close()
        code = self._process.returncode
        return CageError(
            f"its process has ended ({f'signal {-code}' if code < 0 else f'code {code}'}): too "
            "much memory or computing time, or a fault"
        )


def _shown(text: bytes) -> str:
    line = " ".join(text.decode("utf-8", "replace").split())
    return "".join(sign for sign in line if sign.isprintable())[:300]
