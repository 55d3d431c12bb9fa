"""A file of one's own never takes the place of a module that commands need."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from quickdraw import import_order, models
from quickdraw.components.lookup import find
from quickdraw.errors import QuickdrawError

NEEDED = ("code", "random", "tempfile", "platform", "keras", "numpy")


@pytest.fixture
def folder(tmp_path):
    """The current folder of somebody whose files have the names of modules."""
    for name in NEEDED:
        (tmp_path / f"{name}.py").write_text(f"raise RuntimeError('{name} of one\\'s own')\n")
    return tmp_path


def command(folder, *arguments: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join(each for each in sys.path if each)
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_training_goes_on_beside_such_files_and_names_them(folder, tiny_data):
    data = f"--train_data_pattern={tiny_data.train}"
    done = command(folder, "quickdraw.train", data, "--train_dir=run", "--max_steps=1")
    assert done.returncode == 0, done.stderr
    for name in NEEDED:
        assert f"warning: {folder}/{name}.py has the name of a module" in done.stderr


def test_such_files_do_not_disturb_the_workers_that_make_records(folder, tiny_data):
    output = ["--output_dir=out", "--processes=2"]
    done = command(folder, "quickdraw.datasets.prepare", f"--source={tiny_data.folder}", *output)
    assert done.returncode == 0, done.stderr


def test_a_model_in_such_a_file_is_refused_with_the_file(tmp_path, monkeypatch):
    (tmp_path / "random.py").write_text("class M: pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))  # which gains the folder
    with pytest.raises(QuickdrawError, match=r"/random\.py cannot be imported.*my_random\.py"):
        find("random.M", models.BaseModel)


def test_a_checkout_of_this_package_hides_nothing(tmp_path, monkeypatch):
    (tmp_path / "quickdraw").mkdir()
    (tmp_path / "quickdraw/__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert import_order.hidden_files() == []
    assert find("quickdraw.models.CnnModel", models.BaseModel) is models.CnnModel


def test_what_is_installed_comes_first_but_for_what_the_user_names(tmp_path, monkeypatch):
    for name in ("turtle", "mine_alone"):
        (tmp_path / f"{name}.py").write_text("own = True\n")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    import_order.installed_first()
    assert importlib.util.find_spec("turtle").origin != f"{tmp_path}/turtle.py"
    assert importlib.import_module("mine_alone").own
    assert import_order.hidden_files() == []
    with import_order.own_first():
        assert importlib.import_module("turtle").own
    sys.modules.pop("mine_alone")
    sys.modules.pop("turtle")


@pytest.mark.parametrize("options", [["-S"], ["-S", "-I"], ["-S", "-O"]], ids=str)
@pytest.mark.parametrize("command", ["train", "datasets.prepare", "leaderboard"])
def test_a_python_without_the_packages_is_one_line(options, command, tmp_path):
    """Another Python than that of the environment, for instance."""
    (tmp_path / "quickdraw").symlink_to(Path(import_order.__file__).parent)
    program = (
        f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv = ['-m']; "
        f"runpy.run_module('quickdraw.{command}', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"quickdraw: {sys.executable} has no package absl, numpy: activate")
