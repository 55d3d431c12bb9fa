"""The house: its size, its names, and that its floors are those of the contract."""

from __future__ import annotations

import ast
import collections
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import quickdraw

PACKAGE = Path(quickdraw.__file__).parent
ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(PACKAGE.rglob("*.py"))
# Settings is one list of fields; drawn doodles are tables.
LONG = ("settings.py", "things.py", "animals.py")
MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_LINES_OF_ANY = 250, 60, 120


def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def test_files_are_short():
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in FILES}
    assert {p: n for p, n in lines.items() if n > MOST_LINES and p.name not in LONG} == {}


def test_functions_are_short():
    found = {
        f"{path}:{node.name}": node.end_lineno - node.lineno + 1
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.end_lineno is not None
    }
    assert {k: n for k, n in found.items() if n > MOST_LINES_OF_A_FUNCTION} == {}


def test_no_two_modules_have_one_name():
    entries = ("__init__", "__main__")
    names = collections.Counter(path.stem for path in FILES if path.stem not in entries)
    rooms = [path.parent.name for path in FILES if path.stem == "__init__"]
    names.update(rooms)
    assert [name for name, count in names.items() if count > 1] == []


def test_no_two_classes_have_one_name():
    """Each command has its own `Flags`."""
    names = collections.Counter(
        node.name
        for tree in trees().values()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == ["Flags"]


def test_nothing_in_training_is_made_of_more_than_five_arguments():
    for path, tree in trees().items():
        if "training" in path.parts:
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                    given = [*node.args.args, *node.args.kwonlyargs]
                    assert len(given) <= 6, path  # self and five


def public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def test_public_functions_say_the_shapes_of_their_arrays():
    """Those without a docstring are documented where the method that they override is."""
    silent = []
    for path, tree in trees().items():
        for node in public_functions(tree.body):
            given = [each.annotation for each in [*node.args.args, *node.args.kwonlyargs]]
            kinds = " ".join(ast.unparse(each) for each in [*given, node.returns] if each)
            says = ast.get_docstring(node)
            arrays = re.search(r"np\.ndarray|tf\.Tensor\b", kinds)
            if arrays and says and not re.search(r"\[.*\]|scalar|shape", says):
                silent.append(f"{path}: {node.name}")
    assert silent == []


def test_any_is_rare():
    """It is for what comes from outside, before it is checked, and for values of any setting."""
    lines = {
        (path, node.lineno)
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in ("Any", "typing.Any")
    }
    assert len(lines) <= MOST_LINES_OF_ANY


def test_every_room_has_a_floor():
    """What `lint-imports` checks, without the linter: a room that no layer names is found."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("needs the checkout")
    with open(ROOT / "pyproject.toml", "rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    floors = [name.strip() for layer in contracts[0]["layers"] for name in layer.split("|")]
    rooms = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    rooms |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(floors) == sorted(rooms)
    assert len(contracts[0]["layers"]) <= 10


def test_tests_mirror_the_package():
    """A test file named after a module lies where it does, says what it tests; no room has none."""
    tests = ROOT / "tests"
    modules = {path.stem: path.relative_to(PACKAGE).parent for path in FILES}
    rooms = {path.parent.relative_to(PACKAGE) for path in FILES}
    found = {path.relative_to(tests) for path in tests.rglob("test_*.py")}
    strays = [path for path in found if modules.get(path.stem[5:], path.parent) != path.parent]
    assert strays == []
    beside = {"notebooks", "standins"}
    assert {path.parent for path in found} - rooms == {Path(name) for name in beside}
    named = {path.parent / path.stem[5:] for path in found}
    assert sorted(rooms - {path.parent for path in found} - named) == []
    assert [
        path
        for path in found
        if not ast.get_docstring(ast.parse((tests / path).read_text("utf-8")))
    ] == []
