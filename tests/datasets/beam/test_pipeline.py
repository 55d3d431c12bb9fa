"""Preparation on Apache Beam: the same files as without it."""

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from quickdraw.datasets import prepare
from quickdraw.datasets.doodles.draw import draw
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.writing.entries import OF_ANOTHER_CLASS
from quickdraw.errors import QuickdrawError

try:
    import apache_beam
except ImportError:
    apache_beam = None

needs_beam = pytest.mark.skipif(apache_beam is None, reason="Apache Beam is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Beam's own


@pytest.fixture
def source(tmp_path):
    """Files of 20, 15 and 10 drawings, and one of all words and of none; with copies and faults."""
    folder = tmp_path / "source"
    folder.mkdir()
    mixed = []
    for number, word in enumerate(("cake", "lion", "pig")):
        rng = np.random.default_rng(number)
        drawings = [draw(word, rng) for _ in range(30)]
        own = drawings[: 20 - 5 * number]
        lines = [json.dumps({"word": word, "drawing": d}) for d in [*own, own[3][::-1]]]
        (folder / f"{word}.ndjson").write_text("\n".join([*lines, "nonsense"]))
        mixed += [{"word": word, "drawing": d} for d in drawings[20:]]
        mixed += [{"drawing": d} for d in (drawings[-1], own[2])]
        mixed.append({"word": "pig", "drawing": own[1]})
    np.random.default_rng(3).shuffle(mixed)
    (folder / "mixed.ndjson").write_text("\n".join(["nonsense", *map(json.dumps, mixed)]))
    return folder


@pytest.fixture
def small_pieces(monkeypatch):
    """Several pieces of a file, and several drawings in each of several buckets."""
    monkeypatch.setattr("quickdraw.datasets.beam.pipeline._PIECE", 3000)
    monkeypatch.setattr("quickdraw.datasets.beam.limits._BUCKET_BYTES", 2000)
    monkeypatch.setattr("quickdraw.datasets.beam.limits._BUCKET_KEYS", 1 << 61)


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def same_with_and_without(source, tmp_path, **settings):
    recipe = Recipe(**settings)
    alone = prepare.prepare(str(source), str(tmp_path / "alone"), recipe)
    beam = prepare.prepare(str(source), str(tmp_path / "beam"), recipe, runner="DirectRunner")
    assert beam == alone
    assert contents(tmp_path / "beam") == contents(tmp_path / "alone")
    return alone


@needs_beam
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gzip": True, "shard_megabytes": 0.005},
        {"categories": ("pig", "cake"), "fraction": 0.5, "keep_strokes": True},
        {"per_category": 1},
        {"per_category": 17},
        {"balance": True},
        {"per_category": 18, "balance": True},
        {"per_category": 5, "categories": ("pig", "cake"), "fraction": 0.5},
        {"balance": True, "categories": ("lion", "pig", "cake"), "fraction": 0.5},
    ],
)
def test_the_same_files(source, small_pieces, tmp_path, settings):
    info = same_with_and_without(source, tmp_path, **settings)
    assert ("left out for balance" in info.skipped) == settings.get("balance", False)
    if not settings:
        assert info.skipped == {"broken JSON": 4, "duplicate": 4, OF_ANOTHER_CLASS: 8}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "_beam", None)
        again = prepare.prepare(str(source), str(tmp_path / "alone"), Recipe(**settings))
    assert again == info


@needs_beam
def test_a_test_set_that_is_set_apart(tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    for name, part in (("train", images[:40]), ("t10k", images[30:])):
        head = b"\0\0\x08\3" + b"".join(n.to_bytes(4, "big") for n in part.shape)
        classes = bytes(n % 5 // 2 for n in range(len(part)))
        labels = b"\0\0\x08\1" + len(part).to_bytes(4, "big") + classes
        for kind, data in (("images-idx3", head + part.tobytes()), ("labels-idx1", labels)):
            (folder / f"{name}-{kind}-ubyte.gz").write_bytes(gzip.compress(data))
    info = same_with_and_without(folder, tmp_path, image_size=8)
    assert info.splits["test"]["records"] == 30
    few = {"per_category": 18, "balance": True}
    info = same_with_and_without(folder, tmp_path / "few", image_size=8, **few)
    assert info.skipped == {"duplicate": 10, "left out for balance": 24}


@pytest.fixture
def tables(tmp_path):
    """A test set with copies, a dot and nothing; training sets with the same ids or drawings."""
    folder = tmp_path / "tables"
    folder.mkdir()
    rng = np.random.default_rng(0)
    drawings = [json.dumps(draw("cake", rng)) for _ in range(40)]
    test = [*drawings[:9], drawings[0], drawings[0], "[[[5],[7]]]", "[]", "[]"]
    write_table(folder / "test.csv", [(1003 + 7 * n, each) for n, each in enumerate(test)])
    for start, name in ((0, "a"), (5, "b")):
        rows = [(5000 + n, drawings[start + 2 * n], ("cat", "dog")[n % 2]) for n in range(15)]
        write_table(folder / f"{name}.csv", rows)
    return folder


def write_table(path, rows):
    header = ("key_id", "drawing", "word")[: len(rows[0])]
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


@needs_beam
@pytest.mark.parametrize("settings", [{}, {"shard_megabytes": 0.001}, {"per_category": 4}])
def test_a_test_set_without_labels(tables, tmp_path, small_pieces, settings):
    info = same_with_and_without(tables, tmp_path, **settings)
    assert info.splits["test"]["records"] == 14
    assert ("key_id of another drawing" in info.skipped) == ("per_category" not in settings)
    assert sum(info.adjusted.values()) == 3
    if settings == {"shard_megabytes": 0.001}:
        assert len(info.splits["test"]["shards"]) > 3
        assert all(path.stat().st_size for path in (tmp_path / "beam").iterdir())


@needs_beam
@pytest.mark.parametrize(
    ("name", "rows", "told"),
    [
        ("more.csv", [(1010, "[[[1, 2], [3, 4]]]")], "have one key_id"),
        ("more.csv", [("", "[[[1, 2], [3, 4]]]")], "a test record without a key_id"),
        ("test_labelled.csv", [(7, "[[[1, 2], [3, 4]]]", "cat")], "give one of the two test sets"),
    ],
)
def test_ids_of_a_test_set_that_are_none(tables, tmp_path, name, rows, told):
    write_table(tables / name, rows)
    for runner in (None, "DirectRunner"):
        with pytest.raises(QuickdrawError, match=told):
            prepare.prepare(str(tables), str(tmp_path / "made"), runner=runner)
    assert not (tmp_path / "made").exists()


@needs_beam
def test_images_that_are_turned_are_counted(tmp_path):
    folder = tmp_path / "bitmaps"
    folder.mkdir()
    for name, paper in (("cat", 0), ("dog", 255)):
        images = np.full((12, 28, 28), paper, np.uint8)
        for number, image in enumerate(images):
            image[5 + number, 5:20] = 255 - paper
            image[5:20, 5 + number] = 255 - paper if name == "cat" else paper
        np.save(folder / f"{name}.npy", images)
    info = same_with_and_without(folder, tmp_path)
    assert info.adjusted == {"dark on light: inverted": 12}


@needs_beam
def test_mistakes(source, tmp_path):
    made = str(tmp_path / "made")
    (tmp_path / "bad.ndjson").write_text("nonsense")
    with pytest.raises(QuickdrawError, match="no usable drawing"):
        prepare.prepare(str(tmp_path / "bad.ndjson"), made, runner="DirectRunner")


@pytest.mark.skipif(apache_beam is not None, reason="Apache Beam is installed")
def test_without_beam(source, tmp_path):
    with pytest.raises(QuickdrawError, match=r"pip install 'quickdraw\[beam\]'"):
        prepare.prepare(str(source), str(tmp_path / "made"), runner="DirectRunner")


def test_other_machines_do_not_see_this_disk(source, tmp_path):
    with pytest.raises(QuickdrawError, match="DataflowRunner reads from gs://"):
        prepare.prepare(str(source), str(tmp_path / "made"), runner="DataflowRunner")
