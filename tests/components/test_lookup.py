"""Classes that students append to `models.py` and `losses.py` are found by their names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import quickdraw
from quickdraw import losses, models, zoo
from quickdraw.components.lookup import check_recorded, find, is_elsewhere
from quickdraw.errors import QuickdrawError

MODEL = """

class StudentModel(BaseModel):
    units: int = 8

    def create_model(self, images, num_classes):
        x = layers.Dense(self.units)(layers.Flatten()(images))
        return layers.Dense(num_classes)(x)
"""
LOSS = """

class StudentLoss(BaseLoss):
    def calculate_loss(self, logits, labels):
        return 2 * cross_entropy(logits, labels)
"""


@pytest.mark.slow
def test_what_a_student_appends_is_found_and_trained(tiny_data, tmp_path):
    package = Path(quickdraw.__file__).parent
    copy = shutil.copytree(
        package, tmp_path / "quickdraw", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name, code in (("models.py", MODEL), ("losses.py", LOSS)):
        with open(copy / name, "a", encoding="utf-8") as file:
            file.write(code)
    flags = ["--model=StudentModel", "--model_params=units=4", "--label_loss=StudentLoss"]
    data = [f"--train_data_pattern={tiny_data.train}", f"--train_dir={tmp_path}/run"]
    command = [sys.executable, "-m", "quickdraw.train", *flags, *data, "--max_steps=3"]
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    record = (tmp_path / "run/run.json").read_text()
    assert '"model": "StudentModel"' in record and '"label_loss": "StudentLoss"' in record


@pytest.mark.parametrize("name", ["LogisticModel", "ResNetModel", "FusionModel"])
def test_students_and_strong_models_are_found_alike(name):
    found = find(name, models.BaseModel)
    assert found is getattr(models, name, None) or found is getattr(zoo, name)
    assert found.name() == name


@pytest.mark.parametrize(("name", "base"), [("CenterLos", losses.BaseLoss)])
def test_the_nearest_name_is_suggested_from_both_homes(name, base):
    with pytest.raises(QuickdrawError, match="Did you mean 'CenterLoss'") as caught:
        find(name, base)
    assert "CrossEntropyLoss" in str(caught.value)


# What a run's record stands for


class Kept(models.BaseModel):
    units: int = 3
    activation: object = "relu"

    def __post_init__(self):
        super().__post_init__()
        self.twice = 2 * self.units


def test_an_instance_that_its_parameters_describe_is_kept():
    check_recorded(Kept(units=5), models.BaseModel)
    check_recorded(models.CnnModel(filters=(8,)), models.BaseModel)


def test_an_instance_that_holds_what_is_no_parameter_is_refused():
    made = Kept()
    made.depth = 4
    with pytest.raises(QuickdrawError, match=r"Kept .*depth = 4 is no parameter.*depth: int = 4"):
        check_recorded(made, models.BaseModel)


def test_a_parameter_that_no_file_can_keep_is_refused():
    with pytest.raises(QuickdrawError, match=r"activation must be a number, a word.*<function"):
        check_recorded(Kept(activation=find), models.BaseModel)


def test_a_class_inside_a_function_is_refused():
    class Local(models.BaseModel):
        pass

    with pytest.raises(QuickdrawError, match=r"Local .*inside a function.*top of a file"):
        check_recorded(Local(), models.BaseModel)


def test_an_instance_of_a_class_that_was_written_anew_is_refused(monkeypatch):
    made = Kept()
    again = type("Kept", (models.BaseModel,), {"__module__": __name__})
    monkeypatch.setattr(sys.modules[__name__], "Kept", again)
    with pytest.raises(QuickdrawError, match=r"is another class by now.*Make the instance anew"):
        check_recorded(made, models.BaseModel)


def test_what_other_programs_do_not_find_is_known(tmp_path, monkeypatch):
    (tmp_path / "beside_models.py").write_text(
        "from quickdraw.models import BaseModel\nclass Mine(BaseModel):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = find("beside_models.Mine", models.BaseModel)
    assert is_elsewhere(found) is None
    program = str(tmp_path / "study.py")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", program, raising=False)
    assert is_elsewhere(found) == str(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert is_elsewhere(found) is None
    typed = type("Typed", (models.BaseModel,), {"__module__": "__main__"})
    assert "notebook" in is_elsewhere(typed)
    assert is_elsewhere(models.CnnModel) is None


def test_a_module_that_switches_tensorflow_2_off_is_told(tmp_path, monkeypatch):
    (tmp_path / "old_models.py").write_text("import quickdraw.models\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(tf, "executing_eagerly", lambda: False)
    with pytest.raises(QuickdrawError, match=r"old_models\.py switches TensorFlow 2 off, by disab"):
        find("old_models.Mine", models.BaseModel)


def test_a_class_of_a_notebook_that_is_gone_is_told():
    with pytest.raises(QuickdrawError, match=r"Gone was defined in a notebook .*my_models\.Gone"):
        find("__main__.Gone", models.BaseModel)
