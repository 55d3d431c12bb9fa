"""Temperature: fitted as a search would find it, kept with the step, used by whoever predicts."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw import calibrate, runs
from quickdraw import eval as evaluation
from quickdraw.errors import QuickdrawError
from quickdraw.evaluation.metrics import Metrics
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.runs import calibration
from quickdraw.runs.ensemble import Ensemble


@given(st.integers(0, 2**32), st.floats(0.1, 10))
def test_the_temperature_is_that_of_the_least_loss(seed, scale):
    rng = np.random.default_rng(seed)
    logits = scale * rng.normal(size=(200, 4))
    labels = np.array([rng.choice(4, p=row / row.sum()) for row in np.exp(logits / scale)])

    def loss(at: float) -> float:
        return calibration.negative_log_likelihood(logits / at, labels).mean()

    fitted = calibration.fit(logits, labels)
    assert all(loss(fitted) <= loss(fitted * other) for other in (0.5, 0.99, 1.01, 2))


def test_overconfident_logits_are_calibrated():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 5))
    labels = np.array([rng.choice(5, p=row / row.sum()) for row in np.exp(logits)])
    fitted = calibration.fit(3 * logits, labels)
    assert fitted == pytest.approx(3, rel=0.05)
    errors = []
    for at in (1.0, fitted):
        metrics = Metrics(5, at)
        metrics.update(3 * logits, labels, np.zeros(len(labels)))
        errors.append(metrics.result()["ece"])
    assert errors[0] > 0.2 and errors[1] < 0.02


def test_where_all_is_right_there_is_no_temperature():
    with pytest.raises(QuickdrawError, match="all of 3 predictions are right"):
        calibration.fit(np.eye(3), np.arange(3))


@pytest.fixture(scope="module")
def hard(tiny_data, tmp_path_factory, write_records) -> str:
    """The flag that names 60 drawings of which every fifth has a wrong label."""
    images, labels = next(QuickDrawFeatureReader().batches(tiny_data.valid, 60))
    wrong = (labels + (np.arange(60) % 5 == 0)) % 3
    path = tmp_path_factory.mktemp("hard") / "valid-0.tfrecord"
    return f"--eval_data_pattern={write_records(path, images, label=wrong)}"


@pytest.fixture(scope="module")
def calibrated(tiny_run, hard, tmp_path_factory) -> str:
    """A copy of the tiny run, calibrated on hard drawings."""
    train_dir = str(tmp_path_factory.mktemp("calibrated") / "run")
    shutil.copytree(tiny_run, train_dir)
    assert calibrate.main(["calibrate", f"--train_dir={train_dir}", hard]) == 0
    return train_dir


def test_everybody_who_predicts_uses_the_temperature(calibrated, tiny_run):
    plain, warm = runs.load(tiny_run), runs.load(calibrated)
    assert plain.temperature == 1 and warm.temperature != 1
    images = np.random.default_rng(0).integers(0, 256, (4, 12, 12, 1), np.uint8)
    logits = warm.logits(images) / warm.temperature
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    assert warm.probabilities(images) == pytest.approx(expected, abs=1e-6)
    assert Ensemble([warm]).probabilities({"image": images}) == pytest.approx(expected, abs=1e-6)
    assert max(warm.predict(images)[0].values()) == pytest.approx(expected[0].max(), abs=1e-6)
    assert abs(plain.probabilities(images) - expected).max() > 1e-3


def test_the_report_says_before_and_after(calibrated, hard, capsys):
    assert calibrate.main(["calibrate", f"--train_dir={calibrated}", hard]) == 0
    printed = capsys.readouterr().out
    with open(f"{calibrated}/calibration.json", encoding="utf-8") as file:
        content = json.load(file)
    assert content["examples"] == 60 and content["step"] == runs.load(calibrated).step
    assert content["after"]["nll"] < content["before"]["nll"]
    assert f"temperature {content['temperature']:.4f}" in printed
    for time in ("before", "after"):
        assert f"{time:6}  ECE {content[time]['ece']:.4f}" in printed


def test_eval_tells_the_calibrated_error_and_the_same_loss(calibrated, hard, tiny_run, tmp_path):
    plain = str(tmp_path / "plain")
    shutil.copytree(tiny_run, plain)
    results = []
    for train_dir in (plain, calibrated):
        assert evaluation.main(["eval", f"--train_dir={train_dir}", hard, "--run_once"]) == 0
        with open(f"{train_dir}/eval.json", encoding="utf-8") as file:
            results.append(json.load(file))
    with open(f"{calibrated}/calibration.json", encoding="utf-8") as file:
        content = json.load(file)
    assert [of["ece"] for of in results] == pytest.approx(
        [content[time]["ece"] for time in ("before", "after")], abs=1e-5
    )
    assert results[0]["loss"] == results[1]["loss"]


def test_a_temperature_is_that_of_its_step(tmp_path, capsys):
    calibration.save(str(tmp_path), 10, 2.5)
    assert calibration.load(str(tmp_path), 10) == 2.5
    assert capsys.readouterr().err == ""
    assert calibration.load(str(tmp_path), 20) == 1
    assert "is of step 10, the model of step 20" in capsys.readouterr().err
    assert calibration.load(str(tmp_path / "elsewhere"), 10) == 1


@pytest.mark.parametrize("content", ["[]", "{", '{"step": 10}', '{"step": 1, "temperature": 0}'])
def test_a_damaged_file_is_told(tmp_path, content):
    (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(QuickdrawError, match=r"calibration\.json: "):
        calibration.load(str(tmp_path), 10)


def test_without_labelled_records_it_says_what_is_missing(tiny_run, tmp_path, capsys):
    shutil.copytree(tiny_run, tmp_path / "run")
    run = runs.read(tiny_run)
    run.settings["eval_data_pattern"] = None
    run.save(str(tmp_path / "run"))
    assert calibrate.main(["calibrate", f"--train_dir={tmp_path}/run"]) == 2
    assert "--eval_data_pattern is needed" in capsys.readouterr().err
