"""A training that starts from another run's weights, whatever classes it has."""

from __future__ import annotations

import shutil

import keras
import numpy as np
import pytest
from conftest import LABELS, SIDE, drawings

from quickdraw import runs, train
from quickdraw.errors import QuickdrawError
from quickdraw.models import BaseModel
from quickdraw.records.dataset_info import DatasetInfo
from quickdraw.training import Settings, fit

MLP = {"model": "MlpModel", "model_params": "units=(16,)", "batch_size": 20}


@pytest.fixture(scope="module")
def source(tiny_data, tmp_path_factory) -> str:
    """A run on cat, hot dog and sun. Only read it."""
    train_dir = str(tmp_path_factory.mktemp("source") / "run")
    settings = {"train_data_pattern": tiny_data.train, "train_dir": train_dir, "num_epochs": 4.0}
    fit(Settings(**settings, **MLP))
    return train_dir


@pytest.fixture
def records(tmp_path, write_records):
    """`records(labels)` writes drawings of classes with these names; returns their pattern."""

    def write(labels: list[str]) -> str:
        folder = tmp_path / "-".join(labels)
        folder.mkdir()
        numbers = np.arange(30) % 3
        write_records(folder / "train-0.tfrecord", drawings(numbers, 0), label=numbers)
        DatasetInfo(labels, SIDE).save(str(folder))
        return f"{folder}/train-*"

    return write


def begun(source: str, train_dir, pattern: str, **changes) -> list[np.ndarray]:
    """The weights after one step that is too small to change them, in float32."""
    tiny = {"max_steps": 1, "base_learning_rate": 1e-30, "optimizer": "SGD"}
    given = {"train_data_pattern": pattern, "train_dir": str(train_dir)}
    begun = {"init_from": source or None}
    return fit(Settings(**{**MLP, **given, **begun, **tiny, **changes})).model.get_weights()


def test_all_weights_where_the_classes_are_the_same(source, tiny_data, tmp_path, capfd):
    expected = runs.load(source).model.get_weights()
    found = begun(source, tmp_path / "run", tiny_data.train, ema_decay=0.5)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    step = runs.load(source).step
    assert (
        f"starting from the weights of step {step} of {source}: its classifier is kept for 3 of 3 "
        "classes\n"
    ) in capfd.readouterr().err
    assert runs.read(str(tmp_path / "run")).settings["init_from"] == source


def test_columns_of_the_classifier_go_by_name(source, records, tmp_path, capfd):
    """Sun and cat change places, a tree is new."""
    labels = ["sun", "tree", "cat"]
    found = begun(source, tmp_path / "run", records(labels))
    fresh = begun("", tmp_path / "fresh", records(labels[::-1]))
    *body, kernel, bias = runs.load(source).model.get_weights()
    for mine, theirs in zip(found, body, strict=False):
        np.testing.assert_array_equal(mine, theirs)
    for mine, theirs, new in zip(found[-2:], (kernel, bias), fresh[-2:], strict=True):
        for at, name in enumerate(labels):
            expected = new[..., 1] if name == "tree" else theirs[..., LABELS.index(name)]
            np.testing.assert_allclose(mine[..., at], expected, rtol=0, atol=1e-20)
    assert "kept for 2 of 3 classes; begun anew for 1: ['tree']" in capfd.readouterr().err


def test_weights_that_know_other_images_are_told(source, tiny_data, tmp_path, capfd):
    begun(source, tmp_path / "run", tiny_data.train, pixel_mean=0.5)
    assert "the images that its weights know are made differently" in capfd.readouterr().err


def test_a_loss_with_a_classifier_of_its_own_begins_anew(source, tiny_data, tmp_path, capfd):
    *body, _, _ = runs.load(source).model.get_weights()
    found = begun(source, tmp_path / "run", tiny_data.train, label_loss="AMSoftmaxLoss")
    for mine, theirs in zip(found, body, strict=False):
        np.testing.assert_array_equal(mine, theirs)
    assert "kept for 0 of 3 classes; begun anew for 3:" in capfd.readouterr().err


def test_it_goes_on_when_the_other_run_is_gone(source, tiny_data, tmp_path, capfd):
    copy = str(shutil.copytree(source, tmp_path / "copy"))
    first = begun(copy, tmp_path / "run", tiny_data.train)
    shutil.rmtree(copy)
    capfd.readouterr()
    again = begun(copy, tmp_path / "run", tiny_data.train)
    told = capfd.readouterr().err
    assert "going on from the checkpoint at step 1" in told
    assert "starting from the weights" not in told
    for mine, theirs in zip(again, first, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_it_may_be_the_run_that_is_moved_aside(source, tiny_data, tmp_path):
    run = str(shutil.copytree(source, tmp_path / "run"))
    expected = runs.load(source).model.get_weights()
    found = begun(run, run, tiny_data.train, start_new_model=True)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


class TwoHeadsModel(BaseModel):
    """Two layers make the logits together."""

    def create_model(self, images, num_classes):
        flat = keras.layers.Flatten()(images)
        return keras.layers.Dense(num_classes)(flat) + keras.layers.Dense(num_classes)(flat)


class NestedModel(BaseModel):
    """Its classifier is inside a Sequential, and a layer without weights comes last."""

    def create_model(self, images, num_classes):
        layers = [keras.layers.Flatten(), keras.layers.Dense(num_classes)]
        logits = keras.Sequential(layers)(images)
        return keras.layers.Activation("linear")(logits)


@pytest.mark.parametrize("model", [TwoHeadsModel, NestedModel])
def test_the_classifier_is_found_or_it_is_said(tiny_data, records, tmp_path, model):
    how = {"model": model.name(), "model_params": "", "batch_size": 20, "max_steps": 20}
    other = str(tmp_path / "other")
    fit(Settings(train_data_pattern=tiny_data.train, train_dir=other, **how))
    pattern = records(LABELS[::-1])
    if model is TwoHeadsModel:
        with pytest.raises(QuickdrawError, match="TwoHeadsModel has no layer at its end"):
            begun(other, tmp_path / "run", pattern, **how | {"max_steps": 1})
        return
    found = begun(other, tmp_path / "run", pattern, **how | {"max_steps": 1})
    for mine, theirs in zip(found, runs.load(other).model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs[..., ::-1])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"init_from": "nowhere"}, "nowhere holds no run"),
        ({"model_params": "units=(8,)"}, r"first weight that differs is of shape \(144, 16\) th"),
        ({"model": "LogisticModel", "model_params": ""}, "holds another network, MlpModel with"),
    ],
)
def test_another_network_is_refused_before_there_is_a_run(
    source, tiny_data, tmp_path, changes, told
):
    with pytest.raises(QuickdrawError, match=told):
        begun(source, tmp_path / "run", tiny_data.train, **changes)
    assert not (tmp_path / "run/run.json").exists()


def test_the_network_is_printed(tiny_data, tmp_path, capfd):
    flags = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}/run"]
    assert train.main(["train", *flags, "--max_steps=1", "--print_model"]) == 0
    out = capfd.readouterr().out
    assert "(Dense)" in out and "Total params: 435" in out
    assert max(map(len, out.splitlines())) <= 80
