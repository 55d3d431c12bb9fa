"""A real MLflow server on SQLite: what it has of runs that were trained, killed, swept, brought."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from serving_mlflow import command, serving

from quickdraw import eval as evaluation
from quickdraw import inference, score, sweep, track, train
from quickdraw.runs import history, record
from quickdraw.storage import lock

mlflow = pytest.importorskip("mlflow")


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    program = command()
    if not program:
        pytest.skip("needs the whole of MLflow (pip install mlflow), or QUICKDRAW_MLFLOW")
    with serving(program, tmp_path_factory.mktemp("mlflow")) as address:
        yield address


@pytest.fixture
def client(uri):
    return mlflow.MlflowClient(tracking_uri=uri)


def found(client, experiment):
    """The runs of an experiment by their names."""
    there = client.get_experiment_by_name(experiment)
    runs = client.search_runs([there.experiment_id])
    assert len({run.info.run_name for run in runs}) == len(runs)
    return {run.info.run_name: run for run in runs}


def train_flags(data, folder, uri, **flags):
    given = {
        "train_data_pattern": data.train,
        "eval_data_pattern": data.valid,
        "train_dir": folder,
        "batch_size": 20,
        "num_epochs": 4,
        "base_learning_rate": 0.02,
        "mlflow": uri,
        **flags,
    }
    return [f"--{name}={value}" for name, value in given.items()]


def test_a_run_from_training_to_its_score(uri, client, tiny_data, tmp_path, capfd):
    run = tmp_path / "cnn"
    flags = train_flags(tiny_data, run, uri, mlflow_experiment="camp", augment="flip=True")
    assert train.main(["train", *flags]) == 0
    assert f"MLflow shows this run at {uri}/#/experiments/" in capfd.readouterr().err
    there = found(client, "camp")["cnn"]
    assert there.info.status == "FINISHED"
    assert there.data.params["augment.flip"] == "True"
    assert there.data.params["batch_size"] == "20"
    assert there.data.tags["data_fingerprint"] and there.data.tags["machine.cores"]
    points = client.get_metric_history(there.info.run_id, "eval/top1")
    assert {each.step: pytest.approx(each.value, rel=1e-5) for each in points} == {
        int(row["step"]): row["eval_top1"]
        for row in history.reports(str(run))
        if "eval_top1" in row
    }
    epochs = client.get_metric_history(there.info.run_id, "epoch")
    assert [each.value for each in epochs][-1] == 4

    on = [f"--train_dir={run}", f"--mlflow={uri}", "--mlflow_experiment=camp"]
    assert evaluation.main(["eval", "--run_once", *on]) == 0
    predictions = tmp_path / "elsewhere.csv"
    given = [f"--input_data_pattern={tiny_data.test}", f"--output_file={predictions}"]
    assert inference.main(["inference", *given, *on]) == 0
    solved = [f"--predictions={predictions}", f"--solution={tiny_data.solution}"]
    assert score.main(["score", *solved, *on]) == 0
    there = found(client, "camp")["cnn"]
    names = {each.path for each in client.list_artifacts(there.info.run_id)}
    assert names >= {"run.json", "best.keras", "metrics.csv", "confusion.png", "eval.json"}
    assert names >= {"elsewhere.csv", "score.json"}
    assert there.data.metrics["best/top1"] == there.data.metrics["evaluation/top1"]
    assert 0 < there.data.metrics["leaderboard/top1"] <= 1
    assert there.data.metrics["evaluation/macro_f1"] > 0

    # Once more, and nothing is there twice; what has changed comes again.
    assert train.main(["train", *flags]) == 0
    assert len(client.get_metric_history(there.info.run_id, "eval/top1")) == len(points)


@pytest.mark.slow
def test_a_killed_run_goes_on_as_the_same_one(uri, client, tiny_data, tmp_path):
    flags = train_flags(tiny_data, tmp_path / "run", uri, num_epochs=4000, eval_every="200.0")
    flags.append("--mlflow_experiment=kill")
    process = subprocess.Popen([sys.executable, "-m", "quickdraw.train", *flags])
    end = time.monotonic() + 120
    while not (there := client.get_experiment_by_name("kill")) or not any(
        "eval/top1" in run.data.metrics for run in client.search_runs([there.experiment_id])
    ):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.05)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    assert found(client, "kill")["run"].info.status == "RUNNING"
    # Whoever sends its folder says that nobody is training there.
    on = [f"--train_dir={tmp_path}/*", f"--mlflow={uri}", "--mlflow_experiment=kill"]
    assert track.main(["track", *on]) == 0
    assert found(client, "kill")["run"].info.status == "KILLED"
    assert train.main(["train", *flags]) == 0
    there = found(client, "kill")["run"]
    assert there.info.status == "FINISHED"
    steps = [each.step for each in client.get_metric_history(there.info.run_id, "eval/loss")]
    evaluated = list(history.evaluations(str(tmp_path / "run")))
    assert sorted(set(steps)) == sorted(steps) == evaluated


@pytest.mark.slow
def test_a_killed_run_on_gs_goes_on_as_the_same_one(uri, client, server, tiny_data, monkeypatch):
    flags = train_flags(tiny_data, "gs://b/run", uri, num_epochs=2000, eval_every="50.0")
    flags.append("--mlflow_experiment=gs")
    process = subprocess.Popen([sys.executable, "-m", "quickdraw.train", *flags])
    end = time.monotonic() + 120
    while not (there := client.get_experiment_by_name("gs")) or not any(
        "eval/top1" in run.data.metrics for run in client.search_runs([there.experiment_id])
    ):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.05)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    killed = found(client, "gs")["run"]
    assert killed.info.status == "RUNNING"
    monkeypatch.setattr(lock, "STALE", 0.5)
    time.sleep(0.5)  # nobody can give a sign of life any more
    on = ["--train_dir=gs://b/run", f"--mlflow={uri}", "--mlflow_experiment=gs"]
    assert track.main(["track", *on]) == 0
    assert found(client, "gs")["run"].info.status == "KILLED"
    assert train.main(["train", *flags]) == 0
    there = found(client, "gs")["run"]
    assert (there.info.run_id, there.info.status) == (killed.info.run_id, "FINISHED")
    steps = [each.step for each in client.get_metric_history(there.info.run_id, "eval/loss")]
    assert sorted(steps) == list(history.evaluations("gs://b/run"))
    on = ["--train_dir=gs://b/run", f"--mlflow={uri}", "--mlflow_experiment=gs"]
    assert evaluation.main(["eval", "--run_once", "--report", *on]) == 0
    names = {each.path for each in client.list_artifacts(there.info.run_id)}
    assert names >= {"run.json", "best.keras", "report.html", "report.json", "eval.json"}


@pytest.mark.slow
def test_a_sweep_has_its_trials_as_children(uri, client, tiny_data, tmp_path):
    pytest.importorskip("optuna")
    passed = train_flags(tiny_data, "x", uri, mlflow_experiment="sweep", num_epochs=2)
    study = tmp_path / "study"
    search = "--search=base_learning_rate=0.01|0.03"
    command = ["sweep", f"--study_dir={study}", "--sampler=grid", search, "--"]
    assert sweep.main([*command, *(each for each in passed if "train_dir" not in each)]) == 0
    runs = found(client, "sweep")
    assert set(runs) == {"study", "trial-000", "trial-001"}
    parent = runs.pop("study")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert {run.data.params["base_learning_rate"] for run in runs.values()} == {"0.01", "0.03"}
    best = max(run.data.metrics["best/top1"] for run in runs.values())
    assert parent.data.metrics["best/top1"] == pytest.approx(best, rel=1e-5)
    assert {run.info.status for run in (parent, *runs.values())} == {"FINISHED"}


def test_runs_that_are_there_are_brought_once(uri, client, tiny_run, tmp_path, capsys):
    for name in ("a", "b"):
        shutil.copytree(tiny_run, tmp_path / name)
    (tmp_path / "no-run").mkdir()
    Path(tmp_path / "b/metrics.csv").write_text("step,epoch,eval_top1\n3,0.5,0.5\n4,1,nan\n")
    flags = [f"--train_dir={tmp_path}/*", f"--mlflow={uri}", "--mlflow_experiment=brought"]
    for _ in range(2):
        assert track.main(["track", *flags]) == 0
        assert capsys.readouterr().out.count("  FINISHED  http://") == 2
    runs = found(client, "brought")
    assert set(runs) == {"a", "b"}
    (point,) = client.get_metric_history(runs["b"].info.run_id, "eval/top1")
    assert (point.step, point.value) == (3, 0.5)
    points = client.get_metric_history(runs["a"].info.run_id, "eval/top1")
    times = [each.timestamp for each in points]
    assert times == sorted(times) and times[0] >= runs["a"].info.start_time
    assert runs["a"].info.end_time >= times[-1]
    assert not any(name.startswith("machine.") for name in runs["a"].data.tags)


def test_what_arrived_without_being_noted_is_not_sent_twice(uri, client, tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    flags = [f"--train_dir={tmp_path}/run", f"--mlflow={uri}", "--mlflow_experiment=noted"]
    assert track.main(["track", *flags]) == 0
    there = found(client, "noted")["run"]
    before = {name: points(client, there, name) for name in ("eval/loss", "train/loss")}
    assert len(before["eval/loss"]) > 1
    noted = json.loads((tmp_path / "run/mlflow.json").read_text())
    run = record.read(str(tmp_path / "run"))
    for step in (before["eval/loss"][0][0], -1):  # killed in its second sending, in its first
        (tmp_path / "run/mlflow.json").write_text(json.dumps({**noted, "step": step}))
        # At other times, as a training says them: a server drops what it has to the millisecond.
        run.started = str(int(run.started[:4]) - 1) + run.started[4:]
        run.save(str(tmp_path / "run"))
        assert track.main(["track", *flags]) == 0
        assert {name: points(client, there, name) for name in before} == before
        again = json.loads((tmp_path / "run/mlflow.json").read_text())
        assert again["step"] == noted["step"] == before["eval/loss"][-1][0]


def points(client, run, name):
    """A metric's steps and values on the server."""
    history = client.get_metric_history(run.info.run_id, name)
    return [(each.step, each.value) for each in history]
