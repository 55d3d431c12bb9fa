"""Several runs predict as one."""

import dataclasses

import numpy as np
import pytest

from quickdraw import inference, runs
from quickdraw.errors import QuickdrawError
from quickdraw.runs.ensemble import Ensemble, warn_of_mirroring
from quickdraw.training import Settings, fit


class Fixed:
    """A model that gives the same probabilities to every drawing."""

    def __init__(self, scores, run):
        self._scores, self.run, self.labels = np.asarray(scores, np.float32), run, run.labels

    def probabilities(self, images):
        # Depends on the left edge, so that a mirror image gets other ones.
        return self._scores * (1 + images[:, 0, :1, 0])


@pytest.fixture
def run(tiny_run) -> runs.Run:
    return runs.read(tiny_run)


def test_the_mean_is_weighted(run):
    models = [Fixed([1, 0, 0], run), Fixed([0, 0, 1], run)]
    images = {"image": np.zeros((2, 12, 12, 1), np.uint8)}
    assert Ensemble(models).probabilities(images).tolist() == [[0.5, 0, 0.5]] * 2
    assert Ensemble(models, [3, 1]).probabilities(images).tolist() == [[0.75, 0, 0.25]] * 2


def test_mirror_images_count_half(run):
    images = np.zeros((1, 12, 12, 1), np.uint8)
    images[0, 0, -1] = 1
    inputs = {"image": images}
    assert Ensemble([Fixed([1, 0, 0], run)]).probabilities(inputs).tolist() == [[1, 0, 0]]
    assert Ensemble([Fixed([1, 0, 0], run)], flip=True).probabilities(inputs)[0, 0] == 1.5


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], [1, -1], [0, 0]])
def test_weights_that_make_no_mean_are_refused(run, weights):
    with pytest.raises(QuickdrawError, match="2 weights of 0 and more expected"):
        Ensemble([Fixed([1, 0, 0], run)] * 2, weights)


def test_classes_are_added_up_by_name(run, tiny_run):
    other = runs.read(tiny_run)
    other.labels = ["sun", "cat", "hot_dog"]
    models = [Fixed([0.5, 0.3, 0.2], run), Fixed([0.1, 0.9, 0], other)]
    images = {"image": np.zeros((1, 12, 12, 1), np.uint8)}
    ensemble = Ensemble(models)
    assert ensemble.labels == run.labels
    assert ensemble.probabilities(images)[0] == pytest.approx([0.7, 0.15, 0.15])


def test_runs_with_other_labels_are_refused(run, tiny_run):
    other = runs.read(tiny_run)
    other.labels = ["a", "b", "c"]
    with pytest.raises(QuickdrawError, match="expected 3 classes .cat, hot dog, sun.. Received 3"):
        Ensemble([Fixed([1, 0, 0], run), Fixed([1, 0, 0], other)])


def test_inference_takes_several_runs(tiny_data, tiny_run, tmp_path, capsys):
    other = str(tmp_path / "other")
    augment = "flip=True, never_flip=(0,)"
    data = {"train_data_pattern": tiny_data.train, "train_dir": other}
    fit(Settings(model="MlpModel", augment=augment, **data))
    output = tmp_path / "out.csv"
    flags = [
        f"--train_dir={tiny_run},{other}",
        f"--input_data_pattern={tiny_data.test}",
        f"--output_file={output}",
        "--ensemble_weights=2,1",
        "--tta",
    ]
    assert inference.main(["inference", *flags]) == 0
    assert output.read_text().count("\n") == 41
    told = capsys.readouterr().err
    assert f"--tta mirrors all drawings; {other} was trained with never_flip=[0]" in told
    assert told.count("never_flip") == 1


@pytest.mark.parametrize(
    ("labels", "named", "told"),
    [
        (["0", "1", "8"], True, "letters and digits are others then: 0, 1, 8 in"),
        (["b", "cat"], True, "letters and digits are others then: b in"),
        (["0", "1", "8"], False, ""),  # numbers of classes that nobody named
        (["cat", "dog", "lion"], True, ""),
    ],
)
def test_digits_and_letters_are_others_when_mirrored(run, capsys, labels, named, told):
    warn_of_mirroring("runs/x", dataclasses.replace(run, labels=labels, named=named))
    assert told in capsys.readouterr().err if told else not capsys.readouterr().err
