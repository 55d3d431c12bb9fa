"""A real MLflow server on 127.0.0.1, and one that only plays one that is in trouble."""

from __future__ import annotations

import contextlib
import http.server
import importlib.metadata
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path


def command() -> str | None:
    """The program `mlflow` of the whole package: the client's has no server.

    The variable QUICKDRAW_MLFLOW names it where it lies in another environment.
    """
    if given := os.environ.get("QUICKDRAW_MLFLOW"):
        return given
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        importlib.metadata.distribution("mlflow")
        beside = Path(sys.executable).with_name("mlflow")
        return str(beside) if beside.exists() else shutil.which("mlflow")
    return None


@contextlib.contextmanager
def serving(program: str, folder: Path) -> Iterator[str]:
    """Yield the address of a server that keeps all in this folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [
        *("server", "--host=127.0.0.1", f"--port={port}", "--workers=1"),
        f"--backend-store-uri=sqlite:///{folder}/mlflow.db",
        f"--artifacts-destination={folder}/artifacts",
    ]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    # Without this checkout's path: the server is a program of its own.
    environment = {**os.environ, **quiet}
    environment.pop("PYTHONPATH", None)
    with open(folder / "log.txt", "wb") as log:
        process = subprocess.Popen(
            [program, *arguments], stdout=log, stderr=log, env=environment, cwd=folder
        )
    try:
        _wait(f"http://127.0.0.1:{port}/health", process, folder / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait(url: str, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + 150
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.2)
    raise AssertionError(f"the server does not answer:\n{log.read_text()[-2000:]}")


@contextlib.contextmanager
def in_trouble(status: int, text: str = "", seconds: float = 0.0) -> Iterator[str]:
    """Yield the address of a server that answers each request so, after so long."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            stop.wait(seconds)
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = do_PATCH = _answer

        def log_message(self, *_: object) -> None:
            pass

    stop = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
