"""The house: its size, its names, and that its floors are those of the contract."""

from __future__ import annotations

import ast
import collections
import tomllib
from pathlib import Path

import pytest

import quickdraw

PACKAGE = Path(quickdraw.__file__).parent
ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(PACKAGE.rglob("*.py"))
# Settings is one list of fields; drawn doodles are tables.
LONG = ("settings.py", "things.py", "animals.py")
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 250, 60


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
