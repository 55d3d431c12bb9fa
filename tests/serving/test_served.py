"""Models that are served: some by Keras, and new ones in the place of old ones."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from quickdraw import environment, runs
from quickdraw.errors import QuickdrawError
from quickdraw.serving import app, exporting, first_run
from quickdraw.serving.guards import Hosts
from quickdraw.serving.served import ServedModels


@pytest.mark.slow
def test_a_model_that_does_not_convert_is_served_by_keras(tiny_run, monkeypatch, capsys):
    def refuse(run):
        raise exporting.NotExportedError("the operation BesselI0e has no counterpart in ONNX")

    monkeypatch.setattr(exporting, "onnx_of", refuse)
    models = ServedModels([tiny_run])
    assert "BesselI0e" in capsys.readouterr().err
    (model,) = models.all
    drawings = [[[[0, 255], [0, 100]]], [[[40, 90, 200], [250, 30, 60]]]]
    arrays = {"image": np.stack([model.arrays(each)["image"] for each in drawings])}
    wanted = runs.load(tiny_run).probabilities(arrays["image"])
    np.testing.assert_allclose(model.probabilities(arrays), wanted, atol=1e-5)
    assert model.why(drawings[0])["label"] in model.description.labels
    with pytest.raises(QuickdrawError, match="tiny: "):
        model.probabilities({"image": np.zeros((1, 3, 3, 1), np.uint8)})
    process = model._process
    process.kill()  # it is started again
    np.testing.assert_allclose(model.probabilities(arrays), wanted, atol=1e-5)
    process = model._process
    del models, model
    assert process.poll() is not None


def test_a_run_that_is_none_is_a_line(tmp_path):
    with pytest.raises(QuickdrawError, match="holds no run"):
        ServedModels([str(tmp_path)])


def test_models_change_while_people_ask_and_nobody_waits_in_vain(exports, monkeypatch):
    testclient = pytest.importorskip("fastapi.testclient")
    states, folders = iter(range(1000)), [str(exports["cnn"]), str(exports["rnn"])]
    monkeypatch.setattr(
        exporting, "look_at", lambda path: exporting.ServedRun(path, str(next(states)))
    )
    monkeypatch.setattr(exporting, "forget", lambda run: None)
    monkeypatch.setattr(exporting, "onnx_of", lambda run: folders[int(run.state) % 2])
    made = app.make(ServedModels(["run"]), Hosts(["testserver"]), follow_seconds=0.02)
    answers, end = [], time.monotonic() + 3
    with testclient.TestClient(made) as client, client.websocket_connect("/ws") as socket:

        def ask() -> None:
            while time.monotonic() < end:
                sent = {"drawing": [[[0, 9, 255], [7, 90, 200]]], "top_k": 1}
                answer = client.post("/api/guess", json=sent)
                answers.append((answer.status_code, str(answer.json().get("models"))))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for seq in range(50):
            socket.send_json({"seq": seq, "strokes": [[[0, 9, 255], [7, 90, 200]]]})
            assert "models" in socket.receive_json()
        for thread in threads:
            thread.join()
    assert {status for status, _ in answers} == {200} and len(answers) > 20
    assert len({models for _, models in answers}) == 2  # each of the two models has answered


def test_an_export_that_is_replaced_is_deleted(tmp_path):
    run = exporting.ServedRun(str(tmp_path), "old")
    (tmp_path / "serving/old").mkdir(parents=True)
    (tmp_path / "serving/new").mkdir()
    exporting.forget(run)
    exporting.forget(run)
    assert [path.name for path in (tmp_path / "serving").iterdir()] == ["new"]


def test_without_a_run_the_samples_is_trained_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    called = []
    monkeypatch.setattr(first_run, "_call", lambda module, *flags: called.append((module, flags)))
    (run,) = first_run.train_dirs(None)
    assert [module for module, _ in called] == ["quickdraw.datasets.sample", "quickdraw.train"]
    assert f"--train_dir={run}" in called[1][1] and str(tmp_path / "cache") in run
    told = capsys.readouterr().err
    assert "trained first, once, in about a minute" in told and "--train_dir=runs/NAME" in told
    for folder in ("runs/quickstart", environment.TRAIN_DIR):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "best.json").write_text("{}")
        assert first_run.train_dirs(None) == [folder]
    assert first_run.train_dirs("a,b") == ["a", "b"]


def test_a_training_that_fails_is_a_line():
    with pytest.raises(QuickdrawError, match="there is no model to serve"):
        first_run._call("quickdraw.train", "--nonsense")
