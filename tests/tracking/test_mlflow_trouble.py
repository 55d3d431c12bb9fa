"""A server that is away, refuses or hangs stops and slows nothing; one line says what it is."""

from __future__ import annotations

import json
import shutil
import time

import pytest
from serving_mlflow import in_trouble

from quickdraw import eval as evaluation
from quickdraw import track
from quickdraw.tracking import background
from quickdraw.training import Settings, fit

pytest.importorskip("mlflow")
AWAY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(background, "_PATIENCE", 5.0)


def trained(data, folder, mlflow):
    return fit(
        Settings(
            train_data_pattern=data.train,
            eval_data_pattern=data.valid,
            train_dir=str(folder),
            batch_size=60,
            num_epochs=6.0,
            mlflow=mlflow,
        )
    )


def test_one_that_is_away(tiny_data, tmp_path, capfd):
    assert trained(tiny_data, tmp_path / "run", AWAY).step > 0
    told = capfd.readouterr().err
    assert told.count(f"warning: MLflow at {AWAY}: nobody answers there. The work goes on") == 1
    later = f"python -m quickdraw.track --train_dir={tmp_path}/run --mlflow={AWAY}"
    assert f"warning: not all of it was sent. To send it later: {later}" in told
    assert json.loads((tmp_path / "run/mlflow.json").read_text())["run_id"] == ""
    assert len((tmp_path / "run/metrics.csv").read_text().splitlines()) == 7


def test_one_that_refuses_the_name(tiny_run, tmp_path, capfd):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    with in_trouble(403, "Invalid Host header - possible DNS rebinding attack detected") as uri:
        flags = [f"--train_dir={run}", f"--mlflow={uri}"]
        assert evaluation.main(["eval", "--run_once", *flags]) == 0
        assert "it refuses this name (mlflow server --allowed-hosts=…)" in capfd.readouterr().err
        assert track.main(["track", *flags]) == 1
    told = capfd.readouterr().err
    assert f"{run}: MLflow at {uri}: it refuses this name" in told
    assert told.endswith("track: 1 of 1 runs were not sent as a whole\n")


def test_one_that_hangs(tiny_data, tmp_path, capfd):
    with in_trouble(200, seconds=60) as uri:
        start = time.monotonic()
        trained(tiny_data, tmp_path / "run", uri)
        assert time.monotonic() - start < 40
        assert f"MLflow at {uri}: it takes too long to answer" in capfd.readouterr().err


def test_one_that_is_no_mlflow(tiny_run, tmp_path, capfd):
    shutil.copytree(tiny_run, tmp_path / "run")
    with in_trouble(200, "<html>a router's page</html>") as uri:
        assert track.main(["track", f"--train_dir={tmp_path}/run", f"--mlflow={uri}"]) == 1
    assert f"MLflow at {uri}: " in capfd.readouterr().err


def test_a_damaged_mlflow_json_is_named(tiny_run, tmp_path, capfd):
    shutil.copytree(tiny_run, tmp_path / "run")
    (tmp_path / "run/mlflow.json").write_text('{"uri": "x", "shoe": 1}')
    assert track.main(["track", f"--train_dir={tmp_path}/run", f"--mlflow={AWAY}"]) == 1
    assert f"{tmp_path}/run/mlflow.json: damaged, or of another version" in capfd.readouterr().err
