"""An edit that changes what is computed changes a digest; one that does not, does not."""

from __future__ import annotations

import importlib
import os
import sys
import types

import pytest

from quickdraw import models, zoo
from quickdraw.components.code_digest import changed_pieces, digests_of, edited_files

MODEL = '''"""Somebody's models."""
import helpers
from keras import layers
from helpers import Scale, block
from quickdraw.models import BaseModel

WIDTH = 8
KINDS = {"dense": block, "sizes": (1, 2)}


class Base(BaseModel):
    def last(self, x, num_classes):
        return layers.Dense(num_classes)(x)


class Mine(Base):
    units: int = 3
    depth = 2

    def create_model(self, images, num_classes):
        x = layers.Flatten()(images)
        x = Scale()(KINDS["dense"](x, WIDTH))
        x = helpers.twice(x)

        def same(x):
            """Return it."""
            return x

        return self.last(x, num_classes)


def unused():
    return 1
'''
HELPERS = '''from keras import layers

FACTOR = 2.0


def block(x, width):
    """Make it wide."""
    return layers.Dense(width, activation="relu")(x)


def twice(x):
    return x + x


class Scale(layers.Layer):
    def call(self, x):
        return x * FACTOR
'''


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Writes `mine.py` and `helpers.py` as the arguments say, and returns the module anew."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(mine: str = MODEL, helpers: str = HELPERS) -> types.ModuleType:
        for name, text in (("helpers", helpers), ("mine", mine)):
            (tmp_path / f"{name}.py").write_text(text)
            monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()
        return importlib.import_module("mine")

    yield write
    for name in ("helpers", "mine"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("what", "old", "new", "changed"),
    [
        ("mine", "Flatten()", 'Flatten(name="flat")', "mine.Mine.create_model"),
        ("mine", "layers.Dense(num_classes)(x)", "layers.Dense(num_classes)(x * 2)", "Base.last"),
        ("mine", "WIDTH = 8", "WIDTH = 16", "mine.WIDTH"),
        ("mine", "(1, 2)", "(1, 3)", "mine.KINDS"),
        ("mine", "depth = 2", "depth = 3", "mine.Mine.depth"),
        ("helpers", '"relu"', '"tanh"', "helpers.block"),
        ("helpers", "x + x", "x + x + x", "helpers.twice"),
        ("helpers", "x * FACTOR", "x / FACTOR", "helpers.Scale.call"),
        ("helpers", "FACTOR = 2.0", "FACTOR = 3.0", "helpers.FACTOR"),
    ],
)
def test_an_edit_that_matters_names_what_it_changed(load, what, old, new, changed):
    before = digests_of(load().Mine)
    sources = {"mine": MODEL, "helpers": HELPERS}
    assert old in sources[what]
    sources[what] = sources[what].replace(old, new)
    (name,) = changed_pieces(before, digests_of(load(**sources).Mine))
    assert name.endswith(changed)


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("mine", "        x = layers", "        # flat\n\n        x = layers"),
        ("mine", "(KINDS[", "(\n            KINDS["),
        ("mine", "class Base", "GREETING = 'hello'\n\n\nclass Base"),
        ("mine", "    units: int = 3", '    """The best of all."""\n\n    units: int = 3'),
        ("mine", '            """Return it."""\n', ""),
        ("mine", "units: int = 3", "units: int = 4"),  # its value is kept with the run
        ("mine", "return 1", "return 2"),
        ("helpers", '    """Make it wide."""\n', ""),
        ("helpers", '"relu"', "'relu'"),
        ("helpers", "def block(x, width):", "def block(x: float, width: int):"),
        (
            "mine",
            "def last(self, x, num_classes):",
            "def last(self, x, num_classes: int) -> object:",
        ),
    ],
)
def test_an_edit_that_changes_nothing_is_none(load, what, old, new):
    before = digests_of(load().Mine)
    sources = {"mine": MODEL, "helpers": HELPERS}
    assert old in sources[what]
    sources[what] = sources[what].replace(old, new)
    assert digests_of(load(**sources).Mine) == before


def test_libraries_and_the_package_itself_are_left_out():
    assert set(digests_of(models.CnnModel)) == {
        "quickdraw.models.CnnModel.create_model",
        "quickdraw.models.CnnModel.features",
    }
    assert all(name.startswith("quickdraw.zoo.") for name in digests_of(zoo.ResNetModel))


def test_a_file_that_was_edited_after_its_import_is_named(load, tmp_path):
    module = load()
    assert edited_files(module.Mine) == []
    shifted = HELPERS.replace("FACTOR = 2.0", "# Half of four.\nFACTOR = 2.0")
    (tmp_path / "helpers.py").write_text(shifted)
    os.utime(tmp_path / "helpers.py", ns=(1, 1))
    assert edited_files(module.Mine) == []
    before = digests_of(module.Mine)
    (tmp_path / "helpers.py").write_text(HELPERS.replace("relu", "tanh"))
    os.utime(tmp_path / "helpers.py", ns=(2, 2))
    assert edited_files(module.Mine) == [str(tmp_path / "helpers.py")]
    # What runs is not what the file says, so it must not pass for it later.
    now = digests_of(module.Mine)
    later = digests_of(load(helpers=HELPERS.replace("relu", "tanh")).Mine)
    assert changed_pieces(before, now) == changed_pieces(later, now) == ["helpers.block"]


def test_code_that_no_file_holds_has_digests():
    made = []
    for activation in ("relu", "relu", "tanh"):
        source = (
            "from keras import layers\nfrom quickdraw.models import BaseModel\n"
            "class Typed(BaseModel):\n    def create_model(self, images, num_classes):\n"
            f"        return layers.Dense(num_classes, '{activation}')(layers.Flatten()(images))\n"
        )
        names = {"__name__": "__main__"}
        exec(compile(source, "<stdin>", "exec"), names)
        made.append(digests_of(names["Typed"].create_model))
    assert made[0] == made[1] != made[2]
