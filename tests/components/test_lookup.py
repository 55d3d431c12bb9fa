"""Classes that students append to `models.py` and `losses.py` are found by their names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import quickdraw
from quickdraw import losses, models, zoo
from quickdraw.components.lookup import find
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
