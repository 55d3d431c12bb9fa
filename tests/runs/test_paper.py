"""Records whose ink is dark on light paper, and runs that were trained on the other kind."""

import json

import numpy as np
import pytest
from picturing import doodle

from quickdraw import calibrate, inference
from quickdraw import eval as evaluation
from quickdraw.records import dataset_info
from quickdraw.runs import record
from quickdraw.runs.paper import most_are_dark
from quickdraw.training import Settings, fit

DARK = np.asarray(doodle().resize((28, 28)).convert("L"))[None, :, :, None]
TOLD = "and the model was trained on"


@pytest.mark.parametrize("dark", [0, 1, 40, 50, 60, 100])
def test_most_of_the_images_decide(dark):
    images = np.concatenate([np.repeat(DARK, dark, 0), np.repeat(255 - DARK, 100 - dark, 0)])
    images = np.random.default_rng(0).permutation(images)
    if dark in (0, 1, 100):
        assert most_are_dark(images) == (dark == 100)
    if dark == 50:
        assert most_are_dark(images[:0]) is None


def test_what_is_no_grey_image_is_not_judged():
    assert most_are_dark(np.repeat(DARK, 3, 3)) is None
    assert most_are_dark(np.full((5, 28, 28, 1), 255, np.uint8)) is None


@pytest.fixture
def records(tmp_path, write_records):
    """Folders `dark` and `light` with the same doodles, for all splits."""
    dark = [np.roll(DARK[0, :, :, 0], seed, 1) for seed in range(12)]
    labels = np.arange(12) % 3
    for name, images in (("dark", dark), ("light", [255 - image for image in dark])):
        folder = tmp_path / name
        folder.mkdir()
        dataset_info.DatasetInfo(["cat", "hot dog", "sun"], 28).save(str(folder))
        write_records(folder / "train-0", images, label=labels)
        write_records(folder / "test-0", images, image_id=[b"%d" % at for at in range(12)])
    return tmp_path


def train(records, kind, **settings):
    fit(
        Settings(
            train_data_pattern=str(records / kind / "train-*"),
            train_dir=str(records / f"run-{kind}"),
            batch_size=4,
            num_epochs=1.0,
            **settings,
        )
    )
    return str(records / f"run-{kind}")


@pytest.mark.parametrize("kind", ["dark", "light"])
def test_whatever_predicts_tells_of_the_other_kind(records, capfd, kind):
    run = train(records, kind)
    assert record.read(run).dark_ink == (kind == "dark")
    assert ("the images are dark on light" in capfd.readouterr().err) == (kind == "dark")
    for other in ("dark", "light"):
        labelled, test = (str(records / other / f"{split}-*") for split in ("train", "test"))
        for main, flags in (
            (evaluation.main, [f"--eval_data_pattern={labelled}", "--run_once"]),
            (calibrate.main, [f"--eval_data_pattern={labelled}"]),
            (inference.main, [f"--input_data_pattern={test}"]),
        ):
            assert main(["x", f"--train_dir={run}", *flags]) == 0
            told = capfd.readouterr().err
            assert (TOLD in told) == (other != kind)
            assert told.count(TOLD) < 2


def test_validation_records_of_the_other_kind_are_told(records, capfd):
    train(records, "light", eval_data_pattern=str(records / "dark" / "train-*"))
    assert TOLD in capfd.readouterr().err


def test_a_run_of_an_earlier_version_says_nothing(records, capfd):
    run = train(records, "light")
    content = json.loads((records / "run-light" / "run.json").read_text())
    del content["dark_ink"]
    (records / "run-light" / "run.json").write_text(json.dumps(content))
    test = str(records / "dark" / "test-*")
    assert inference.main(["x", f"--train_dir={run}", f"--input_data_pattern={test}"]) == 0
    assert TOLD not in capfd.readouterr().err
