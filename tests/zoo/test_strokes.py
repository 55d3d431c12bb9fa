"""Models that learn from strokes: from records with ink to predictions."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from quickdraw import devices, eval, inference, readers, runs, train
from quickdraw.drawings.rasterise import rasterise
from quickdraw.errors import QuickdrawError
from quickdraw.records import dataset_info
from quickdraw.records.ink import SCALE, ink_of
from quickdraw.runs import factory
from quickdraw.training import Settings, fit
from quickdraw.training.data import cache, decode
from quickdraw.training.setup import prepare

LABELS = ["circle", "cross", "zigzag"]
SMALL = "filters=(8,), units=(4,), max_points=16"
FUSION = {
    "model": "FusionModel",
    "model_params": "filters=(8,), max_points=16",
    "num_epochs": 4.0,
    "checkpoint_every_steps": 10,
    "accumulate_steps": 2,
    "label_loss": "CenterLoss",
}


def strokes_of(label: int, random: np.random.Generator) -> list:
    """A drawing of its class, a little different each time."""
    angles = np.linspace(0, 2 * np.pi, 10)
    shape = [
        [[np.cos(angles), np.sin(angles)]],
        [[[-1, 1], [-1, 1]], [[-1, 1], [1, -1]]],
        [[[-1, -0.5, 0, 0.5, 1], [-1, 1, -1, 1, -1]]],
    ][label]
    return [
        [np.rint(127 + 100 * np.add(axis, random.normal(0, 0.1, len(axis)))).tolist() for axis in s]
        for s in shape
    ]


@dataclasses.dataclass
class InkData:
    """Records with ink, and the drawings of the test records with their labels."""

    folder: Path
    drawings: list[list]
    answers: list[int]

    def settings(self, train_dir: Path, **changes) -> dict:
        return {
            "train_data_pattern": f"{self.folder}/train-*",
            "eval_data_pattern": f"{self.folder}/valid-*",
            "train_dir": str(train_dir),
            "model": "StrokeRnnModel",
            "model_params": SMALL,
            "batch_size": 12,
            "num_epochs": 10.0,
            "eval_every": 20,
            "base_learning_rate": 0.02,
            "checkpoint_every_steps": 20,
            **changes,
        }


@pytest.fixture(scope="session")
def ink_data(tmp_path_factory, write_records) -> InkData:
    """60 training, 30 validation and 12 test drawings, 12 x 12."""
    folder = tmp_path_factory.mktemp("ink")
    random = np.random.default_rng(0)
    for name, count in (("train-0", 30), ("train-1", 30), ("valid-0", 30), ("test-0", 12)):
        labels = random.permutation(np.arange(count) % 3)
        drawings = [strokes_of(label, random) for label in labels]
        inks = [ink_of(drawing) for drawing in drawings]
        target = {"label": labels}
        if name == "test-0":
            target = {"image_id": [b"%d" % number for number in range(count)]}
        write_records(
            folder / name,
            [rasterise(drawing, 12) for drawing in drawings],
            ink=[ink.ravel().tolist() for ink in inks],
            shape=[list(ink.shape) for ink in inks],
            **target,
        )
    dataset_info.DatasetInfo(LABELS, 12, source="a test", fingerprint="ink").save(str(folder))
    return InkData(folder, drawings, labels.tolist())


@pytest.fixture(scope="session")
def rnn(ink_data, tmp_path_factory) -> Path:
    """The train_dir of a StrokeRnnModel. Copy it before changing anything."""
    train_dir = tmp_path_factory.mktemp("strokes") / "rnn"
    fit(Settings(**ink_data.settings(train_dir)))
    return train_dir


@pytest.fixture(scope="session")
def fusion(ink_data, tmp_path_factory) -> Path:
    """The train_dir of a FusionModel: each batch in two parts, its features given to the loss."""
    train_dir = tmp_path_factory.mktemp("strokes") / "fusion"
    fit(Settings(**ink_data.settings(train_dir, **FUSION)))
    return train_dir


def answers(path: Path) -> list[str]:
    with open(path, newline="", encoding="utf-8") as file:
        return [row["label"] for row in csv.DictReader(file)]


def weights(train_dir: Path) -> list[bytes]:
    """Of the newest checkpoint."""
    model = runs.load(str(train_dir), "latest").model
    return [weight.tobytes() for weight in model.get_weights()]


# Readers


@pytest.mark.parametrize("kind", [readers.StrokeReader, readers.StrokeTestReader])
def test_readers_give_images_and_ink_of_training_and_test_records_alike(ink_data, kind):
    pattern = f"{ink_data.folder}/{'train' if kind is readers.StrokeReader else 'test'}-*"
    reader = kind(max_points=20)
    drawings, targets = next(reader.batches(pattern, 9))
    assert set(drawings) == {"image", "ink"}
    assert (drawings["ink"].shape, drawings["ink"].dtype) == ((9, 20, 3), np.int16)
    images, same = next(kind(inputs=("image",)).batches(pattern, 9))
    assert np.array_equal(drawings["image"], images)
    assert targets.tolist() == same.tolist()
    given, _ = next(iter(reader.dataset(pattern, 9)))
    assert np.array_equal(given["ink"], drawings["ink"])
    if kind is readers.StrokeTestReader:
        expected = ink_of(ink_data.drawings[0])
        np.testing.assert_allclose(drawings["ink"][0, : len(expected)] / SCALE, expected, atol=1e-4)


@pytest.mark.parametrize("processes", [1, 2])
def test_the_cache_holds_images_and_ink(ink_data, monkeypatch, tmp_path, processes):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(decode, "_SMALL_BYTES", 0)
    monkeypatch.setattr(decode.os, "cpu_count", lambda: processes)
    pattern = f"{ink_data.folder}/train-*"
    expected, labels = next(readers.StrokeReader(max_points=9).batches(pattern, 60))
    reader = readers.StrokeReader(max_points=9)
    for _ in range(2):  # decoded, then from the cache
        loaded = cache.load(reader, reader.open(pattern), "reading", 100.0)
        assert np.array_equal(loaded.inputs["ink"], expected["ink"])
        assert np.array_equal(loaded.inputs["image"], expected["image"])
        assert np.array_equal(loaded.labels, labels)
        assert loaded.nbytes == 60 * (12 * 12 + 9 * 3 * 2)


# Training


def test_it_learns_and_the_run_knows_its_points(rnn, ink_data):
    run = runs.read(str(rnn))
    assert run.model_params["max_points"] == 16
    trained = runs.load(str(rnn))
    pattern = f"{ink_data.folder}/valid-*"
    ink, labels = next(factory.reader_for(run, readers.QuickDrawFeatureReader).batches(pattern, 30))
    assert ink.shape == (30, 16, 3)
    assert (trained.probabilities(ink).argmax(axis=1) == labels).mean() > 0.9


def test_streamed_stopped_and_resumed_it_ends_with_the_same_bits(ink_data, fusion, tmp_path, capfd):
    shutil.copytree(fusion, tmp_path / "run")
    for path in tmp_path.glob("run/checkpoints/step-20.*"):
        path.unlink()
    settings = ink_data.settings(tmp_path / "run", **FUSION, memory_budget=0.01)
    fit(Settings(**settings))
    told = capfd.readouterr().err
    assert "are streamed from the cache" in told
    assert "going on from the checkpoint at step 10" in told
    assert weights(tmp_path / "run") == weights(fusion)


@pytest.mark.parametrize(
    ("model", "told"),
    [("StrokeRnnModel", "3 classes\n"), ("FusionModel", "3 classes, 12x12 pixels\n")],
)
def test_pixels_are_told_of_models_that_take_them(ink_data, tmp_path, model, told, capfd):
    settings = ink_data.settings(tmp_path, model=model, model_params="max_points=16")
    prepare(Settings(**settings), devices.create("none"), cache.load)
    assert f"60 training drawings of {told}" in capfd.readouterr().err


# Predictions


@pytest.mark.parametrize("which", ["rnn", "fusion"])
def test_inference_eval_and_predict(which, ink_data, tmp_path, request, capsys):
    train_dir = request.getfixturevalue(which)
    output = tmp_path / "out.csv"
    flags = [f"--train_dir={train_dir}", f"--input_data_pattern={ink_data.folder}/test-*"]
    assert inference.main(["inference", *flags, f"--output_file={output}"]) == 0
    predicted = [int(label) for label in answers(output)]
    trained = runs.load(str(train_dir))
    scores = trained.predict(ink_data.drawings)
    assert [LABELS.index(next(iter(each))) for each in scores] == predicted
    (one,) = trained.predict(ink_data.drawings[0])
    assert one == pytest.approx(scores[0], abs=1e-5)
    if which == "rnn":
        assert predicted == ink_data.answers
    assert eval.main(["eval", f"--train_dir={train_dir}", "--run_once"]) == 0
    assert "30 drawings: top-1" in capsys.readouterr().out


def test_an_ensemble_of_an_image_run_and_stroke_runs(ink_data, rnn, fusion, tmp_path):
    pattern = f"{ink_data.folder}/test-*"
    image = fit(
        Settings(
            train_data_pattern=f"{ink_data.folder}/train-*",
            train_dir=str(tmp_path / "image"),
            image_size=10,
            max_steps=5,
        )
    )
    flags = [
        f"--train_dir={rnn},{tmp_path}/image",
        f"--input_data_pattern={pattern}",
        f"--output_probabilities={tmp_path}/all.csv",
        f"--output_file={tmp_path}/out.csv",
        "--tta",
    ]
    assert inference.main(["inference", *flags]) == 0
    given = np.loadtxt(tmp_path / "all.csv", delimiter=",", skiprows=1)[:, 1:]
    drawings, _ = next(readers.StrokeTestReader(image_size=10, max_points=16).batches(pattern, 99))
    flipped = drawings["ink"] * np.array([-1, 1, 1], np.int16)
    stroke = runs.load(str(rnn))
    parts = [stroke.probabilities(drawings["ink"]), stroke.probabilities(flipped)]
    parts += [
        image.probabilities(each) for each in (drawings["image"], drawings["image"][:, :, ::-1])
    ]
    np.testing.assert_allclose(given, np.mean(parts, axis=0), atol=1e-5)


@pytest.mark.parametrize(
    ("drawings", "told"),
    [
        (np.zeros((12, 12), np.uint8), "Received: ndarray"),
        (np.zeros((2, 12, 12), np.uint8), "Received: ndarray"),
        ([], "Received: list"),
        ([[[1, 2], [3]]], "x and y of different lengths"),
        ([[[1, 999], [3, 4]]], "coordinates outside 0...255"),
        ("cat", "Received: str"),
    ],
)
def test_what_is_no_drawing_of_strokes_is_told(rnn, drawings, told):
    with pytest.raises(QuickdrawError, match="this model takes strokes.*") as caught:
        runs.load(str(rnn)).predict(drawings)
    assert told in str(caught.value)


# Mistakes


def fails(main, capfd, *flags: str) -> str:
    assert main(["command", *flags]) == 1
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("command: ")]
    assert len(lines) == 1
    return lines[0]


def test_records_without_ink(tiny_data, rnn, tmp_path, capfd):
    flags = ["--model=StrokeRnnModel", f"--train_data_pattern={tiny_data.train}"]
    told = fails(train.main, capfd, *flags, f"--train_dir={tmp_path}/run")
    assert "train-0.tfrecord, record 0: no feature 'ink'" in told
    assert "quickdraw.datasets.prepare --keep_strokes" in told
    (tmp_path / "without_labels").mkdir()
    records = shutil.copy(f"{tiny_data.folder}/test-0.tfrecord", tmp_path / "without_labels")
    flags = [f"--train_dir={rnn}", f"--input_data_pattern={records}"]
    assert "--keep_strokes" in fails(inference.main, capfd, *flags)


@pytest.mark.parametrize("model", ["StrokeTransformerModel", "FusionModel"])
def test_augmentation_of_ink(ink_data, tmp_path, model, capfd):
    changes = {"model": model, "model_params": "", "augment": "shift=1"}
    settings = ink_data.settings(tmp_path / "run", **changes)
    told = fails(train.main, capfd, *(f"--{name}={value}" for name, value in settings.items()))
    assert f"--augment changes images, and {model} takes ink: leave it out" in told


def test_a_teacher_that_takes_something_else(ink_data, rnn, tmp_path):
    changes = {**FUSION, "label_loss": "DistillationLoss", "teacher_dir": str(rnn)}
    settings = ink_data.settings(tmp_path / "run", **changes)
    with pytest.raises(QuickdrawError, match="must have the inputs .* Received: .*'ink'"):
        fit(Settings(**settings))
