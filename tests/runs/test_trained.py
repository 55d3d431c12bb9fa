"""A trained model that comes back from its folder, and what it says about images."""

import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from picturing import bomb, doodle, saved, turned
from PIL import Image, ImageDraw

from quickdraw import precision, readers, runs
from quickdraw.drawings.rendering import Rendering
from quickdraw.errors import QuickdrawError


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


def test_one_drawing_after_another_gets_the_probabilities_of_a_batch(tiny_run, validation):
    images, _ = validation
    trained = runs.load(tiny_run)
    together = trained.probabilities(images)
    alone = np.concatenate([trained.probabilities(image[None]) for image in images])
    assert trained._probabilities_of_one is not trained._probabilities  # XLA compiled it
    np.testing.assert_allclose(alone, together, rtol=0, atol=2e-6)
    trained.temperature = 3.0
    warmer = np.concatenate([trained.probabilities(image[None]) for image in images])
    np.testing.assert_allclose(warmer, trained.probabilities(images), rtol=0, atol=2e-6)
    assert warmer.max() < alone.max()


def test_an_operation_that_xla_does_not_know_is_taken_as_in_a_batch(tiny_run, validation):
    images, _ = validation
    trained = runs.load(tiny_run)
    plain = trained._probabilities

    def unknown(images, temperature):
        return tf.numpy_function(lambda each: each, [plain(images, temperature)], tf.float32)

    trained._probabilities = tf.function(unknown, autograph=False)
    alone = trained.probabilities(images[:1])
    np.testing.assert_array_equal(alone, plain(images[:1], np.float32(trained.temperature)))
    assert trained._probabilities_of_one is trained._probabilities


def test_half_precision_is_left_to_what_batches_get(tiny_run, validation, monkeypatch):
    images, _ = validation
    monkeypatch.setattr(precision, "for_prediction", lambda trained_in: "bfloat16")
    trained = runs.load(tiny_run)
    trained.probabilities(images[:1])
    assert trained._probabilities_of_one is trained._probabilities


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


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("run/best.keras", "--train_dir={0}/run?"),
        ("run/checkpoints/", "--train_dir={0}/run?"),
        ("run/checkpoints/step-40", "--train_dir={0}/run?"),
        ("", "one of {0}/run?"),
    ],
)
def test_the_run_that_is_meant_is_named(copy, named, meant):
    above = copy.parent
    with pytest.raises(QuickdrawError) as raised:
        runs.load(os.path.join(above, named))
    assert str(raised.value).endswith(f"Did you mean {meant.format(above)}")


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


@pytest.mark.parametrize(
    "damage",
    [{"settings": None}, {"channels": "1"}, {"labels": [1, 2, 3]}, {"model_params": [1]}],
    ids=str,
)
def test_what_no_record_holds_is_told(copy, damage):
    change(copy, **damage)
    with pytest.raises(QuickdrawError, match=rf"run\.json: {next(iter(damage))} must be of type"):
        runs.load(str(copy))


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
    told = r"was trained with my_lost_models\.Model and .*no module named 'my_lost_models'"
    with pytest.raises(QuickdrawError, match=told):
        runs.load(str(copy))


@pytest.mark.parametrize("content", [b"", b"no model"])
def test_a_damaged_best_model_is_told(copy, content):
    (copy / "best.keras").write_bytes(content)
    with pytest.raises(QuickdrawError, match=r"best\.keras does not fit the model"):
        runs.load(str(copy))


def test_a_best_model_that_is_gone_is_told(copy):
    (copy / "best.keras").unlink()
    with pytest.raises(QuickdrawError, match=r"best\.keras is gone\. --checkpoint=latest takes"):
        runs.load(str(copy))


@pytest.mark.parametrize("content", ["{}", "[1]", "null", '{"step": "40"}', '{"step": true}'])
def test_damaged_figures_of_the_best_model_are_told(copy, content):
    (copy / "best.json").write_text(content)
    with pytest.raises(QuickdrawError, match=r"best\.json: damaged: the step .*=latest"):
        runs.load(str(copy))
    assert runs.load(str(copy), "latest").step


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


def test_single_drawings_compile_once_whatever_the_temperature(trained, validation):
    images, _ = validation
    before = trained.predict(images[0])
    compiled = trained._probabilities.experimental_get_tracing_count()
    trained.temperature = 2.0
    try:
        warmer = trained.predict(images[1])
        assert trained._probabilities.experimental_get_tracing_count() == compiled
        expected = np.exp(trained.logits(images[1:2])[0] / 2)
        assert max(warmer[0].values()) == pytest.approx((expected / expected.sum()).max(), rel=1e-4)
    finally:
        trained.temperature = 1.0
    assert trained.predict(images[0]) == before


def test_images_of_other_sizes_in_a_style_of_their_own_are_resized(
    trained, validation, monkeypatch
):
    monkeypatch.setattr(trained, "rendering", Rendering("other"))
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


@pytest.mark.parametrize("style", ["quickdraw", "mnist"])
def test_a_picture_of_thin_lines_is_drawn_again(trained, style, monkeypatch):
    """On a large page two pixels are a shadow of the pen that the model knows."""
    page = Image.new("L", (254, 254), 255)
    ImageDraw.Draw(page).ellipse((80, 60, 190, 170), outline=90, width=2)
    monkeypatch.setattr(trained, "rendering", Rendering(style))
    turn = np.linspace(0, 2 * np.pi, 60)
    circle = [[(127.5 * (1 + np.cos(turn))).tolist(), (127.5 * (1 + np.sin(turn))).tolist()]]
    expected = trained.predict(Rendering(style).image(circle, trained.takes.image_size))[0]
    for picture in (page, 255 - np.asarray(page)):
        found = trained.predict(picture)[0]
        assert found == pytest.approx(expected, abs=0.05)


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
