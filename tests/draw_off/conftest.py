"""A contest of small models, served: in this process, or by the command in one of its own."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from onnx_files import LABELS, onnx_file

from quickdraw.runs import exported
from quickdraw.sandbox import checking


@pytest.fixture(scope="session")
def handed_in(tmp_path_factory) -> Path:
    """A folder with a model that always says cat, one that always says dog, and a broken one."""
    folder = tmp_path_factory.mktemp("handed_in")
    for number, name in enumerate(LABELS[:2]):
        (folder / f"{name}s.onnx").write_bytes(onnx_file(favourite=number))
    (folder / "broken.onnx").write_bytes(b"no model")
    return folder


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Path:
    """A folder of two runs that are exported already, a damaged one, and what is no run."""
    folder = tmp_path_factory.mktemp("runs")
    data = onnx_file(favourite=2)
    description = checking.check(data).description
    for name, content in (("suns", data), ("torn", data[: len(data) // 2])):
        (folder / name).mkdir()
        (folder / name / "model.onnx").write_bytes(content)
        named = dataclasses.replace(description, runs=[{"name": name}])
        exported.write(str(folder / name), named, {})
    (folder / "damaged").mkdir()
    (folder / "damaged/run.json").write_text("{", encoding="utf-8")
    (folder / "notes").mkdir()
    (folder / "notes/secret.txt").write_text("a secret", encoding="utf-8")
    return folder


class Server:
    """`python -m quickdraw.draw_off` in a process of its own.

    Args:
        folder: of the contest.
        models: a folder of ONNX files.
        port: 0 for a free one.
    """

    def __init__(self, folder: Path, models: Path, port: int = 0, *more: str):
        self.told = folder.parent / f"told-{time.monotonic_ns()}.txt"
        command = [sys.executable, "-m", "quickdraw.draw_off", f"--output_dir={folder}"]
        with open(self.told, "wb") as file:
            self.process = subprocess.Popen(
                [*command, f"--models={models}", f"--port={port}", *more],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        found = self._said(r"big screen: (http://[\w.]+:(\d+))/#(\S+)")
        self.base, self.port, self.code = found[1], int(found[2]), found[3]
        self._said("Ctrl.C ends")
        link = re.search(r"organiser#(\S+)", self.text())
        self.token = link[1] if link else ""

    def text(self) -> str:
        return self.told.read_text("utf-8")

    def _said(self, pattern: str) -> Any:
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            if found := re.search(pattern, self.text()):
                return found
            time.sleep(0.05)
        raise AssertionError(self.text())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start(tmp_path, handed_in) -> Iterator[Any]:
    """`start(port, *flags)` starts a server of the contest in `tmp_path`; ended afterwards."""
    servers = []

    def start_one(port: int = 0, *more: str) -> Server:
        servers.append(Server(tmp_path / "contest", handed_in, port, *more))
        return servers[-1]

    yield start_one
    for server in servers:
        server.kill()
