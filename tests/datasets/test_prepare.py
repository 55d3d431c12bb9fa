"""`python -m quickdraw.datasets.prepare`: flags, summary, and the real data where it is there."""

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from quickdraw import storage
from quickdraw.datasets import prepare
from quickdraw.datasets.recipe import Recipe
from quickdraw.records import example, tfrecord

ROOT = Path(__file__).resolve().parents[2]
BITMAPS = ROOT.parent / "shared/data/quickdraw/numpy_bitmap"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("cat", "traffic light"):
        np.save(folder / f"{name}.npy", rng.integers(0, 256, (40, 784), np.uint8))
    return folder


def run(*flags):
    return prepare.main(["prepare.py", *map(str, flags)])


def test_a_data_set_and_what_to_do_with_it(source, tmp_path, capsys):
    made = tmp_path / "made here"
    assert run(f"--source={source}", f"--output_dir={made}") == 0
    printed = capsys.readouterr()
    info = json.loads((made / "dataset.json").read_text())
    assert info["labels"] == ["cat", "traffic light"]
    assert f"train  {info['splits']['train']['records']:>8}" in printed.out
    assert "traffic light" in printed.out
    assert "drawings/s" in printed.err
    command = shlex.split(printed.out.splitlines()[-1].removeprefix("next: "))
    assert f"--train_data_pattern={made}/train-*" in command
    assert f"--eval_data_pattern={made}/valid-*" in command


@pytest.mark.parametrize("name", ["x,y", "x [1]", "it's $HOME"])
def test_the_next_command_finds_the_records(source, tmp_path, capsys, name):
    made = tmp_path / name
    assert run(f"--source={source}", f"--output_dir={made}") == 0
    command = capsys.readouterr().out.splitlines()[-1].removeprefix("next: ")
    patterns = [flag.partition("=")[2] for flag in shlex.split(command) if "_pattern=" in flag]
    found = [storage.expand(pattern) for pattern in patterns]
    names = [["train-00000-of-00001.tfrecords"], ["valid-00000-of-00001.tfrecords"]]
    assert found == [[str(made / each) for each in of_split] for of_split in names]


def test_every_flag_counts(source, tmp_path, capsys):
    np.save(source / "cat.npy", np.tile(np.arange(784, dtype=np.uint8), (40, 1)))
    run(
        f"--source={source}",
        f"--output_dir={tmp_path / 'made'}",
        "--categories=traffic_light,cat",
        "--per_category=30",
        "--image_size=14",
        "--split=90/0/10",
    )
    info = json.loads((tmp_path / "made/dataset.json").read_text())
    assert info["labels"] == ["traffic light", "cat"]
    assert info["image_size"] == 14
    assert info["skipped"] == {"duplicate": 29}
    assert info["splits"]["valid"]["records"] == 0
    assert sum(split["records"] for split in info["splits"].values()) == 31
    printed = capsys.readouterr().out
    assert "skipped: 29 (duplicate)" in printed
    assert "--eval_data_pattern" not in printed


def test_pictures_of_thin_lines_are_told_and_drawn_again_if_wanted(tmp_path, capsys):
    for number in range(12):
        page = Image.new("L", (254, 254), 255)
        brush = ImageDraw.Draw(page)
        brush.ellipse((60, 60, 150 + number, 150), outline=90, width=2)
        brush.line((70, 150, 100, 200), fill=90, width=2)
        (tmp_path / "drawn/cat").mkdir(parents=True, exist_ok=True)
        page.save(tmp_path / f"drawn/cat/{number}.png")
    source = f"--source={tmp_path / 'drawn'}"
    ink = []
    for redraw in (False, True):
        made = tmp_path / f"made-{redraw}"
        assert run(source, f"--output_dir={made}", f"--redraw={redraw}") == 0
        told = "--redraw they are drawn as" in capsys.readouterr().err
        assert told != redraw
        shard = made / "train-00000-of-00001.tfrecords"
        with open(shard, "rb") as file:
            found = map(example.Example.FromString, tfrecord.read(file, str(shard)))
            images = [Image.open(io.BytesIO(example.bytes_of(each, "image"))) for each in found]
        ink.append(np.mean([np.max(image) for image in images]))
        settings = json.loads((made / "dataset.json").read_text())["settings"]
        assert settings["redraw"] == redraw
    assert ink[0] < 100 and ink[1] > 250


def test_strokes_are_drawn_once(tmp_path, capsys):
    (tmp_path / "cat.ndjson").write_text('{"word": "cat", "drawing": [[[0, 9], [0, 9]]]}\n' * 3)
    flags = f"--source={tmp_path / 'cat.ndjson'}", f"--output_dir={tmp_path / 'made'}"
    assert run(*flags, "--redraw") == 1
    assert "redraw needs images. Received: strokes" in capsys.readouterr().err
    assert not list((tmp_path / "made").glob("*.json"))


def test_config_sets_flags_and_the_command_line_wins(source, tmp_path):
    config = {"source": str(source), "categories": "cat", "per_category": 10, "image_size": 14}
    (tmp_path / "config.json").write_text(json.dumps(config))
    flags = f"--config={tmp_path / 'config.json'}", f"--output_dir={tmp_path}", "--per_category=20"
    assert run(*flags) == 0
    info = json.loads((tmp_path / "dataset.json").read_text())
    assert (info["labels"], info["image_size"]) == (["cat"], 14)
    assert sum(split["records"] for split in info["splits"].values()) == 20


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--source="], 2, "--source is empty"),
        (["--output_dir="], 2, "--output_dir is empty"),
        (["--sauce=x"], 2, "no flag --sauce. Did you mean --source?"),
        (["--image_size=big"], 2, "image_size"),
        (["--image_size=0"], 1, "image_size must be from 1 to 1024. Received: 0"),
        (["--per_category=0"], 1, "per_category must be at least 1. Received: 0"),
        (["--split=80/20"], 1, "three whole percentages"),
        (["--source=nowhere"], 1, "nowhere: there is no such file or folder"),
        (["--source=gs://b/x"], 1, "gcloud storage cp -r 'gs://b/x'"),
        (["--categories="], 2, "--categories is empty"),
        (["--fraction=0"], 1, "fraction must be from 1e-06 to 1. Received: 0.0"),
        (["--channels=2"], 1, "channels must be 1 or 3. Received: 2"),
        (["--channels=3"], 1, "channels=3 needs strokes. Received: numpy bitmaps"),
        (["--keep_strokes"], 1, "keep_strokes needs strokes. Received: numpy bitmaps"),
        (["--processes=0"], 2, "processes must be at least 1. Received: 0"),
        (["--format=gif"], 2, "format"),
        (["--format=csv"], 1, "files of csv strokes expected. Received: 2 numpy bitmaps"),
        (["--categories=cta"], 1, "Did you mean 'cat'?"),
        (["--output_dir=/dev/null/x"], 1, "the folder cannot be made"),
    ],
)
def test_mistakes_get_one_line(source, tmp_path, capsys, flags, code, words):
    made = tmp_path / "made"
    # A flag that is given twice is a line of its own: what a case names replaces what is right.
    named = {flag.split("=")[0] for flag in flags}
    right = {"--source": source, "--output_dir": made}
    usual = [f"{flag}={value}" for flag, value in right.items() if flag not in named]
    assert run(*usual, *flags) == code
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == (2 if code == 2 else 1)
    assert not made.exists()


def test_several_sources_between_commas_are_told(source, tmp_path, capsys):
    both = f"{source}/cat.npy,{source}/traffic light.npy"
    assert run(f"--source={both}", f"--output_dir={tmp_path / 'made'}") == 1
    assert "One is expected: a folder of them, or a pattern" in capsys.readouterr().err


def test_help_is_the_manual(capsys):
    assert run("--help") == 0
    printed = capsys.readouterr().out
    assert "python -m quickdraw.datasets.prepare --source=" in printed
    assert "--per_category" in printed


def test_tensorflow_is_not_imported():
    code = """
import sys
import quickdraw.datasets.prepare, quickdraw.datasets.sample
heavy = {"tensorflow", "keras", "quickdraw.training"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.skipif(not BITMAPS.exists(), reason=f"the real drawings are not there: {BITMAPS}")
def test_real_drawings(tmp_path):
    names = ["The Eiffel Tower", "cat", "hot air balloon"]
    info = prepare.prepare(
        str(BITMAPS),
        str(tmp_path),
        Recipe(categories=tuple(n.replace(" ", "_") for n in names), per_category=200),
    )
    assert info.labels == names
    assert info.skipped == {}
    assert sum(split["records"] for split in info.splits.values()) == 600
    known = {row.tobytes() for n in names for row in np.load(BITMAPS / f"{n}.npy")[:200]}
    for name in (name for split in info.splits.values() for name in split["shards"]):
        with open(tmp_path / name, "rb") as file:
            for data in tfrecord.read(file, name):
                feature = example.Example.FromString(data).features.feature
                image = Image.open(io.BytesIO(feature["image"].bytes_list.value[0]))
                known.remove(image.tobytes())
    assert not known
