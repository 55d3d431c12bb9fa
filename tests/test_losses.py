"""Losses, by hand, and in a training."""

from __future__ import annotations

import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from quickdraw import eval as evaluate
from quickdraw import losses, readers, runs
from quickdraw.components import create, find
from quickdraw.errors import QuickdrawError
from quickdraw.training import Settings, fit
from quickdraw.training.objective import Objective, class_weights

# Softmax of these: 1/2, 1/4, 1/4 and 1/10, 1/10, 8/10.
LOGITS = tf.constant(np.log([[2.0, 1.0, 1.0], [1.0, 1.0, 8.0]]), tf.float32)
ALL = sorted(name for name in losses.__all__ if name.endswith("Loss") and name != "BaseLoss")


def make(name: str, **params) -> losses.BaseLoss:
    return create(find(name, losses.BaseLoss), params)


def loss_of(name: str, labels: list[int], logits: tf.Tensor = LOGITS, **params) -> np.ndarray:
    return make(name, **params).calculate_loss(logits, tf.constant(labels, tf.int32)).numpy()


def cross_entropy(*probabilities: float) -> list[float]:
    return [-math.log(probability) for probability in probabilities]


@pytest.mark.parametrize(
    ("name", "params", "labels", "expected"),
    [
        ("CrossEntropyLoss", {}, [0, 2], cross_entropy(0.5, 0.8)),
        ("CrossEntropyLoss", {}, [1, 0], cross_entropy(0.25, 0.1)),
        # Of 0.3 each of the three classes gets 0.1: the targets are 0.8, 0.1, 0.1.
        (
            "CrossEntropyLoss",
            {"label_smoothing": 0.3},
            [0, 2],
            [
                -(0.8 * math.log(0.5) + 0.1 * math.log(0.25) + 0.1 * math.log(0.25)),
                -(0.1 * math.log(0.1) + 0.1 * math.log(0.1) + 0.8 * math.log(0.8)),
            ],
        ),
        ("FocalLoss", {}, [0, 2], [-(0.5**2) * math.log(0.5), -(0.2**2) * math.log(0.8)]),
        ("FocalLoss", {"gamma": 0.0}, [0, 2], cross_entropy(0.5, 0.8)),
        # With logits log 2, 0, 0 the logistic function is 2/3, 1/2, 1/2.
        (
            "SoftMarginLoss",
            {},
            [0, 2],
            [
                -(math.log(2 / 3) + 2 * math.log(1 / 2)) / 3,
                -(math.log(8 / 9) + 2 * math.log(1 / 2)) / 3,
            ],
        ),
        ("AMSoftmaxLoss", {"margin": 0.0}, [0, 2], cross_entropy(0.5, 0.8)),
        # 4 * 0.25 taken from the label's logit divides its exponential by e.
        (
            "AMSoftmaxLoss",
            {"scale": 4.0, "margin": 0.25},
            [0, 2],
            cross_entropy((2 / math.e) / (2 / math.e + 2), (8 / math.e) / (8 / math.e + 2)),
        ),
        ("SymmetricCrossEntropyLoss", {"alpha": 1, "beta": 0}, [0, 2], cross_entropy(0.5, 0.8)),
        # With one class right the reverse part is -A (1 - p).
        (
            "SymmetricCrossEntropyLoss",
            {"alpha": 0, "beta": 2, "log_zero": -6},
            [0, 2],
            [2 * 6 * 0.5, 2 * 6 * 0.2],
        ),
        ("BootstrappedLoss", {"beta": 1.0}, [0, 2], cross_entropy(0.5, 0.8)),
        (
            "BootstrappedLoss",
            {"beta": 0.0},  # what is left is the entropy
            [0, 0],
            [1.5 * math.log(2), -0.2 * math.log(0.1) - 0.8 * math.log(0.8)],
        ),
        (
            "BootstrappedLoss",
            {"beta": 0.8, "hard": True},
            [1, 0],
            [
                -(0.8 * math.log(0.25) + 0.2 * math.log(0.5)),
                -(0.8 * math.log(0.1) + 0.2 * math.log(0.8)),
            ],
        ),
        ("CenterLoss", {}, [0, 2], cross_entropy(0.5, 0.8)),
        ("LargeMarginSoftmaxLoss", {}, [0, 2], cross_entropy(0.5, 0.8)),
        ("DistillationLoss", {}, [0, 2], cross_entropy(0.5, 0.8)),
    ],
)
def test_values_by_hand(name, params, labels, expected):
    np.testing.assert_allclose(loss_of(name, labels, **params), expected, rtol=1e-5)


def test_focal_loss_of_the_paper():
    """Section 3.2: with gamma = 2, p = 0.9 counts 100 times less, p ≈ 0.968 1000 times."""
    logits = tf.constant([[math.log(0.9), math.log(0.1)], [math.log(0.968), math.log(0.032)]])
    ratio = loss_of("CrossEntropyLoss", [0, 0], logits) / loss_of("FocalLoss", [0, 0], logits)
    assert ratio == pytest.approx([100, 1000], rel=0.03)


# Losses that see features


def dense(kernel) -> layers.Dense:
    """A classifier with these weights `[num_features, num_classes]`."""
    kernel = np.asarray(kernel, np.float32)
    layer = layers.Dense(kernel.shape[1], use_bias=False)
    layer.build((None, kernel.shape[0]))
    layer.set_weights([kernel])
    return layer


def test_centres_pull_features_and_follow_them():
    loss = make("CenterLoss", weight=0.1, centre_rate=0.5)
    (centres,) = loss.build(dense(np.zeros((2, 3))))
    features = tf.constant([[3.0, 4.0], [1.0, 0.0], [0.0, 2.0]])
    logits, labels = tf.zeros((3, 3)), tf.constant([0, 2, 2])
    values = loss.calculate_loss(logits, labels, features=features)
    # All centres begin at 0: half of 0.1 times 25, 1 and 4.
    np.testing.assert_allclose(values, math.log(3) + np.array([1.25, 0.05, 0.2]), rtol=1e-6)
    # Sums of the differences, over one more than there are examples, by half.
    np.testing.assert_allclose(centres, [[0.75, 1.0], [0, 0], [1 / 6, 2 / 6]], rtol=1e-6)


@pytest.mark.parametrize("margin", [1, 2, 3, 4])
def test_psi_falls_from_1_without_a_jump(margin):
    loss = make("LargeMarginSoftmaxLoss", margin=margin)
    angles = np.linspace(0, math.pi, 5001)
    values = loss.psi(tf.constant(np.cos(angles), tf.float32)).numpy()
    steps = np.diff(values)
    assert values[0] == pytest.approx(1) and values[-1] == pytest.approx(1 - 2 * margin)
    assert (steps < 1e-4).all() and (steps > -2 * margin * math.pi / 5000).all()
    first = angles < math.pi / margin
    np.testing.assert_allclose(values[first], np.cos(margin * angles[first]), atol=1e-5)
    assert (values <= np.cos(angles) + 1e-5).all()


@pytest.mark.parametrize("softness", [0.0, 3.0])
def test_large_margin_by_hand(softness):
    # Class 0 lies at 60° from the features: cos 60° = 1/2 becomes cos 120° = -1/2.
    loss = make("LargeMarginSoftmaxLoss", softness=softness, decay=1e9)
    classifier = dense([[3.0, 0.0], [0.0, 1.0]])
    (steps,) = loss.build(classifier)
    features = tf.constant([[1.0, math.sqrt(3)]])
    values = loss.calculate_loss(classifier(features), tf.constant([0]), features=features)
    own = (softness * 3 - 3) / (1 + softness)
    expected = -own + math.log(math.exp(own) + math.exp(math.sqrt(3)))
    assert values.numpy() == pytest.approx([expected], rel=1e-5)
    assert steps.numpy() == 1


def test_margin_1_is_softmax_and_the_margin_begins_softly():
    features = tf.random.stateless_normal((8, 5), (1, 2))
    classifier = dense(tf.random.stateless_normal((5, 3), (3, 4)))
    logits, labels = classifier(features), tf.constant([0, 1, 2, 0, 1, 2, 0, 1])
    expected = losses.cross_entropy(logits, labels)
    for params, tolerance in (({"margin": 1, "softness": 0.0, "decay": 1e9}, 1e-5), ({}, 0.02)):
        loss = make("LargeMarginSoftmaxLoss", **params)
        loss.build(classifier)
        values = loss.calculate_loss(logits, labels, features=features)
        np.testing.assert_allclose(values, expected, atol=tolerance)


def test_distillation_by_hand():
    loss = make("DistillationLoss", temperature=2.0, share=0.75)
    teacher = tf.constant([[2 * math.log(3), 0.0]])  # softened: 3/4, 1/4
    logits = tf.constant([[2 * math.log(4), 0.0]])  # 16/17, 1/17; softened: 4/5, 1/5
    (value,) = loss.calculate_loss(logits, tf.constant([0]), teacher_logits=teacher).numpy()
    soft = -(0.75 * math.log(0.8) + 0.25 * math.log(0.2))
    assert value == pytest.approx(-0.25 * math.log(16 / 17) + 0.75 * 4 * soft)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [0.0, 1.0, 1e4])
def test_values_and_gradients_are_finite(name, size):
    """Whatever the logits, and where features are 0, and all the same."""
    loss = make(name)
    logits = tf.Variable(size * np.array([[1, -1, 1], [-1, 1, -1], [1, 0, 0], [0, 1, 1]], "f"))
    features = tf.Variable(size * np.array([[1, 1], [0, 0], [-1, 1], [1e-4, 0]], "f"))
    asked = {"teacher_logits": -logits} if loss.needs_teacher else {}
    if loss.needs_features:
        loss.build(dense([[1, 0, 2], [0, 1, 2]]))
        asked = {"features": features}
    with tf.GradientTape() as tape:
        values = loss.calculate_loss(logits, tf.constant([0, 1, 1, 2]), **asked)
    gradients = tape.gradient(values, [logits, features][: 1 + loss.needs_features])
    assert values.shape == (4,)
    for tensor in (values, *gradients):
        assert np.isfinite(tensor).all()


@pytest.mark.parametrize(
    ("name", "params"),
    [
        *(("CrossEntropyLoss", {"label_smoothing": share}) for share in (-0.1, 1.0, math.nan)),
        ("FocalLoss", {"gamma": -1.0}),
        ("CenterLoss", {"weight": -1.0}),
        ("CenterLoss", {"centre_rate": 2.0}),
        ("AMSoftmaxLoss", {"scale": 0.0}),
        ("AMSoftmaxLoss", {"margin": -0.1}),
        ("LargeMarginSoftmaxLoss", {"margin": 0}),
        ("LargeMarginSoftmaxLoss", {"softness": -1.0}),
        ("SymmetricCrossEntropyLoss", {"alpha": -1.0}),
        ("SymmetricCrossEntropyLoss", {"log_zero": 1.0}),
        ("BootstrappedLoss", {"beta": 1.1}),
        ("DistillationLoss", {"temperature": 0.0}),
        ("DistillationLoss", {"share": 1.5}),
    ],
)
def test_a_parameter_out_of_range_is_refused(name, params):
    with pytest.raises(QuickdrawError, match=rf"{next(iter(params))} must be .*Received: "):
        make(name, **params)


# In a training


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
    teacher = tiny_run if make(name).needs_teacher else None
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
        ("CrossEntropyLoss", {"class_weights": "balance"}, "parameters look like"),
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
        ("labels", ["a", "b", "c"], r"the classes of .*'hot dog'.*Received: \['a', 'b', 'c'\]"),
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
    with pytest.raises(QuickdrawError, match=f"other: a teacher must have {told}"):
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
        teacher.run.reader(readers.QuickDrawFeatureReader, tiny_data.valid, "error").batches(
            tiny_data.valid, 60
        )
    )[0]
    difference = student.probabilities(images) - teacher.probabilities(images)
    assert np.abs(difference).mean() < 0.05


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
