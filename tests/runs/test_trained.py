"""A run: its record, the model that comes back, and what it says about images."""

import dataclasses
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from picturing import bomb, doodle, saved, turned
from PIL import Image

from quickdraw import readers, runs
from quickdraw.errors import QuickdrawError
from quickdraw.runs import factory, record


@pytest.fixture(scope="module")
def trained(tiny_run) -> runs.TrainedModel:
    return runs.load(tiny_run)


@pytest.fixture(scope="module")
def validation(tiny_data) -> tuple[np.ndarray, np.ndarray]:
    """60 images with their labels."""
    return next(readers.QuickDrawFeatureReader().batches(tiny_data.valid, 60))


def likeliest(predictions: list[dict[str, float]]) -> list[str]:
    return [next(iter(prediction)) for prediction in predictions]


# Loading


def test_a_loaded_model_knows_its_classes_and_its_run(trained, tiny_data):
    assert trained.labels == tiny_data.labels
    assert (trained.run.model, trained.run.image_size) == ("LogisticModel", 12)
    assert trained.step > 0


def test_the_loaded_model_recognises_what_it_learnt(trained, validation):
    images, labels = validation
    probabilities = trained.probabilities(images)
    assert probabilities.shape == (60, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == labels).mean() > 0.95


def test_the_keras_model_takes_uint8_and_gives_logits(trained, validation):
    images, _ = validation
    logits = trained.model(images, training=False).numpy()
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        exponentials / exponentials.sum(axis=1, keepdims=True),
        trained.probabilities(images),
        rtol=1e-4,
        atol=1e-7,
    )


def test_the_latest_model_is_that_of_the_last_step(tiny_run):
    assert runs.load(tiny_run, "latest").step == runs.read(tiny_run).finished_step


@pytest.fixture
def copy(tiny_run, tmp_path) -> Path:
    """A copy of the run, to be damaged."""
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))


def test_a_run_may_be_moved(copy, trained, validation):
    images, _ = validation
    moved = shutil.move(copy, copy.with_name("elsewhere"))
    for which in ("best", "latest"):
        assert runs.load(str(moved), which).probabilities(images).shape == (60, 3)
    assert np.array_equal(
        runs.load(str(moved)).probabilities(images), trained.probabilities(images)
    )


def test_without_a_best_model_the_latest_is_taken(copy):
    for path in copy.glob("best*"):
        path.unlink()
    assert runs.load(str(copy)).step == runs.read(str(copy)).finished_step


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(QuickdrawError, match=r"holds no run: no run\.json there"):
        runs.load(str(tmp_path))
    with pytest.raises(QuickdrawError, match=r"holds no run"):
        runs.load(str(tmp_path / "missing"))


def test_a_run_without_a_checkpoint_is_told(copy):
    shutil.rmtree(copy / "checkpoints")
    with pytest.raises(QuickdrawError, match="holds no checkpoint yet"):
        runs.load(str(copy), "latest")


@pytest.mark.parametrize("content", ["{", "[]", '{"model": "CnnModel"}', '{"more": 1}', "null"])
def test_a_damaged_record_is_told(copy, content):
    (copy / "run.json").write_text(content)
    with pytest.raises(QuickdrawError, match=r"run\.json: "):
        runs.load(str(copy))


def change(folder: Path, **fields) -> None:
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(content | fields))


@pytest.mark.parametrize("which", ["best", "latest"])
@pytest.mark.parametrize(
    "fields",
    [
        {"model": "MlpModel"},
        {"image_size": 14},
        {"labels": ["a", "b"]},
        {"labels": ["a", "b", "c", "d"]},
    ],
    ids=str,
)
def test_weights_of_another_model_are_refused(copy, which, fields):
    change(copy, **({"model_params": {}} | fields))
    with pytest.raises(QuickdrawError, match="does not fit the model"):
        runs.load(str(copy), which)


def test_a_run_whose_code_was_edited_is_loaded_with_a_warning(copy, capfd):
    runs.load(str(copy))
    assert "warning" not in capfd.readouterr().err
    code = runs.read(str(copy)).code
    assert "quickdraw.models.LogisticModel.create_model" in code
    assert "quickdraw.readers.BaseReader.preprocess" in code
    change(copy, code=code | {"quickdraw.losses.CrossEntropyLoss.calculate_loss": "edited"})
    runs.load(str(copy))
    told = capfd.readouterr().err
    assert f"{copy}: the code has changed since the training: quickdraw.losses.Cross" in told


def test_a_model_that_is_no_more_is_told(copy):
    change(copy, model="my_lost_models.Model")
    with pytest.raises(QuickdrawError, match="my_lost_models"):
        runs.load(str(copy))


@pytest.mark.parametrize("content", [b"", b"no model"])
def test_a_damaged_best_model_is_told(copy, content):
    (copy / "best.keras").write_bytes(content)
    with pytest.raises(QuickdrawError, match=r"best\.keras does not fit the model"):
        runs.load(str(copy))


def test_a_best_model_that_is_gone_is_told(copy):
    (copy / "best.keras").unlink()
    with pytest.raises(QuickdrawError, match=r"best\.keras"):
        runs.load(str(copy))


@pytest.mark.parametrize("kind", ["index", "data"])
def test_a_damaged_checkpoint_is_told(copy, kind):
    for path in (copy / "checkpoints").glob(f"*.{kind}*"):
        path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(QuickdrawError, match="does not fit the model"):
        runs.load(str(copy), "latest")


# Predicting


def test_many_images_give_labelled_probabilities_the_likeliest_first(trained, validation):
    images, _ = validation
    predictions = trained.predict(images)
    assert len(predictions) == 60
    for prediction, row in zip(predictions, trained.probabilities(images), strict=True):
        assert sorted(prediction) == sorted(trained.labels)
        values = list(prediction.values())
        assert values == sorted(values, reverse=True)
        expected = dict(zip(trained.labels, row.tolist(), strict=True))
        assert prediction == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_images_come_in_many_forms(trained, validation):
    images, _ = validation
    expected = trained.predict(images[:3])
    flat = images[:3, :, :, 0]
    for form in (
        flat,
        list(flat),
        list(images[:3]),
        [Image.fromarray(image) for image in flat],
        [Image.fromarray(image).convert("RGB") for image in flat],
        [flat[0], Image.fromarray(flat[1]), images[2]],
        (image for image in flat),
    ):
        assert trained.predict(form) == expected


def test_one_image_gives_one_prediction(trained, validation):
    images, _ = validation
    expected = trained.predict(images[:1])
    assert trained.predict(images[0, :, :, 0]) == expected
    assert trained.predict(Image.fromarray(images[0, :, :, 0])) == expected


def test_images_of_other_sizes_are_resized(trained, validation):
    images, labels = validation
    larger = [
        Image.fromarray(image).resize((48 + number, 48 + number), Image.Resampling.NEAREST)
        for number, image in enumerate(images[:20, :, :, 0])
    ]
    names = [trained.labels[label] for label in labels[:20]]
    assert likeliest(trained.predict(larger)) == names
    assert likeliest(trained.predict([np.asarray(image) for image in larger])) == names


def test_pictures_mean_what_they_mean_to_prepare(trained):
    drawn = np.asarray(doodle(0, 255))
    expected = trained.predict(drawn)
    glass = np.full((40, 40, 4), 255, np.uint8)
    glass[..., 3] = drawn
    palette = Image.fromarray(drawn // 255)
    palette.putpalette([0, 0, 0, 255, 255, 255])
    upside_down = Image.open(io.BytesIO(saved(Image.fromarray(drawn[::-1, ::-1]), exif=turned(3))))
    for picture in (
        Image.fromarray(drawn.astype(np.uint16) * 257),
        Image.fromarray(glass),
        Image.fromarray(glass).convert("LA"),
        palette,
        upside_down,
        Image.fromarray(255 - drawn),
        Image.fromarray(255 - drawn).convert("CMYK"),
    ):
        assert trained.predict(picture) == expected


def test_an_oblong_picture_is_filled_up_as_prepare_does(trained):
    wide = doodle(0, 255, size=(60, 40))
    square = np.zeros((60, 60), np.uint8)
    square[10:50] = np.asarray(wide)
    assert trained.predict(wide) == trained.predict(square)


@pytest.mark.parametrize("data", [bomb(6000, 6000), bomb(120_000, 1), saved(doodle())[:100]])
def test_a_picture_that_cannot_be_read_is_refused(trained, data):
    with pytest.raises(QuickdrawError, match="a picture that cannot be read"):
        trained.predict(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((12, 12), np.float32),
        np.zeros((2, 12, 12), np.int64),
        np.zeros((2, 12, 12, 3), np.uint8),
        np.zeros((2, 2, 12, 12, 1), np.uint8),
        np.zeros(12, np.uint8),
        np.zeros((0, 12, 12), np.uint8),
        np.zeros((0, 12), np.uint8),
        [],
        [[1, 2], [3, 4]],
        "cat.png",
        7,
        None,
    ],
    ids=lambda value: f"{getattr(value, 'dtype', '')}{getattr(value, 'shape', value)}",
)
def test_what_is_no_image_is_refused(trained, images):
    with pytest.raises(QuickdrawError, match=r"Received: "):
        trained.predict(images)


# The record


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
        ("model_params", {"filters": [8, 16], "dropout": 0.4}),
        ("loss_params", {"label_smoothing": 0.1}),
        ("labels", ["hot dog", "고양이"]),
        ("image_size", 32),
        ("data_fingerprint", "def"),
    ],
)
def test_a_field_that_matters_is_a_difference(run, field, value):
    (difference,) = run.differences(dataclasses.replace(run, **{field: value}))
    assert difference == f"{field} {getattr(run, field)!r} → {value!r}"


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
