"""Losses in a training: with features, teachers, class weights and mixed drawings."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from quickdraw import eval as evaluate
from quickdraw import losses, readers, runs
from quickdraw.errors import QuickdrawError
from quickdraw.runs import factory
from quickdraw.training import Settings, fit
from quickdraw.training.objective import Objective, class_weights

ALL = sorted(name for name in losses.__all__ if name.endswith("Loss") and name != "BaseLoss")


def settings_of(tiny_data, train_dir: Path, loss: str, **changes) -> Settings:
    return Settings(
        **{
            "train_data_pattern": tiny_data.train,
            "eval_data_pattern": tiny_data.valid,
            "train_dir": str(train_dir),
            "model": "MlpModel",
            "model_params": "units=(16,), dropout=0.1",
            "label_loss": loss,
            "batch_size": 20,
            "num_epochs": 15.0,
            "eval_every": 15.0,
            "base_learning_rate": 0.02,
            **changes,
        }
    )


@pytest.mark.parametrize("name", ALL)
def test_every_loss_trains_and_its_run_loads(name, tiny_data, tiny_run, tmp_path):
    teacher = tiny_run if getattr(losses, name).needs_teacher else None
    settings = settings_of(tiny_data, tmp_path / "run", name, teacher_dir=teacher)
    trained = fit(settings)
    assert runs.read(str(tmp_path / "run")).label_loss == name
    flags = ["eval", f"--train_dir={tmp_path}/run", "--run_once"]
    assert evaluate.main(flags) == 0
    images = np.zeros((2, 12, 12, 1), np.uint8)
    np.testing.assert_allclose(trained.probabilities(images).sum(axis=1), 1, rtol=1e-5)
    assert '"top1": 1.0' in (tmp_path / "run/eval.json").read_text()


@pytest.mark.parametrize("name", ["AMSoftmaxLoss", "CenterLoss", "LargeMarginSoftmaxLoss"])
def test_averages_parts_and_half_precision(name, tiny_data, tmp_path):
    changes = {"ema_decay": 0.9, "accumulate_steps": 2, "precision": "float16", "num_epochs": 2.0}
    trained = fit(settings_of(tiny_data, tmp_path / "run", name, **changes))
    assert np.isfinite(trained.probabilities(np.zeros((1, 12, 12, 1), np.uint8))).all()


def test_the_logits_of_am_softmax_are_cosines(tiny_data, tmp_path):
    settings = settings_of(tiny_data, tmp_path / "run", "AMSoftmaxLoss", max_steps=3)
    trained = fit(settings)
    images = np.random.default_rng(0).integers(0, 256, (50, 12, 12, 1), np.uint8)
    logits = trained.model(images).numpy()
    assert np.abs(logits).max() <= 30 * (1 + 1e-5)
    assert type(trained.model.layers[-1]) is layers.Rescaling
    kernel = trained.model.layers[-2].kernel
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1, rtol=1e-5)
    saved = keras.saving.load_model(tmp_path / "run/best.keras")  # nothing but stock layers
    np.testing.assert_allclose(saved(images), logits, atol=1e-5)


OWN = """
import tensorflow as tf
from keras import layers
from quickdraw.losses import BaseLoss
from quickdraw.models import BaseModel

class Empty(BaseLoss):
    pass

class Mean(BaseLoss):
    def calculate_loss(self, logits, labels):
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))

class Broken(BaseLoss):
    def calculate_loss(self, logits, labels):
        return logits + tf.zeros((7, 7))

class Needy(BaseLoss):
    needs_features = True

    def calculate_loss(self, logits, labels, features):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)

class Blind(BaseLoss):
    needs_features = True

    def calculate_loss(self, logits, labels):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)

class Featureless(BaseModel):
    def create_model(self, images, num_classes):
        x = layers.Conv2D(num_classes, 3)(images)
        return layers.GlobalAveragePooling2D()(x)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module `own_losses` that a student wrote."""
    (tmp_path / "own_losses.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize(
    ("loss", "changes", "told"),
    [
        ("CrossEntropyLoss", {"loss_params": "label_smoothing=1.5"}, "label_smoothing must be"),
        ("own_losses.Empty", {}, "Empty must define calculate_loss"),
        ("own_losses.Mean", {}, "Mean.calculate_loss must return one value an example"),
        ("own_losses.Broken", {}, r"Broken.calculate_loss failed: .*own_losses\.py, line \d+\)$"),
        ("own_losses.Needy", {}, "labels, features=None\\) expected: missing a required"),
        ("own_losses.Blind", {}, "labels, features=None\\) expected: got an unexpected"),
        *(
            (
                loss,
                {"model": "own_losses.Featureless", "model_params": ""},
                f"{loss} needs the features .* Received: GlobalAveragePooling2D",
            )
            for loss in ("CenterLoss", "AMSoftmaxLoss", "LargeMarginSoftmaxLoss")
        ),
        ("DistillationLoss", {}, "go together. Received: no --teacher_dir and DistillationLoss"),
        ("CrossEntropyLoss", {"teacher_dir": "a"}, "go together. Received: a and CrossEntropyLoss"),
        ("DistillationLoss", {"teacher_dir": "nowhere"}, "nowhere holds no run"),
        ("CrossEntropyLoss", {"class_weights": "dog=2"}, "no class 'dog'.*Known: cat, hot dog"),
        ("CrossEntropyLoss", {"class_weights": "cat=-1"}, "0 or more expected for 'cat'"),
        ("CrossEntropyLoss", {"class_weights": "cat='x'"}, "0 or more expected for 'cat'"),
        ("CrossEntropyLoss", {"class_weights": "balance"}, "class_weights: balanced, or weights"),
    ],
)
def test_a_mistake_is_told_in_one_line(loss, changes, told, tiny_data, tmp_path, own):
    with pytest.raises(QuickdrawError, match=told) as caught:
        fit(settings_of(tiny_data, tmp_path / "run", loss, **changes))
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "run/run.json").exists()


# Teachers


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("labels", ["a", "b", "c"], r"has other labels .*hot dog.*Received 3 classes \(a, b, c\)"),
        ("image_size", 28, "the image size of what it teaches: 12 expected. Received: 28"),
        ("channels", 3, "the number of channels of what it teaches: 1 expected. Received: 3"),
    ],
)
def test_a_teacher_of_something_else_is_refused(field, value, told, tiny_data, tiny_run, tmp_path):
    teacher = runs.read(tiny_run)
    setattr(teacher, field, value)
    (tmp_path / "other").mkdir()
    teacher.save(str(tmp_path / "other"))
    folders = f"{tiny_run},{tmp_path}/other"
    with pytest.raises(QuickdrawError, match=f"other.* {told}"):
        fit(settings_of(tiny_data, tmp_path / "run", "DistillationLoss", teacher_dir=folders))
    assert not (tmp_path / "run").exists()  # before any record was read


def test_a_student_becomes_like_its_teachers(tiny_data, tiny_run, tmp_path):
    """The labels are wrong and count nothing: what is learnt comes from the teachers."""
    settings = settings_of(
        tiny_data,
        tmp_path / "run",
        "DistillationLoss",
        teacher_dir=f"{tiny_run},{tiny_run}",
        loss_params="share=1.0",
        class_weights='{"cat": 3}',
        augment="shift=1",
        num_epochs=40.0,
    )
    student, teacher = fit(settings), runs.load(tiny_run)
    images = next(
        factory.reader_for(teacher.run, readers.QuickDrawFeatureReader).batches(tiny_data.valid, 60)
    )[0]
    difference = student.probabilities(images) - teacher.probabilities(images)
    assert np.abs(difference).mean() < 0.05


def test_another_teacher_in_the_same_folder_is_refused(tiny_data, tiny_run, tmp_path):
    teacher = shutil.copytree(tiny_run, tmp_path / "teacher")
    flags = {"teacher_dir": str(teacher), "max_steps": 2}
    settings = settings_of(tiny_data, tmp_path / "run", "DistillationLoss", **flags)
    fit(settings)
    fit(settings)  # the same one: done already
    other = runs.read(str(teacher))
    other.started = "2020-01-01T00:00:00+00:00"
    other.save(str(teacher))
    with pytest.raises(QuickdrawError, match="holds a run with other settings: teachers"):
        fit(settings)


# Class weights


def test_balanced_weights_are_inverse_frequencies():
    labels = np.array([0] * 6 + [1] * 2)
    weights = class_weights("balanced", ["a", "b", "none"], labels)
    np.testing.assert_allclose(weights[:2], [8 / 12, 8 / 4])
    assert weights[labels].mean() == pytest.approx(1)
    assert np.isfinite(weights).all()


def test_weights_by_name():
    names = ["cat", "hot dog", "sun"]
    assert class_weights(None, names, np.zeros(1, int)) is None
    assert class_weights("sun=2, cat=0.5", names, np.zeros(1, int)).tolist() == [0.5, 1, 2]
    for form in ('{"hot dog": 3}', {"hot dog": 3}):
        assert class_weights(form, names, np.zeros(1, int)).tolist() == [1, 3, 1]


def test_a_class_that_counts_nothing_is_not_learnt(tiny_data, tmp_path):
    settings = settings_of(tiny_data, tmp_path / "run", "CrossEntropyLoss", class_weights="sun=0")
    trained = fit(settings)
    reader = readers.QuickDrawFeatureReader()
    images, labels = next(reader.batches(tiny_data.valid, 60))
    predicted = trained.probabilities(images).argmax(axis=1)
    assert (predicted[labels < 2] == labels[labels < 2]).all()
    assert not (predicted == 2).any()


def test_the_loss_of_a_mixed_drawing_is_the_mean_for_both_labels():
    model = keras.Sequential([layers.Input((2,)), layers.Dense(3)])
    settings = Settings(class_weights={"b": 2.0, "c": 5.0})
    objective = Objective(losses.FocalLoss(), model, settings, list("abc"), np.arange(3))
    inputs, labels, others = tf.constant([[1.0, 2.0], [3.0, -1.0]]), [0, 1], [2, 1]
    share = tf.constant([0.75, 0.6])
    _, plain = objective(inputs, tf.constant(labels))
    _, other = objective(inputs, tf.constant(others))
    _, mixed = objective(inputs, tf.constant(labels), tf.constant(others), share)
    assert plain[0] != other[0]
    assert mixed.numpy() == pytest.approx((share * plain + (1 - share) * other).numpy(), rel=1e-6)
