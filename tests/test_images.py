"""The images of cloud/: what they install is enough for what they start, without TensorFlow."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

CLOUD = Path(__file__).resolve().parents[1] / "cloud"
STARTED = {
    "serve": ("quickdraw.serve", "quickdraw.serving.app", "quickdraw.serving.served"),
    "draw_off": ("quickdraw.draw_off.contest_app", "quickdraw.draw_off.running", "segno"),
    "leaderboard": (
        "quickdraw.leaderboard.__main__",
        "quickdraw.leaderboard.site.board_app",
        "quickdraw.leaderboard.commands.run_server",
    ),
}
IMAGES = {"serve": "serve", "draw_off": "serve", "leaderboard": "leaderboard"}

# Run in a process of its own: what is neither installed by the image, nor needed by what is, cannot
# be imported; nor can onnxruntime's own process, or uvicorn's choices, find more.
SCRIPT = """
import importlib, importlib.metadata as metadata, re, sys
installed, modules = sys.argv[1].split(","), sys.argv[2].split(",")

def plain(name):
    return re.sub("[-_.]+", "-", name).lower()

allowed = {"quickdraw"}
waiting = [(plain(n.split("[")[0]), n.partition("[")[2][:-1]) for n in installed]
while waiting:
    name, extra = waiting.pop()
    if (name, extra) in allowed:
        continue
    allowed |= {name, (name, extra)}
    try:
        needed = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        continue
    for line in needed:
        from packaging.requirements import Requirement
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            extras = wanted.extras or {""}
            waiting += [(plain(wanted.name), each) for each in extras | {""}]
for name in [n for n in sys.modules if n.split(".")[0] == "packaging"]:
    del sys.modules[name]

owners = metadata.packages_distributions()

class Only:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in owners and not {plain(each) for each in owners[top]} & allowed:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

sys.meta_path.insert(0, Only())
for each in modules:
    importlib.import_module(each)
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""


def lines(image: str) -> str:
    text = (CLOUD / f"{image}.Dockerfile").read_text("utf-8")
    return re.sub(r"\\\n\s*", "", text)


@pytest.mark.parametrize("name", STARTED)
def test_what_an_image_installs_is_enough(name):
    found = re.search(r"^RUN pip install (.*)$", lines(IMAGES[name]), re.M)
    packages = found[1].replace('"', "").split()
    for package in packages:
        importlib.metadata.distribution(package.partition("[")[0])  # else it would prove nothing
    command = [sys.executable, "-c", SCRIPT, ",".join(packages), ",".join(STARTED[name])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("image", ["serve", "leaderboard"])
def test_an_image_runs_as_nobody_in_particular(image):
    text = lines(image)
    assert re.search(r"^USER (?!root)\w+$", text, re.M)
    assert "tensorflow" not in text.replace("TensorFlow", "")
    assert text.index("\nUSER") < text.index("\nENTRYPOINT")
