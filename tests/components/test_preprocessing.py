"""What a model does to images first: cropped and normalised, in training and ever after."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from reading import noise

from quickdraw import eval as evaluation
from quickdraw import runs, train
from quickdraw.components.inputs import check_preprocess
from quickdraw.components.preprocessing import AS_IT_IS, Preprocessing
from quickdraw.errors import QuickdrawError
from quickdraw.models import BaseModel
from quickdraw.training import Settings, fit


class SeenModel(BaseModel):
    """Its first logits are the pixels that it sees."""

    def create_model(self, images, num_classes):
        flat = keras.layers.Flatten()(images)
        return keras.layers.Dense(num_classes, kernel_initializer="identity")(flat)


def seen(preprocessing: Preprocessing, images: np.ndarray, side: int) -> np.ndarray:
    channels = images.shape[3]
    model = SeenModel().build(images.shape[1], channels, side * side * channels, preprocessing)
    return np.asarray(model(images)).reshape(len(images), side, side, channels)


@pytest.mark.parametrize("crop", [8, 7, 5, 1])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_middle_of_the_images_is_seen(crop, channels):
    images = noise(3, 8, channels=channels).reshape(3, 8, 8, channels)
    start = (8 - crop) // 2
    middle = images[:, start : start + crop, start : start + crop]
    assert seen(Preprocessing(crop=crop), images, crop) == pytest.approx(middle / 255, abs=1e-6)


def test_mean_and_standard_deviation():
    images = noise(3)[..., None]
    found = seen(Preprocessing(None, 0.25, 0.5), images, 8)
    assert found == pytest.approx((images / 255 - 0.25) / 0.5, abs=1e-6)


def test_without_the_flags_the_layer_is_what_it_was():
    layer = SeenModel().build(8, 1, 64, AS_IT_IS).get_layer("normalise")
    assert (layer.scale, layer.offset) == (1 / 255, 0.0)


@pytest.fixture(scope="module")
def cropped(tiny_data, tmp_path_factory) -> dict:
    """The settings of a run on cropped and normalised images."""
    settings = {
        "train_data_pattern": tiny_data.train,
        "eval_data_pattern": tiny_data.valid,
        "train_dir": str(tmp_path_factory.mktemp("cropped") / "run"),
        "crop": 10,
        "pixel_mean": 0.5,
        "pixel_std": 0.25,
        "augment": "shift=1",
        "batch_size": 20,
        "num_epochs": 4.0,
    }
    fit(Settings(**settings))
    return settings


def test_it_is_kept_with_the_run(cropped, tiny_data, capsys):
    trained = runs.load(cropped["train_dir"])
    kernel, bias = (np.asarray(weight) for weight in trained.model.weights)
    images = noise(4, 12)
    pixels = (images[:, 1:11, 1:11].reshape(4, 100) / 255 - 0.5) / 0.25
    assert trained.logits(images[..., None]) == pytest.approx(pixels @ kernel + bias, abs=1e-4)
    probabilities = [trained.predict(image)[0] for image in images]
    assert [trained.labels.index(next(iter(each))) for each in probabilities] == (
        (pixels @ kernel + bias).argmax(axis=1).tolist()
    )
    assert evaluation.main(["eval", f"--train_dir={cropped['train_dir']}", "--run_once"]) == 0
    found = [
        json.loads(Path(cropped["train_dir"], name).read_text())["top1"]
        for name in ("eval.json", "best.json")
    ]
    assert found[0] == found[1] > 0.9


def test_the_saved_file_alone_does_it_too(cropped):
    model = keras.models.load_model(f"{cropped['train_dir']}/best.keras")
    images = noise(4, 12)[..., None]
    expected = runs.load(cropped["train_dir"]).logits(images)
    assert np.asarray(model(images)) == pytest.approx(expected, abs=1e-5)


def test_another_crop_is_another_run(cropped):
    with pytest.raises(QuickdrawError, match="other settings: crop 10 → 8"):
        fit(Settings(**{**cropped, "crop": 8}))


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--crop=13", "--crop=13: the images have 12 pixels a side"),
        ("--crop=0", "--crop must be at least 1"),
        ("--pixel_std=0", "--pixel_std must be above 0 and at most 1. Received: 0"),
        ("--pixel_mean=127.5", "--pixel_mean must be from 0 to 1. Received: 127.5"),
    ],
)
def test_what_cannot_be(tiny_data, tmp_path, capsys, flag, told):
    flags = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}/run", flag]
    assert train.main(["train", *flags]) in (1, 2)
    assert told in capsys.readouterr().err


def test_ink_has_no_pixels(tiny_data, tmp_path, capsys):
    flags = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}/run"]
    assert train.main(["train", *flags, "--model=StrokeRnnModel", "--crop=8"]) == 1
    assert "--crop: images are changed, and StrokeRnnModel takes ink" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        lambda images: images * np.random.default_rng().random((len(images), 1, 1, 1)),
        lambda images: images - images.mean(axis=0),
        lambda images: np.roll(images, 1, axis=0),
    ],
)
def test_an_image_is_preprocessed_by_itself(change):
    def preprocess(images):
        return change(images).astype(np.uint8)

    with pytest.raises(QuickdrawError, match="must go by the image alone"):
        check_preprocess(preprocess, (6, 6, 1), None)


def test_preprocessing_may_change_the_images_in_place():
    def preprocess(images):
        images //= 2
        return images

    check_preprocess(preprocess, (6, 6, 1), None)
