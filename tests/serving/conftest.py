"""A server of two small models, without a run behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from exporting import untrained

from quickdraw.export import write


@pytest.fixture(scope="session")
def exports(tmp_path_factory) -> dict[str, Path]:
    """Folders with an ONNX file, by the name of the run."""
    folders = {}
    for name, model in (("cnn", "CnnModel"), ("rnn", "StrokeRnnModel")):
        folders[name] = tmp_path_factory.mktemp("exports") / name
        prepared = write.prepare([untrained(model, image_size=28)], [f"runs/{name}"])
        write.export(prepared, ["onnx"], str(folders[name]))
    return folders


@pytest.fixture
def served(exports, monkeypatch):
    """The models, served."""
    from quickdraw.serving import exporting
    from quickdraw.serving.served import ServedModels

    monkeypatch.setattr(exporting, "look_at", lambda path: exporting.ServedRun(path, "state"))
    monkeypatch.setattr(exporting, "onnx_of", lambda run: str(exports[run.train_dir]))
    return ServedModels(["cnn", "rnn"])


@pytest.fixture
def client(served) -> Iterator:
    testclient = pytest.importorskip("fastapi.testclient")
    from quickdraw.serving import app
    from quickdraw.serving.guards import Hosts

    with testclient.TestClient(app.make(served, Hosts(["testserver"]))) as asking:
        yield asking
