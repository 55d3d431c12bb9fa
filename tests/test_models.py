"""Every model of the package: it builds, learns, and is saved; mistakes in one's own are told."""

import sys
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from quickdraw import models, zoo
from quickdraw.components.inputs import unwrapped
from quickdraw.components.lookup import find
from quickdraw.errors import QuickdrawError
from quickdraw.records import ink

MODELS = [
    value
    for value in vars(models).values()
    if isinstance(value, type)
    and issubclass(value, models.BaseModel)
    and value is not models.BaseModel
]


def images(count: int, size: int = 28, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels), np.uint8)


def inks(count: int, points: int = 128) -> np.ndarray:
    """Between no point and more than there is room for."""
    random = np.random.default_rng(0)
    every = [
        np.column_stack([random.uniform(-1, 1, (n, 2)), random.integers(0, 2, n)])
        for n in np.linspace(0, points + 9, count).astype(int)
    ]
    return np.stack([ink.padded(each, points) for each in every])


def given(kind: type[models.BaseModel], count: int, *shape: int) -> Any:
    """What such a model takes of some drawings."""
    made = {"image": lambda: images(count, *shape), "ink": lambda: inks(count)}
    return unwrapped({name: made[name]() for name in kind.inputs})


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(("size", "channels", "classes"), [(28, 1, 2), (64, 3, 345)])
def test_it_builds_for_any_size_channels_and_classes(kind, size, channels, classes):
    model = kind().build(size, channels, classes)
    shapes = {"image": (None, size, size, channels), "ink": (None, 128, 3)}
    assert [each.shape for each in model.inputs] == [shapes[name] for name in kind.inputs]
    dtypes = {"image": "uint8", "ink": "int16"}
    assert [each.dtype for each in model.inputs] == [dtypes[name] for name in kind.inputs]
    logits = model(given(kind, 3, size, channels), training=False)
    assert logits.shape == (3, classes)
    assert logits.dtype == "float32"
    assert np.isfinite(logits).all()


def test_a_residual_network_pools_as_it_is_told():
    mean, maximum, none = (
        zoo.ResNetModel(pooling=pooling).build(28, 1, 5) for pooling in ("mean", "max", "none")
    )
    assert [each.layers[-1].kernel.shape[0] for each in (mean, maximum, none)] == [64, 64, 3136]
    maximum.set_weights(mean.get_weights())
    for model in (mean, maximum):
        model.layers[-1].kernel.assign(tf.ones((64, 5)))  # Features are never negative.
    drawings = images(3)
    assert (maximum(drawings, training=False) > mean(drawings, training=False)).numpy().all()


def test_a_residual_network_can_have_gates():
    plain, gated = (zoo.ResNetModel(squeeze=squeeze).build(28, 1, 5) for squeeze in (0, 8))
    assert gated.count_params() > plain.count_params()
    assert np.isfinite(gated(images(3), training=False)).all()


@pytest.mark.parametrize("kind", MODELS)
def test_it_gives_logits_no_probabilities(kind):
    logits = kind().build(28, 1, 5)(given(kind, 20), training=False).numpy()
    assert logits.min() < 0 or not np.allclose(logits.sum(axis=1), 1)


@pytest.mark.parametrize("kind", MODELS)
def test_a_few_steps_reduce_the_loss(kind):
    keras.utils.set_random_seed(0)
    model = kind().build(28, 1, 3)
    batch, labels = given(kind, 30), np.arange(30) % 3
    for each in tf.nest.flatten(batch):
        if each.dtype == np.int16:
            each[..., :2] = np.array([[2000, 0], [0, 2000], [-2000, 0]])[labels][:, None]
            continue
        each[:, :14] //= 8
        each[labels == 1, :14] += 200
        each[labels == 2, 14:] //= 4
    optimizer = keras.optimizers.Adam(0.003)
    measured = []
    for _ in range(12):
        with tf.GradientTape() as tape:
            logits = model(batch, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        assert all(gradient is not None for gradient in gradients)
        optimizer.apply(gradients, model.trainable_variables)
        measured.append(float(loss))
    assert measured[-1] < 0.7 * measured[0]


@pytest.mark.parametrize("kind", MODELS)
def test_it_is_saved_and_loaded_without_the_package(kind, tmp_path):
    model = kind().build(28, 1, 4)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    batch = given(kind, 5)
    np.testing.assert_allclose(
        loaded(batch, training=False), model(batch, training=False), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("kind", MODELS)
def test_the_same_seed_gives_the_same_weights(kind):
    def weights() -> list[np.ndarray]:
        keras.utils.set_random_seed(3)
        return kind().build(28, 1, 4).get_weights()

    def same() -> bool:
        return all(np.array_equal(a, b) for a, b in zip(weights(), weights(), strict=True))

    # A thread that an earlier test left may draw from Python's random, where Keras gets its seeds.
    assert any(same() for _ in range(3))


@pytest.mark.parametrize(
    ("kind", "params"),
    [(zoo.StrokeRnnModel, {"units": ()}), (zoo.StrokeTransformerModel, {})],
)
def test_room_for_more_points_changes_nothing(kind, params):
    small, large = (kind(max_points=points, **params).build(28, 1, 4) for points in (20, 36))
    large.set_weights(small.get_weights())
    few = inks(5, 11)
    batches = [np.pad(few, [(0, 0), (0, points - 11), (0, 0)]) - [0, 0, 0] for points in (20, 36)]
    for batch in batches:
        batch[:, 11:, 2] = -ink.SCALE
    a, b = (
        model(batch.astype(np.int16), training=False)
        for model, batch in zip((small, large), batches, strict=True)
    )
    np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "weights"),
    [
        (models.MlpModel(units=(8,)), 784 * 8 + 8 + 8 * 4 + 4),
        (models.MlpModel(units=()), 784 * 4 + 4),
        (models.CnnModel(filters=(2,), dense_units=8), 2 * 9 + 2 + 14 * 14 * 2 * 8 + 8 + 8 * 4 + 4),
    ],
)
def test_parameters_shape_the_network(model, weights):
    assert model.build(28, 1, 4).count_params() == weights


def test_create_model_sees_ink_between_0_and_1():
    seen = {}

    class Curious(models.BaseModel):
        def create_model(self, images, num_classes):
            seen["dtype"], seen["classes"] = images.dtype, num_classes
            return layers.Lambda(lambda x: x[:, 0, :2, 0])(images)

    model = Curious().build(4, 1, 2)
    batch = np.zeros((1, 4, 4, 1), np.uint8)
    batch[0, 0, 1] = 255
    np.testing.assert_allclose(model(batch), [[0.0, 1.0]], rtol=1e-6)
    assert seen == {"dtype": "float32", "classes": 2}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda images, classes: layers.Dense(classes)(images),
        lambda images, classes: layers.Dense(classes + 1)(layers.Flatten()(images)),
        lambda images, classes: None,
        lambda images, classes: "logits",
    ],
)
def test_logits_of_another_shape_are_refused(wrong):
    class Wrong(models.BaseModel):
        def create_model(self, images, num_classes):
            return wrong(images, num_classes)

    with pytest.raises(
        QuickdrawError, match=r"Wrong\.create_model must return .*\(None, 3\)\. Received: "
    ):
        Wrong().build(8, 1, 3)


@pytest.mark.parametrize("arguments", ["images, num_classes", "images"])
def test_a_failure_in_create_model_is_told_with_its_line(tmp_path, monkeypatch, arguments):
    (tmp_path / "failing_models.py").write_text(
        "from keras import layers\nfrom quickdraw.models import BaseModel\n"
        f"class Own(BaseModel):\n    def create_model(self, {arguments}):\n"
        "        return layers.Dense(num_classes)(layers.Reshape((5,))(images))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "failing_models", raising=False)
    kind, line = ("ValueError", 5) if "," in arguments else ("TypeError", 4)
    told = rf"^Own\.create_model failed: {kind}: .* \(.*failing_models\.py, line {line}\)$"
    with pytest.raises(QuickdrawError, match=told):
        find("failing_models.Own", models.BaseModel)().build(8, 1, 3)


@pytest.mark.parametrize("kind", [zoo.ResNetModel, zoo.MobileNetModel])
def test_filters_and_blocks_go_together(kind):
    with pytest.raises(QuickdrawError, match=r"as many stages\. Received: \(8, 16\) and \(\d,"):
        kind(filters=(8, 16)).build(28, 1, 3)


def test_a_model_without_create_model_says_so():
    class Empty(models.BaseModel):
        pass

    with pytest.raises(QuickdrawError, match=r"Empty must define create_model"):
        Empty().build(8, 1, 3)


def test_a_class_may_have_a_korean_name():
    class 모델(models.LogisticModel):
        pass

    model = 모델().build(8, 1, 3)
    logits = tf.function(lambda batch: model(batch))(images(2, 8))
    assert logits.shape == (2, 3)
