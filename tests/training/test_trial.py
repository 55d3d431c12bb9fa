"""Mistakes that beginners make in models and losses: told when they are made, with their place."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from quickdraw import eval as evaluate
from quickdraw import losses, models, runs, train, zoo
from quickdraw.errors import QuickdrawError
from quickdraw.losses import BaseLoss, CrossEntropyLoss, cross_entropy
from quickdraw.models import BaseModel
from quickdraw.training.loss_trial import check_loss
from quickdraw.training.network_trial import check_network


def loss_of(function, **attributes) -> BaseLoss:
    """A loss that calculates what a function does."""
    return type("Mine", (BaseLoss,), {"calculate_loss": function, **attributes})()


# Losses


BAD_LOSSES = {
    "a mean": (lambda self, z, y: tf.reduce_mean(cross_entropy(z, y)), "without a mean over them"),
    "a column": (lambda self, z, y: cross_entropy(z, y)[:, None], r"a batch of 6: \(6, 1\)"),
    "the wrong axis": (lambda self, z, y: tf.reduce_sum(z, axis=0), r"a batch of 6: \(3,\)"),
    "nothing": (lambda self, z, y: None, "Received for a batch of 6: None"),
    "0 or 1": (
        lambda self, z, y: tf.cast(tf.argmax(z, 1, tf.int32) != y, tf.float32),
        "has no gradient",
    ),
    "signs": (lambda self, z, y: tf.reduce_sum(tf.sign(z), axis=1), "has no gradient"),
    "whole numbers": (lambda self, z, y: tf.cast(cross_entropy(z, y), tf.int32), "has no gradient"),
    "NumPy": (lambda self, z, y: np.log(z), "failed: NotImplementedError: Cannot convert a symb"),
    "a static batch": (lambda self, z, y: tf.ones(z.shape[0]) * z[:, 0], "failed: "),
}


@pytest.mark.parametrize("fault", BAD_LOSSES)
def test_a_loss_that_no_training_can_use_is_told_with_its_place(fault):
    function, told = BAD_LOSSES[fault]
    with pytest.raises(QuickdrawError, match=rf"^.*{told}.*\(.*test_trial\.py, line \d+\)$"):
        check_loss(loss_of(function), 3)


def test_the_wrong_axis_is_seen_whatever_the_number_of_classes():
    for classes in (2, 6, 7):
        with pytest.raises(QuickdrawError, match=rf"Received for a batch of \d: \({classes},\)"):
            check_loss(loss_of(lambda self, z, y: tf.reduce_sum(z, axis=0)), classes)


def test_a_single_class_leaves_nothing_to_learn_and_is_no_fault_of_the_loss():
    check_loss(CrossEntropyLoss(), 1)


def test_variables_of_a_loss_that_nothing_trains_are_named():
    weight = tf.Variable(1.0, name="my_weight")
    with pytest.raises(QuickdrawError, match=r"variables that no training changes.*my_weight"):
        check_loss(loss_of(lambda self, z, y: weight * cross_entropy(z, y)), 3)


@pytest.mark.parametrize(
    "loss",
    [
        CrossEntropyLoss(),
        zoo.CenterLoss(),
        zoo.DistillationLoss(),
        loss_of(lambda self, z, y: cross_entropy(tf.cast(z, tf.float64), y)),
        loss_of(lambda self, z, y: -tf.math.log(tf.gather(z, y, batch_dims=1))),  # of probabilities
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_good_losses_pass(loss):
    check_loss(loss, 3)


@pytest.mark.parametrize("num_classes", [2, 6, 10])
@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda self, z, y: -cross_entropy(z, y), "no smaller for right answers"),
        (lambda self, z, y: tf.gather(z, y, batch_dims=1), "is its sign the right way round?"),
        (
            lambda self, z, y: keras.losses.sparse_categorical_crossentropy(y, z),
            "logits are any numbers, not probabilities",
        ),
    ],
    ids=["negative", "the logit", "probabilities"],
)
def test_a_loss_that_pulls_the_wrong_way_is_told(function, told, num_classes, capfd):
    check_loss(loss_of(function), num_classes)
    assert told in capfd.readouterr().err


OURS = {
    name: kind
    for home in (losses, zoo)
    for name, kind in vars(home).items()
    if isinstance(kind, type) and issubclass(kind, BaseLoss) and kind is not BaseLoss
}


@pytest.mark.parametrize("name", OURS)
def test_our_own_losses_pull_the_right_way(name, capfd):
    check_loss(OURS[name](), 10)
    assert "warning" not in capfd.readouterr().err


# Networks


def model_of(function) -> BaseModel:
    """A model that builds what a function does."""
    return type("Mine", (BaseModel,), {"create_model": function})()


def flat(images, **settings):
    return layers.Dense(3, **settings)(layers.Flatten()(images))


BAD_NETWORKS = {
    "frozen": (lambda self, x, n: flat(x, trainable=False), "nothing to train"),
    "no weights": (lambda self, x, n: layers.Flatten()(x)[:, :n], "nothing to train"),
    "float16": (lambda self, x, n: flat(x, dtype="float16"), "half precision.*/kernel"),
    "channels first": (
        lambda self, x, n: flat(
            layers.Conv2D(2, 3, data_format="channels_first", padding="same")(x)
        ),
        "channels_first, which can be trained on a GPU only",
    ),
}


@pytest.mark.parametrize("fault", BAD_NETWORKS)
def test_a_network_that_cannot_be_trained_is_told_with_its_place(fault):
    function, told = BAD_NETWORKS[fault]
    model = model_of(function)
    with pytest.raises(QuickdrawError, match=rf"{told}.*\(.*test_trial\.py, line \d+\)$"):
        check_network(model, model.build(12, 1, 3))


def test_layers_whose_output_nothing_uses_are_named(capfd):
    def forgetful(self, images, num_classes):
        x = layers.Conv2D(2, 3, name="first")(images)
        layers.Conv2D(2, 3, name="second")(x)
        return flat(images)

    model = model_of(forgetful)
    check_network(model, model.build(12, 1, 3))
    assert "layers whose output nothing uses: first, second." in capfd.readouterr().err
    check_network(models.CnnModel(), models.CnnModel().build(12, 1, 3))
    assert capfd.readouterr().err == ""


# In a training


HEADER = """import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from quickdraw.losses import BaseLoss, cross_entropy
from quickdraw.models import BaseModel

"""


def network_of(scale):
    """A model whose first layers are `scale`, and what it builds."""
    model = model_of(lambda self, images, num_classes: flat(scale(images)))
    return model, model.build(8, 1, 3)


@pytest.mark.parametrize(
    "scale",
    [
        layers.Rescaling(1 / 255),
        lambda images: images / 255,
        lambda images: images / 127.5 - 1,
        lambda images: (1 / 255) * images,
        lambda images: layers.Reshape((8, 8))(images) / 255.0,
        keras.Sequential([layers.Rescaling(1 / 255), layers.Conv2D(4, 3)]),
    ],
)
def test_images_that_are_divided_again_are_told(scale, capfd):
    check_network(*network_of(scale))
    assert "divides the images as if they were 0 to 255" in capfd.readouterr().err


@pytest.mark.parametrize(
    "scale",
    [
        layers.Rescaling(2, -1),
        lambda images: images / 0.3,
        lambda images: 2 * images - 1,
        lambda images: layers.Conv2D(4, 3)(images) / 255,
        lambda images: images + 0.001,
    ],
)
def test_other_scales_are_as_they_are(scale, capfd):
    check_network(*network_of(scale))
    assert "divides" not in capfd.readouterr().err


@pytest.fixture
def fit_own(tiny_data, tmp_path, monkeypatch, capfd):
    """Trains what some lines of code define, and returns exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(code: str, *flags: str) -> tuple[int, str]:
        (tmp_path / "own.py").write_text(HEADER + code)
        monkeypatch.delitem(sys.modules, "own", raising=False)
        named = [f"--{what}=own.Mine" for what in ("model", "label_loss") if what in code]
        done = train.main(
            [
                "train",
                f"--train_data_pattern={tiny_data.train}",
                f"--eval_data_pattern={tiny_data.valid}",
                "--max_steps=2",
                "--train_dir=run",
                *(named or ["--model=own.Mine"]),
                *flags,
            ]
        )
        return done, capfd.readouterr().err

    yield run
    sys.modules.pop("own", None)


def model_code(*lines: str, before: str = "") -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f"{before}\nclass Mine(BaseModel):\n    def create_model(self, x, n):\n{body}\n"


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        ("layers.Dense(n, activation='softmax')(layers.Flatten()(x))", "softmax"),
        ("ops.softmax(layers.Dense(n)(layers.Flatten()(x)))", "softmax"),
        (
            "(lambda z: z / ops.sum(z, 1, keepdims=True))(layers.Dense(n)(layers.Flatten()(x)))",
            "soft",
        ),
        ("layers.Activation('sigmoid')(layers.Dense(n)(layers.Flatten()(x)))", "sigmoid"),
        ("layers.Dense(n)(layers.Flatten()(x))", None),
    ],
)
def test_an_activation_at_the_end_is_warned_of(fit_own, last, kind):
    code, told = fit_own(model_code(f"return {last}"))
    assert code == 0
    assert (f"warning: the model ends in a {kind}" in told) == (kind is not None)


def test_weights_that_the_loss_does_not_reach_stay_and_are_named(fit_own, tmp_path):
    code, told = fit_own(
        model_code(
            "x = layers.Conv2D(2, 3, name='cut_off', kernel_initializer='ones')(x)",
            "return layers.Dense(n)(layers.Flatten()(ops.stop_gradient(x)))",
        ),
        "--weight_decay=0.1",
        "--ema_decay=0.9",
    )
    assert code == 0
    assert "not depend on 2 of 4 weights, which stay as they are: cut_off/kernel, cut_off/" in told
    kept = runs.load(str(tmp_path / "run")).model.get_layer("cut_off").get_weights()[0]
    np.testing.assert_array_equal(kept, np.ones_like(kept))


FAILING = {
    "no gradient": (
        model_code("return ops.stop_gradient(layers.Dense(n)(layers.Flatten()(x)))"),
        "the loss has no gradient with respect to any weight",
    ),
    "a variable that Keras does not know": (
        model_code(
            "return layers.Dense(n)(Raw()(layers.Flatten()(x)))",
            before="class Raw(layers.Layer):\n"
            "    def build(self, shape):\n        self.w = tf.Variable(tf.ones(144), name='raw')\n"
            "    def call(self, x):\n        return x * self.w",
        ),
        "uses the variable .*raw.* neither trained nor saved",
    ),
    "in training only": (
        model_code(
            "return layers.Dense(n)(Bomb()(layers.Flatten()(x)))",
            before="class Bomb(layers.Layer):\n    def call(self, x, training=False):\n"
            "        return x + [1][3] if training else x",
        ),
        r"a training step failed: IndexError: .*own\.py, line 10\)",
    ),
    "while the step runs": (
        model_code(
            "return layers.Dense(n)(Strict()(layers.Flatten()(x)))",
            before="class Strict(layers.Layer):\n    def call(self, x, training=False):\n"
            "        if training:\n            tf.debugging.assert_less(x, -1.0, 'too large')\n"
            "        return x",
        ),
        r"a training step failed: InvalidArgumentError: .*too large.*own\.py, line 11\)",
    ),
    "not a number": (
        "class Mine(BaseLoss):\n    def calculate_loss(self, logits, labels):  # label_loss\n"
        "        return -tf.math.log(tf.gather(logits, labels, batch_dims=1))\n",
        "the loss is nan in the first step, before any weight was changed",
    ),
    "one name twice": (
        model_code("x = layers.Flatten(name='last')(x)", "return layers.Dense(n, name='last')(x)"),
        r'create_model failed: ValueError: The name "last" is used 2 times.*own\.py, line',
    ),
    "the name of the input": (
        model_code("return layers.Dense(n, name='image')(layers.Flatten()(x))"),
        r'create_model failed: ValueError: The name "image" is used 2 times.*own\.py, line',
    ),
    "a Korean name": (
        model_code("return layers.Dense(n, name='출력')(layers.Flatten()(x))"),
        r"Latin letters, digits.* Received: '출력' \(a Dense\) \(.*own\.py, line",
    ),
    "a model instead of logits": (
        model_code("return keras.Sequential([layers.Flatten(), layers.Dense(n)])"),
        r"what calling the model gives, model\(images\)\. .*own\.py, line",
    ),
}


@pytest.mark.parametrize("fault", FAILING)
def test_what_fails_is_one_line_and_does_not_stand_in_the_way_later(fit_own, tmp_path, fault):
    code, told = FAILING[fault]
    done, printed = fit_own(code)
    (line,) = (line for line in printed.splitlines() if line.startswith("train: "))
    assert done == 1 and "Traceback" not in printed
    assert re.search(told, line)
    assert not list(tmp_path.glob("run/checkpoints/*"))
    good = model_code("return layers.Dense(n)(layers.Flatten()(x))")
    if "BaseModel)" in code:
        assert fit_own(good)[0] == 0


@pytest.mark.parametrize(
    "code",
    [
        model_code("return layers.Dense(n, dtype='float64')(layers.Flatten()(x))"),
        model_code(
            "x = layers.Dense(8, dtype='float64', kernel_regularizer='l2')(layers.Flatten()(x))",
            "return layers.Dense(n, dtype='mixed_bfloat16')(x)",
        ),
        "class Mine(BaseLoss):\n    def calculate_loss(self, logits, labels):  # label_loss\n"
        "        return cross_entropy(tf.cast(logits, tf.float64), labels)\n",
        "class Mine(BaseLoss):\n    def calculate_loss(self, logits, labels):  # label_loss\n"
        "        loss = cross_entropy(logits, labels)\n"
        "        if tf.reduce_mean(loss) > 1:\n            loss = 2 * loss\n        return loss\n",
    ],
)
def test_other_types_and_branches_are_trained(fit_own, code):
    assert fit_own(code)[0] == 0


@pytest.mark.parametrize(
    "code",
    [
        model_code(
            "return Inner(n)(x)",
            before="class Inner(keras.Model):\n    def __init__(self, n):\n"
            "        super().__init__()\n"
            "        self.flat, self.all = layers.Flatten(), [layers.Dense(5), layers.Dense(n)]\n"
            "    def call(self, x):\n        x = self.flat(x)\n"
            "        for each in self.all:\n            x = each(x)\n        return x",
        ),
        "class Mine(BaseModel):\n    k: float = 2.0\n    def create_model(self, x, n):\n"
        "        x = layers.Lambda(lambda t: t * self.k)(x)\n"
        "        return layers.Dense(n)(layers.Flatten()(x))\n",
    ],
    ids=["a subclass of keras.Model without get_config", "a Lambda with self"],
)
def test_what_keras_cannot_write_is_kept_as_weights(fit_own, tmp_path, tiny_data, code):
    done, told = fit_own(code, "--eval_every=1")
    assert done == 0
    assert told.count("best.weights.h5 holds the weights alone") <= 1
    assert (tmp_path / "run/best.weights.h5").exists()
    best = json.loads(Path("run/best.json").read_text())
    trained = runs.load("run")
    assert trained.step == best["step"]
    images = np.random.default_rng(0).integers(0, 255, (4, 12, 12, 1), np.uint8)
    again = runs.load("run", "latest" if best["step"] == 2 else "best")
    np.testing.assert_array_equal(trained.logits(images), again.logits(images))
    assert fit_own(code, "--eval_every=1")[0] == 0


@pytest.mark.parametrize("average", ["--ema_decay=0", "--ema_decay=0.5"])
def test_random_constants_are_the_same_when_a_run_is_loaded(fit_own, average):
    code = model_code(
        "w = np.random.normal(size=(144, 9)).astype('float32')",
        "return layers.Dense(n)(ops.relu(ops.matmul(layers.Flatten()(x), w)))",
    )
    assert fit_own(code, "--eval_every=1", average)[0] == 0
    before = np.random.get_state()[1].copy()
    assert evaluate.main(["eval", "--train_dir=run", "--run_once"]) == 0
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    best, now = (json.loads(Path(f"run/{name}.json").read_text()) for name in ("best", "eval"))
    assert now["loss"] == pytest.approx(best["loss"], rel=1e-4)


def test_a_network_that_is_another_each_time_is_refused(fit_own):
    code, told = fit_own(
        model_code(
            "width = int(np.random.default_rng().integers(3, 10_000))",
            "x = layers.Dense(width)(layers.GlobalAveragePooling2D()(x))",
            "return layers.Dense(n)(x)",
        )
    )
    assert code == 1
    assert re.search(r"create_model builds another network each time.*own\.py, line 10\)", told)


def test_functions_that_run_eagerly_are_told(fit_own):
    before = "tf.config.run_functions_eagerly(True)"
    try:
        code, told = fit_own(
            model_code("return layers.Dense(n)(layers.Flatten()(x))", before=before)
        )
    finally:
        tf.config.run_functions_eagerly(False)
    assert code == 1
    assert "run_functions_eagerly(True) was called, and training needs compiled steps" in told


def test_the_usual_order_of_channels_is_used_whatever_keras_is_told():
    keras.config.set_image_data_format("channels_first")
    try:
        model = models.CnnModel().build(12, 1, 3)
    finally:
        keras.config.set_image_data_format("channels_last")
    assert {layer.data_format for layer in model.layers if hasattr(layer, "data_format")} == {
        "channels_last"
    }
    assert ops.shape(model.output)[1] == 3
