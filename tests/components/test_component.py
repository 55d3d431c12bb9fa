"""Models and losses by name and with parameters, and what is said when either is wrong."""

import contextlib
import json
import os
import sys
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw import losses, models, zoo
from quickdraw.components.component import create, parse_params
from quickdraw.components.lookup import component, find
from quickdraw.errors import QuickdrawError


class Example(models.BaseModel):
    units: int = 64
    dropout: float = 0.5
    filters: tuple[int, ...] = (16, 32)
    name_: str = "a"
    bias: bool = True
    depth: int | None = None
    decay: float | None = None


@pytest.fixture
def write_module(tmp_path, monkeypatch):
    """Writes somebody's own module into the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, code: str) -> None:
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")

    return write


OWN = """
from quickdraw.models import BaseModel, CnnModel

class Mine(BaseModel):
    units: int = 3

class Wider(CnnModel):
    filters: tuple[int, ...] = (32, 64)

class Other:
    pass
"""


# By name


@pytest.mark.parametrize("name", ["LogisticModel", "MlpModel", "CnnModel"])
def test_a_model_of_the_package_is_found_by_its_name(name):
    assert find(name, models.BaseModel) is getattr(models, name)
    assert find(f"quickdraw.models.{name}", models.BaseModel) is getattr(models, name)
    assert find(name, models.BaseModel).name() == name


def test_ones_own_class_is_found_by_its_path_and_named_by_it(write_module):
    write_module("own_models", OWN)
    for name in ("own_models.Mine", "own_models.Wider"):
        found = find(name, models.BaseModel)
        assert found.name() == name
        assert create(found, found().params()) == found()
    assert find("own_models.Wider", models.BaseModel)().params() == {
        "filters": [32, 64],
        "dense_units": 128,
        "dropout": 0.0,
    }


def test_a_class_that_its_module_imported_is_named_by_its_home(write_module):
    write_module("own_models", OWN)
    assert find("own_models.CnnModel", models.BaseModel).name() == "CnnModel"


@pytest.mark.parametrize(
    ("name", "base", "told"),
    [
        ("CnModel", models.BaseModel, "Did you mean 'CnnModel'.*Known: .*LogisticModel"),
        ("cnnmodel", models.BaseModel, "Did you mean 'CnnModel'"),
        ("CrossEntropy", losses.BaseLoss, "Did you mean 'CrossEntropyLoss'"),
        ("CrossEntropyLoss", models.BaseModel, "no BaseModel named 'CrossEntropyLoss'"),
        ("BaseModel", models.BaseModel, "BaseModel"),
        ("", models.BaseModel, "Known: CnnModel"),
        ("no_such_module.Model", models.BaseModel, "no module named 'no_such_module'"),
        ("quickdraw.no_such.Model", models.BaseModel, "no module named 'quickdraw.no_such'"),
        ("json.Model", models.BaseModel, "json has no BaseModel"),
        ("own_models.Mien", models.BaseModel, "Did you mean 'Mine'"),
        ("own_models.Other", models.BaseModel, "own_models.Other does not extend BaseModel"),
        ("own_models.Mine", losses.BaseLoss, "own_models.Mine does not extend BaseLoss"),
        ("..Model", models.BaseModel, "failed|no module|named"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(name, base, told, write_module):
    write_module("own_models", OWN)
    with pytest.raises(QuickdrawError, match=told):
        find(name, base)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = (", r"SyntaxError.*broken_models\.py, line 1"),
        ("\nx = 1 / 0", r"ZeroDivisionError: division by zero.*broken_models\.py, line 2"),
        ("import no_such_package", "importing broken_models failed.*no_such_package"),
        ("from quickdraw.models import Nothing", "ImportError.*Nothing"),
    ],
)
def test_a_module_that_fails_is_told_with_its_line(code, told, write_module):
    write_module("broken_models", code)
    with pytest.raises(QuickdrawError, match=told):
        find("broken_models.Model", models.BaseModel)


# Parameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("  ", {}),
        ("units=128", {"units": 128}),
        ("filters=(8, 16), dropout=0.5,", {"filters": (8, 16), "dropout": 0.5}),
        (
            "filters=[8,16], bias=False, depth=None",
            {"filters": [8, 16], "bias": False, "depth": None},
        ),
        ("name_='a, b=c'", {"name_": "a, b=c"}),
        ("dropout=-1e-3", {"dropout": -0.001}),
        ('{"filters": [8, 16], "depth": null}', {"filters": [8, 16], "depth": None}),
        (' {"units": 1}', {"units": 1}),
    ],
)
def test_parameters_are_read_as_python_or_json(text, expected):
    assert parse_params(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "units",
        "128",
        "units 128",
        "units=many",
        "units=(8, 16",
        "units=open('x')",
        "**{'units': 1}",
        "*(1,)",
        "units={[1]}",
        "units=1)(dropout=0.5",
        "units=1, units=2",
        '{"units": 1',
        "{}{}",
        "units=\0",
        "units=" + "(" * 500,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_neither_is_refused(text):
    with pytest.raises(QuickdrawError, match=r"parameters look like .* Received: "):
        parse_params(text)


@given(st.text(max_size=30) | st.text("abc=,()[]{}'\"1.-* ", max_size=12))
def test_any_text_gives_parameters_or_is_refused(text):
    with contextlib.suppress(QuickdrawError):
        assert isinstance(parse_params(text), dict)


PARAMS = [
    {"units": 3},
    {"dropout": 0.25},
    {"filters": (1, 2, 3)},
    {"filters": ()},
    {"name_": "b"},
    {"bias": False},
    {"depth": 3},
    {"depth": None},
    {"decay": 0.5},
]


@pytest.mark.parametrize("params", PARAMS, ids=str)
def test_parameters_are_set_and_the_others_keep_their_defaults(params):
    made = create(Example, params)
    assert made == Example(**params)
    assert vars(made) == vars(Example()) | params


@pytest.mark.parametrize("params", PARAMS, ids=str)
def test_parameters_survive_being_saved_as_json(params):
    saved = create(Example, params).params()
    assert json.loads(json.dumps(saved)) == saved
    assert create(Example, saved) == create(Example, params)


def test_optional_is_another_way_to_write_or_none():
    class Sometimes(models.BaseModel):
        warm_up: Optional[int] = None  # noqa: UP045

    for value in (None, 3):
        assert create(Sometimes, {"warm_up": value}).warm_up == value
    with pytest.raises(QuickdrawError, match=r"Sometimes\.warm_up must be of type"):
        create(Sometimes, {"warm_up": 1.5})


def test_a_choice_is_told_with_what_there_is():
    with pytest.raises(QuickdrawError, match=r"pooling must be one of mean, max, none\. Re"):
        create(zoo.ResNetModel, {"pooling": "avg"})


def test_a_tuple_may_hold_different_types():
    class Mixed(models.BaseModel):
        block: tuple[int, float] = (1, 0.5)

    assert create(Mixed, {"block": [2, 0.25]}).block == (2, 0.25)
    for wrong in ((0.5, 1), (1, 0.5, 2)):
        with pytest.raises(QuickdrawError, match=r"Mixed\.block must be of type"):
            create(Mixed, {"block": wrong})


def test_parameters_in_parameters_survive_being_saved_as_json():
    class Nested(models.BaseModel):
        blocks: tuple[tuple[int, int], ...] = ((16, 1),)

    for made in (Nested(), Nested(blocks=((16, 2), (32, 2)))):
        saved = made.params()
        assert json.loads(json.dumps(saved)) == saved
        assert create(Nested, saved) == made


@pytest.mark.parametrize("name", ["dropout", "decay"])
def test_an_int_will_do_for_a_float(name):
    value = getattr(create(Example, {name: 1}), name)
    assert (value, type(value)) == (1.0, float)


@pytest.mark.parametrize(
    "params",
    [
        {"units": 1.5},
        {"units": "3"},
        {"units": True},
        {"units": None},
        {"dropout": "0.5"},
        {"dropout": False},
        {"filters": 3},
        {"filters": (1, "2")},
        {"filters": (1, 2.5)},
        {"name_": 1},
        {"bias": 1},
        {"depth": 1.5},
    ],
    ids=str,
)
def test_a_value_of_the_wrong_type_is_told_with_its_name(params):
    (name,) = params
    with pytest.raises(QuickdrawError, match=rf"Example\.{name} must be of type .*Received: "):
        create(Example, params)


def test_an_unknown_parameter_is_told_with_the_nearest():
    with pytest.raises(QuickdrawError, match=r"no parameter 'unit'.*Did you mean 'units'"):
        create(Example, {"unit": 3})


def test_a_parameter_without_a_default_must_be_given():
    class Needy(models.BaseModel):
        units: int

    assert create(Needy, {"units": 3}).units == 3
    with pytest.raises(QuickdrawError, match="units"):
        create(Needy, {})


def test_a_component_is_a_name_with_parameters_or_an_instance():
    expected = models.CnnModel(dense_units=7)
    for params in ("dense_units=7", {"dense_units": 7}, '{"dense_units": 7}'):
        assert component("CnnModel", params, models.BaseModel) == expected
    assert component(expected, "", models.BaseModel) is expected


def test_parameters_beside_an_instance_are_refused():
    with pytest.raises(QuickdrawError, match=r"CnnModel\(…\) with them inside .*'dense_units=8'"):
        component(models.CnnModel(), "dense_units=8", models.BaseModel)


# Classes that cannot be what their author means


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "    units: list = [32, 16]",
            r"default of units must be .* a tuple.*Received: \[32, 16\]",
        ),
        ("    names: dict = {}", r"default of names must be .* Received: \{\}"),
        ("    name: str = 'mine'", "name is a method, so a parameter must have another name"),
        ("    params = 3", "params is a method, so a parameter must have another name"),
        ("    def __init__(self, units=3):\n        self.units = units", "an __init__ of its own"),
    ],
)
@pytest.mark.parametrize("base", ["models import BaseModel", "losses import BaseLoss"])
def test_a_class_that_cannot_have_parameters_is_told_with_its_line(write_module, base, body, told):
    name = base.split()[-1]
    write_module("bad_models", f"from quickdraw.{base}\n\nclass Mine({name}):\n{body}\n")
    place = r" \(.*bad_models\.py, line 3\)$"
    with pytest.raises(QuickdrawError, match=rf"^Mine: .*{told}.*{place}"):
        find("bad_models.Mine", getattr(models if name == "BaseModel" else losses, name))


def test_a_default_of_another_type_is_taken_as_it_is():
    class Odd(models.BaseModel):
        units: int = None
        sizes: int = (3, 4)
        share: int = 0.5

    saved = json.loads(json.dumps(Odd().params()))
    assert create(Odd, saved) == Odd()
    with pytest.raises(QuickdrawError, match=r"Odd\.units must be of type int"):
        create(Odd, {"units": "many"})


def test_an_attribute_without_a_type_is_told_as_such():
    class Untyped(models.BaseModel):
        units = 64

    with pytest.raises(QuickdrawError, match=r"no parameter 'units': .* needs a type, units: int"):
        create(Untyped, {"units": 3})


def test_an_annotation_that_cannot_be_understood_is_told():
    class Strange(models.BaseModel):
        units: "Nothing" = 3  # noqa: F821

    with pytest.raises(QuickdrawError, match=r"Strange: an annotation .*'Nothing'.*test_component"):
        create(Strange, {"units": 3})


# Defaults that a subclass changes


@pytest.mark.parametrize(
    ("base", "name", "value"),
    [
        (models.CnnModel, "filters", (4, 8)),
        (losses.FocalLoss, "gamma", 1.0),
        (zoo.StrokeRnnModel, "max_points", 64),
    ],
)
def test_a_new_default_of_an_inherited_parameter_needs_no_type(base, name, value):
    kind = type("Mine", (base,), {name: value})
    assert getattr(kind(), name) == value
    assert create(kind, {name: getattr(base(), name)}).params() == base().params()
    assert type("Below", (kind,), {})().params() == kind().params()


def test_a_new_default_that_all_would_share_is_told():
    with pytest.raises(QuickdrawError, match=r"the default of filters must be .*Received: \[4\]"):
        type("Mine", (models.CnnModel,), {"filters": [4]})


# Names


@pytest.mark.parametrize("name", ["mine.py", "./mine.py:Mine", "mine/Mine", "mine:Mine", "Mine()"])
def test_a_path_is_told_how_classes_are_named(name, write_module):
    write_module("mine", OWN)
    with pytest.raises(QuickdrawError, match=r"my_models\.MyModel for MyModel in my_models\.py"):
        find(name, models.BaseModel)


def test_a_module_alone_is_told_that_a_class_is_missing(write_module):
    write_module("mine", OWN)
    with pytest.raises(QuickdrawError, match=r"Of mine\.py, name the class: mine\.MyClass"):
        find("mine", models.BaseModel)


def test_a_module_that_changes_the_current_folder_does_not_move_the_run(write_module, tmp_path):
    write_module("moving", "import os; os.makedirs('sub'); os.chdir('sub')" + OWN)
    find("moving.Mine", models.BaseModel)
    assert os.getcwd() == str(tmp_path)
