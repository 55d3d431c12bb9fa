"""What can be said of an MLflow server, and what not."""

import importlib.util

import pytest

from quickdraw import eval as evaluation
from quickdraw import score, track, train
from quickdraw.errors import QuickdrawError
from quickdraw.tracking import mlflow_options
from quickdraw.tracking.mlflow_options import MlflowOptions
from quickdraw.training import Settings, fit


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("127.0.0.1:5001", "must be the address of a server"),
        ("sqlite:///mlflow.db", "such as http://127.0.0.1:5001. Received: 'sqlite:///mlflow.db'"),
        ("./mlruns", "must be the address of a server"),
        ("http://", "must be the address of a server"),
        ("http://me:secret@host:5001", "MLFLOW_TRACKING_PASSWORD"),
    ],
)
def test_what_is_no_address_is_refused_before_anything_is_read(given, told, capsys):
    with pytest.raises(QuickdrawError, match=told.partition(".")[0]):
        MlflowOptions(mlflow=given)
    for main in (train.main, evaluation.main, score.main, track.main):
        assert main(["command", f"--mlflow={given}"]) == 2
        error = capsys.readouterr().err
        assert told in error and "secret" not in error


def test_an_address_and_a_name_are_as_they_are():
    options = MlflowOptions(mlflow="http://camp:5001/")
    assert (options.mlflow, options.mlflow_experiment) == ("http://camp:5001", "quickdraw")
    with pytest.raises(QuickdrawError, match="--mlflow_experiment must be a name"):
        MlflowOptions(mlflow="http://camp:5001", mlflow_experiment=" ")


def test_without_the_client_one_line_says_how_to_get_it(tiny_data, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        mlflow_options.importlib.util,
        "find_spec",
        lambda name, *more: None if name == "mlflow" else find(name, *more),
    )
    folder = tmp_path / "run"
    with pytest.raises(QuickdrawError, match=r"pip install 'quickdraw\[mlflow\]'"):
        fit(
            Settings(
                train_data_pattern=tiny_data.train,
                train_dir=str(folder),
                mlflow="http://127.0.0.1:1",
            )
        )
    assert not folder.exists()


def test_a_variable_alone_switches_nothing_on(tiny_data, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    fit(Settings(train_data_pattern=tiny_data.train, train_dir=str(tmp_path), max_steps=1))
    assert not (tmp_path / "mlflow.json").exists()


def test_track_and_score_need_a_run(tmp_path, capsys):
    uri = "--mlflow=http://127.0.0.1:1"
    assert track.main(["track", f"--train_dir={tmp_path}/*"]) == 2
    assert "--mlflow is needed" in capsys.readouterr().err
    assert track.main(["track", f"--train_dir={tmp_path}/*", uri]) == 1
    assert f"no file matches '{tmp_path}/*/run.json'" in capsys.readouterr().err
    flags = [f"--predictions={tmp_path}/p.csv", f"--solution={tmp_path}/s.csv", uri]
    assert score.main(["score", *flags]) == 2
    told = f"--mlflow logs to a run, and {tmp_path} holds none: name its --train_dir"
    assert told in capsys.readouterr().err
