"""The scripts' choice of a Python, and that what is pinned is what was tested."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from quickdraw.drawings import greyscale
from quickdraw.drawings.polarity import ALONE
from quickdraw.drawings.rendering import Rendering

ROOT = Path(__file__).resolve().parents[1]
# A Python that says it is another: its version, and whether it has a global lock.
OTHER = """#!/bin/sh
[ "$1" = --version ] && echo "Python {version}" && exit
exec {real} -c "import sys, sysconfig
sys.version_info = tuple(map(int, '{version}'.split('.')))
sysconfig.get_config_var = lambda name: {free}
exec(sys.argv[1])" "$2"
"""

pytestmark = pytest.mark.skipif(not (ROOT / "scripts").is_dir(), reason="needs the checkout")


def found(folder: Path, pythons: dict[str, str], **environment: str) -> tuple[str, str]:
    """What `find_python` prints where these are the Pythons, and what it says on stderr."""
    for name, version in pythons.items():
        text = OTHER.format(
            version=version.rstrip("t"), real=sys.executable, free=int(version.endswith("t"))
        )
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", "-c", f". {ROOT}/scripts/venv.sh; find_python"],
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == (0 if done.stdout else 1)
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize("version", ["3.11.9", "3.12.0", "3.13.5"])
def test_a_python_with_a_wheel_is_taken_without_a_word(tmp_path, version):
    assert found(tmp_path, {"python3": version, "python3.11": "3.11.0"}) == ("python3", "")


@pytest.mark.parametrize("version", ["3.10.14", "3.14.0", "3.15.0", "3.13.5t"])
def test_one_without_is_passed_over(tmp_path, version):
    python, told = found(tmp_path, {"python3": version, "python3.12": "3.12.1"})
    assert python == "python3.12"
    assert told.startswith(f"passing over python3 (Python {version.rstrip('t')})")
    assert told.count("\n") == 1


def test_one_that_was_asked_for_comes_first(tmp_path):
    pythons = {"mine": "3.12.1", "python3": "3.13.1"}
    assert found(tmp_path, pythons, PYTHON=f"{tmp_path}/mine")[0] == f"{tmp_path}/mine"
    python, told = found(tmp_path, {**pythons, "mine": "3.14.1"}, PYTHON=f"{tmp_path}/mine")
    assert "/mine (Python 3.14.1)" in told and python == "python3"


def test_where_there_is_none_it_is_told_what_is_needed(tmp_path):
    python, told = found(tmp_path, {"python3": "3.14.0"})
    assert not python
    assert told.endswith("set PYTHON=/path/to/python3.12.\n")


@pytest.mark.parametrize("package", [tf, keras])
def test_the_image_of_jobs_has_what_the_tests_ran_with(package):
    name = {"keras": "keras"}.get(package.__name__, "tensorflow")
    text = (ROOT / "cloud/Dockerfile").read_text()
    (pinned,) = re.findall(rf'"{name}(?:\[and-cuda\])?==(\d+\.\d+)\.\*"', text)
    here = tuple(map(int, package.__version__.split(".")[:2]))
    there = tuple(map(int, pinned.split(".")))
    if here < there:
        pytest.skip(f"{name} {package.__version__} is older than that of the image, on purpose")
    assert here == there, f"tested with {name} {package.__version__}: pin that in cloud/Dockerfile"


def test_pages_that_people_draw_on_are_read_as_strokes():
    """What `scripts/draw_on_paper.py` measures: each page becomes what the strokes become."""
    script = runpy.run_path(str(ROOT / "scripts" / "draw_on_paper.py"))
    strokes = [[[0, 255, 255, 0, 0], [90, 90, 240, 240, 90]], [[0, 130, 255], [90, 0, 90]]]
    expected = Rendering().image(strokes, 28)[:, :, 0]
    for name, draw in script["PAGES"].items():
        found = greyscale.grey(draw(strokes, np.random.default_rng(1)))
        drawn = Rendering().legible(greyscale.on_black(found, ALONE)[0], 28)
        assert np.corrcoef(drawn.ravel(), expected.ravel())[0, 1] > 0.95, name
