"""The record of a run: what it says, what differs, what it makes."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from quickdraw import readers, runs
from quickdraw.errors import QuickdrawError
from quickdraw.runs import factory, record


@pytest.fixture
def run() -> runs.Run:
    return runs.Run(
        model="CnnModel",
        model_params={"filters": [8, 16], "dropout": 0.5},
        label_loss="CrossEntropyLoss",
        loss_params={},
        labels=["고양이", "hot dog"],
        image_size=28,
        resized=False,
        channels=1,
        settings={"batch_size": 128, "seed": 0, "max_steps": None, "precision": "float32"},
        data_fingerprint="abc",
    )


def test_a_record_is_saved_and_read(run, tmp_path):
    run.save(str(tmp_path))
    again = runs.read(str(tmp_path))
    assert again == run
    assert run.differences(again) == []


def test_a_record_says_what_made_it(run):
    assert {"quickdraw", "tensorflow", "keras", "python"} <= set(run.versions)
    assert run.started.endswith("+00:00")
    assert run.finished_step is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", "MlpModel"),
        ("model_params", {"units": 8}),
        ("loss_params", {"label_smoothing": 0.1}),
        ("labels", ["hot dog", "고양이"]),
        ("image_size", 32),
        ("data_fingerprint", "def"),
    ],
)
def test_a_field_that_matters_is_a_difference(run, field, value):
    (difference,) = run.differences(dataclasses.replace(run, **{field: value}))
    assert difference == f"{field} {getattr(run, field)!r} → {value!r}"


def test_of_parameters_those_that_differ_are_named(run):
    other = dataclasses.replace(run, model_params={"filters": [8, 16], "dropout": 0.4})
    assert run.differences(other) == ["model_params dropout 0.5 → 0.4"]


def test_a_setting_that_matters_is_a_difference(run):
    other = dataclasses.replace(run, settings=run.settings | {"batch_size": 64, "seed": 1})
    assert run.differences(other) == ["batch_size 128 → 64", "seed 0 → 1"]


def test_when_and_with_what_it_was_made_is_no_difference(run):
    other = dataclasses.replace(run, versions={}, started="later", finished_step=7)
    assert run.differences(other) == []


def test_a_record_makes_its_model_and_its_loss(run):
    params = {"filters": [8, 16], "dense_units": 128, "dropout": 0.5}
    assert factory.create_model(run).params() == params
    assert factory.create_loss(run).params() == {"label_smoothing": 0.1}
    assert factory.build_model(run).output_shape == (None, 2)


# Its reader


@pytest.mark.parametrize("resized", [True, False])
def test_the_reader_gives_images_as_the_model_takes_them(run, resized, tmp_path, write_records):
    images = np.zeros((2, 20, 20), np.uint8)
    path = write_records(tmp_path / "test-0", images, image_id=[b"a", b"b"])
    run = dataclasses.replace(run, resized=resized, image_size=28 if resized else 20)
    reader = factory.reader_for(run, readers.QuickDrawTestFeatureReader)
    batch, _ = next(reader.batches(path, 2))
    assert batch.shape == (2, run.image_size, run.image_size, 1)


def test_labels_beyond_the_runs_classes_are_bad_records(run, tmp_path, write_records):
    path = write_records(tmp_path / "valid-0", np.zeros((1, 28, 28), np.uint8), label=[2])
    reader = factory.reader_for(run, readers.QuickDrawFeatureReader)
    with pytest.raises(QuickdrawError, match=r"the label must be 0…1\. Received: 2"):
        next(reader.batches(path, 2))


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((1, 20, 20), "trained on images of 28 pixels a side. Received: 20"),
        ((1, 28, 28, 3), r"1 channel\(s\) expected. Received: 3"),
    ],
)
def test_images_that_do_not_suit_the_model_are_told(run, shape, told, tmp_path, write_records):
    path = write_records(tmp_path / "test-0", np.zeros(shape, np.uint8), image_id=[b"a"])
    reader = factory.reader_for(run, readers.QuickDrawTestFeatureReader)
    with pytest.raises(QuickdrawError, match=told) as caught:
        factory.open_records(run, reader, path)
    assert str(caught.value).startswith(path)


# Runs of other versions


def test_a_run_from_before_formats_had_numbers_is_read(tiny_run, tmp_path):
    path = tmp_path / "run.json"
    content = json.loads(Path(tiny_run, "run.json").read_text())
    assert content.pop("format") == record.FORMAT
    path.write_text(json.dumps(content))
    assert runs.read(str(tmp_path)).labels == content["labels"]


def test_a_run_of_a_later_version_is_refused_with_the_version_that_made_it(tiny_run, tmp_path):
    content = json.loads(Path(tiny_run, "run.json").read_text())
    content |= {"format": record.FORMAT + 1, "new": 1, "versions": {"quickdraw": "9.8"}}
    (tmp_path / "run.json").write_text(json.dumps(content))
    with pytest.raises(QuickdrawError, match=r"by quickdraw 9\.8 \(format 3\).* up to 2: use that"):
        runs.read(str(tmp_path))
