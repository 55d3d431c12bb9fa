"""Mistakes in a student's model or loss, as `train` meets them: one line, with its place."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from quickdraw import cores, models, runs, train
from quickdraw import eval as evaluate

HEADER = """import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from quickdraw.losses import BaseLoss, cross_entropy
from quickdraw.models import BaseModel

"""


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
@pytest.mark.parametrize("shares", [1, 2])
def test_an_activation_at_the_end_is_warned_of(fit_own, last, kind, shares, monkeypatch):
    monkeypatch.setattr(cores, "shares", lambda: shares)
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


@pytest.mark.slow
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


DRAWN = """import time

class Drawn(layers.Layer):
    def __init__(self):
        super().__init__()
        self.number = np.random.default_rng().normal()

    def call(self, x):
        return x * self.number
"""


@pytest.mark.parametrize(
    "constant",
    ["np.random.default_rng().normal(size=144)", "time.perf_counter_ns()", "Drawn()(1.0)"],
)
def test_a_constant_that_is_another_each_time_is_refused(fit_own, constant):
    lines = [f"x = layers.Flatten()(x) * {constant}", "return layers.Dense(n)(x)"]
    if "Drawn" in constant:
        lines[0] = "x = Drawn()(layers.Flatten()(x))"
    code, told = fit_own(model_code(*lines, before=DRAWN))
    assert code == 1
    assert re.search(r"another network each time, of the same weights.*own\.py, line \d+\)", told)


OUTSIDE = {
    "an activation": "layers.Dense(8, activation=mine)(layers.Flatten()(x))",
    "a number in a Lambda": "layers.Lambda(lambda t: t * len(mine))(layers.Flatten()(x))",
    "numbers from a file": "layers.Flatten()(x) * np.loadtxt(mine)",
    "a layer that looks it up": "Own()(layers.Flatten()(x))",
    "a function that looks it up": "layers.Dense(8, activation=bend)(layers.Flatten()(x))",
    "a Lambda that looks it up": "layers.Lambda(lambda t: bend(t))(layers.Flatten()(x))",
}


LOOKED_UP = """import os

class Own(layers.Layer):
    def call(self, x):
        return x * len(os.environ["MINE"])

def bend(x):
    return ops.tanh(x) * len(os.environ["MINE"])
"""


@pytest.mark.parametrize("what", OUTSIDE)
def test_a_network_that_goes_by_something_outside_is_told(fit_own, monkeypatch, what):
    for name, number in (("relu", "1 "), ("sigmoid", "2 ")):
        Path(name).write_text(144 * number)
    lines = ["mine = os.environ['MINE']", f"x = {OUTSIDE[what]}", "return layers.Dense(n)(x)"]
    code = model_code(*lines, before=LOOKED_UP)
    monkeypatch.setenv("MINE", "relu")
    assert fit_own(code)[0] == 0
    runs.load("run")
    done, told = fit_own(code)  # what `load` has printed, too
    assert done == 0 and "another network" not in told
    monkeypatch.setenv("MINE", "sigmoid")
    runs.load("run")
    done, told = fit_own(code)
    assert done == 1
    assert "own.Mine builds another network than the one that was trained" in told
    assert "holds a run of another network, though own.Mine and its settings are the same" in told


def test_a_model_that_changes_the_folder_does_not_move_the_run(fit_own, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    go = f"os.chdir({str(tmp_path / 'elsewhere')!r})"
    lines = [go, "return layers.Dense(n)(layers.Flatten()(x))"]
    assert fit_own(model_code(*lines, before="import os"))[0] == 0
    assert (tmp_path / "run/run.json").exists() and not any((tmp_path / "elsewhere").iterdir())


def test_names_of_layers_are_no_other_network(fit_own, monkeypatch):
    code = model_code(
        "return layers.Dense(n, name=os.environ['MINE'])(layers.Flatten()(x))", before="import os"
    )
    for name in ("a", "b"):
        monkeypatch.setenv("MINE", name)
        done, told = fit_own(code)
        assert (done, "another network" in told) == (0, False)


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
