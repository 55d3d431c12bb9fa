"""The search space: what is written is what is meant; a mistake is one line."""

from __future__ import annotations

import json

import pytest
from absl import flags
from hypothesis import given
from hypothesis import strategies as st

from quickdraw import cli, errors, train
from quickdraw.training import settings
from quickdraw.tuning.search import EXAMPLE, Choice, Range, arguments, parse


def flags_of_train(*given: str) -> flags.FlagValues:
    values = flags.FlagValues()
    cli.define_flags(values, train.Flags)
    cli.parse(values, ["train", *given])
    return values


VALUES = flags_of_train()


def test_the_example_is_what_it_looks_like():
    assert parse(EXAMPLE, VALUES) == {
        "base_learning_rate": Range(1e-4, 3e-2, log=True),
        "model_params.dropout": Range(0, 0.5),
        "optimizer": Choice(("adamw", "muon")),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("batch_size=16..256", Range(16, 256)),
        ("batch_size=log:16..256", Range(16, 256, log=True)),
        ("weight_decay=0..1", Range(0.0, 1.0)),
        ("model_params.units=8..64", Range(8, 64)),
        ("model_params.units=(8, 16)|(32,)", Choice(("(8, 16)", "(32,)"))),
        ("batch_size=64", Choice(("64",))),
        ("model=CnnModel | MlpModel", Choice(("CnnModel", "MlpModel"))),
    ],
)
def test_an_entry_is_a_range_or_values(text, expected):
    (result,) = parse(text, VALUES).values()
    assert result == expected
    if isinstance(expected, Range):
        assert type(result.low) is type(expected.low)


NUMBERS = st.floats(1e-6, 1e6)
RANGES = st.tuples(NUMBERS, NUMBERS, st.booleans()).filter(lambda of: of[0] != of[1])


@st.composite
def spaces(draw):
    space = {}
    for name in draw(st.sets(st.sampled_from(["base_learning_rate", "weight_decay"]), min_size=1)):
        low, high, log = draw(RANGES)
        space[name] = Range(min(low, high), max(low, high), log)
    if draw(st.booleans()):
        words = st.lists(st.sampled_from(settings.TUNED), unique=True)
        space["optimizer"] = Choice(tuple(draw(words.filter(bool))))
    return space


@given(spaces(), st.sampled_from([",", ", ", " , ,"]))
def test_what_is_written_is_read(space, comma):
    entries = []
    for name, of in space.items():
        text = "|".join(of.values) if isinstance(of, Choice) else f"{of.low!r}..{of.high!r}"
        entries.append(f"{name}={'log:' * (isinstance(of, Range) and of.log)}{text}")
    assert parse(comma.join(entries), VALUES) == space


PIECES = ["batch_size", "optimizer", "model_params.a", "=", "..", "log:", "|", ",", "1", "-"]
PIECES += ["0.5", "1e400", "(", ")", "adamw", " ", "é"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_a_space_or_one_line(text):
    try:
        space = parse(text, VALUES)
    except errors.UsageError as error:
        assert str(error).startswith("--search") and "\n" not in str(error)
    else:
        assert space and all(isinstance(of, Range | Choice) for of in space.values())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "--search is needed, such as"),
        ("batch_size", "NAME=LOW..HIGH or NAME=A|B expected. Received: 'batch_size'"),
        ("batchsize=1..2", "'batchsize' cannot be searched. Did you mean 'batch_size'?"),
        ("train_dir=a|b", "'train_dir' cannot be searched"),
        ("modelparams.dropout=0..1", "Did you mean 'model_params'?"),
        ("batch_size.x=1..2", "a parameter looks like model_params.dropout"),
        ("batch_size=1..2, batch_size=3|4", "batch_size is there twice"),
        ("batch_size=1..many", "batch_size: LOW..HIGH, two numbers, expected"),
        ("batch_size=1.5..3", "batch_size: whole numbers expected. Received: '1.5..3'"),
        ("batch_size=64..16", "batch_size: the lower number first"),
        ("batch_size=0..16", "--batch_size must be at least 1. Received: 0"),
        ("weight_decay=log:0..1", "weight_decay: log: is for numbers above 0"),
        ("optimizer=1..2", "optimizer is no number: A|B expected"),
        ("optimizer=adamw|sgdd", "no optimizer 'sgdd'. Did you mean 'sgd'"),
        ("batch_size=16|x", "batch_size: "),
        ("batch_size=16|16", "different values, A|B, expected"),
        ("base_learning_rate=-1|0.1", "--base_learning_rate must be above 0. Received: -1.0"),
    ],
)
def test_a_mistake_is_told_with_what_was_expected(text, told):
    with pytest.raises(errors.UsageError) as caught:
        parse(text, VALUES)
    assert told in str(caught.value)


def test_a_point_becomes_flags():
    values = flags_of_train("--model_params=dropout=0.1, units=(8,)", "--batch_size=8")
    point = {"optimizer": "muon", "model_params.dropout": 0.25, "batch_size": 32}
    given = arguments(point | {"augment.flip": "True"}, values)
    result = flags_of_train("--batch_size=8", *given)
    assert (result.optimizer, result.batch_size) == ("muon", 32)
    assert json.loads(result.model_params) == {"dropout": 0.25, "units": [8]}
    assert json.loads(result.augment) == {"flip": True}
