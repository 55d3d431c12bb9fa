"""Averaged weights: the mean, measured statistics, and a run like any other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from quickdraw import average, inference, runs
from quickdraw import eval as evaluation
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.runs import checkpoints, factory, record
from quickdraw.runs.history import evaluations
from quickdraw.training import Settings, averaging, fit


@pytest.fixture(scope="module")
def settings(tiny_data, tmp_path_factory) -> Settings:
    """Of a training of a net with BatchNormalization that keeps four checkpoints."""
    return Settings(
        train_data_pattern=tiny_data.train,
        eval_data_pattern=tiny_data.valid,
        train_dir=str(tmp_path_factory.mktemp("average") / "run"),
        model="ResNetModel",
        model_params="filters=(4,), blocks=(1,)",
        batch_size=40,
        num_epochs=4.0,
        keep_checkpoints=4,
    )


@pytest.fixture(scope="module")
def run(settings) -> str:
    fit(settings)
    return settings.train_dir


def averaged(run: str, output: Path, *flags: str) -> int:
    return average.main(["average", f"--train_dir={run}", f"--output_dir={output}", *flags])


def weights_of(run: str, steps: list[int]) -> list[list[np.ndarray]]:
    model = factory.build_model(runs.read(run))
    every = []
    for step in steps:
        checkpoints.restore(model, f"{run}/checkpoints/step-{step}")
        every.append(model.get_weights())
    return every


@pytest.mark.parametrize(("flag", "steps"), [("--last=2", [9, 12]), ("", [3, 6, 9, 12])])
def test_the_weights_are_the_mean(run, tmp_path, flag, steps, capsys):
    assert averaged(run, tmp_path / "out", *filter(None, [flag])) == 0
    result = runs.load(str(tmp_path / "out"))
    for index, weight in enumerate(result.model.weights):
        if "moving" not in weight.path:
            each = [weights[index] for weights in weights_of(run, steps)]
            assert weight.numpy() == pytest.approx(np.mean(each, axis=0), abs=1e-6)
    printed = capsys.readouterr()
    assert f"steps {', '.join(map(str, reversed(steps)))}" in printed.err
    assert "top-1" in printed.out


def test_the_best_are_those_of_metrics_csv(run, tmp_path, capsys):
    top1 = evaluations(run)
    assert set(top1) == {3, 6, 9, 12}
    text = "step,eval_top1\n3,0.9\n6,0.8\n9,\n12,0.5\n"
    original = Path(run, "metrics.csv").read_text()
    Path(run, "metrics.csv").write_text(text)
    try:
        assert averaged(run, tmp_path / "out", "--best=2") == 0
        assert averaged(run, tmp_path / "other", "--best=4") == 1
    finally:
        Path(run, "metrics.csv").write_text(original)
    printed = capsys.readouterr().err
    assert "steps 3, 6\n" in printed
    assert "holds 3 evaluated checkpoint(s), 4 are needed" in printed


def test_the_best_are_by_the_loss_where_the_run_goes_by_it(run, tmp_path, capsys):
    copy = shutil.copytree(run, tmp_path / "run")
    (copy / "metrics.csv").write_text("step,eval_top1,eval_loss\n3,0.9,2\n6,0.8,1\n9,0.1,1.5\n")
    of = record.read(str(copy))
    of.settings["monitor"] = "loss"
    of.save(str(copy))
    assert averaged(str(copy), tmp_path / "out", "--best=2") == 0
    assert "steps 6, 9\n" in capsys.readouterr().err


def test_batch_normalization_is_measured_with_the_new_weights(run, tmp_path, tiny_data):
    import keras

    assert averaged(run, tmp_path / "out") == 0
    model = runs.load(str(tmp_path / "out")).model
    images, _ = next(QuickDrawFeatureReader().batches(tiny_data.train, 120))
    first = next(
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
    )
    seen = keras.Model(model.input, first.input)(images).numpy()
    assert first.moving_mean.numpy() == pytest.approx(seen.mean(axis=(0, 1, 2)), abs=1e-5)
    assert first.moving_variance.numpy() == pytest.approx(seen.var(axis=(0, 1, 2)), rel=1e-4)
    assert first.momentum == 0.9


def test_batches_make_the_same_statistics_as_all_at_once(run, monkeypatch):
    from quickdraw.evaluation import evaluate as batches

    results = []
    for size in (120, 50):  # 50, 50 and 20 drawings
        monkeypatch.setattr(batches, "BATCH", size)
        trained = runs.load(run, "latest")
        pattern = trained.run.settings["train_data_pattern"]
        averaging.measure_batch_norm(trained.model, trained.run, pattern, "error")
        means = [weight for weight in trained.model.weights if "moving_mean" in weight.path]
        results.append(means[0].numpy())
    assert results[0] == pytest.approx(results[1], abs=1e-4)


def test_the_new_run_is_a_run_like_any_other(run, tmp_path, tiny_data, settings, capsys):
    out = tmp_path / "out"
    assert averaged(run, out) == 0
    assert evaluation.main(["eval", f"--train_dir={out}"]) == 0  # ends, as the training has
    report = json.loads((out / "eval.json").read_text())
    best = json.loads((out / "best.json").read_text())
    assert report["step"] == 12 and report["top1"] == pytest.approx(best["top1"])
    pattern = f"--input_data_pattern={tiny_data.test}"
    for which in ("best", "latest"):
        flags = [f"--train_dir={out}", pattern, f"--checkpoint={which}"]
        assert inference.main(["inference", *flags]) == 0
    # Nobody trains on in it by mistake.
    from quickdraw import train

    flags = [
        f"--train_data_pattern={settings.train_data_pattern}",
        f"--eval_data_pattern={settings.eval_data_pattern}",
        f"--model={settings.model}",
        f"--model_params={settings.model_params}",
        "--batch_size=40",
        "--num_epochs=4",
    ]
    assert train.main(["train", *flags, f"--train_dir={out}"]) == 1
    assert "averaged_steps [12, 9, 6, 3] → None" in capsys.readouterr().err


def test_what_cannot_be_averaged_is_told(run, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    for output, flags, code, told in (
        (tmp_path / "full", [], 1, "is not empty: choose another --output_dir"),
        (tmp_path / "out", ["--last=5"], 1, "holds 4 checkpoint(s), 5 are needed"),
        (tmp_path / "out", ["--last=2", "--best=2"], 2, "either --last or --best"),
        (tmp_path / "out", ["--last=1"], 2, "last"),
        ("", [], 2, "--output_dir is empty"),
    ):
        assert averaged(run, output, *flags) == code
        assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
