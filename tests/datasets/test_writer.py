"""The writer: order, counts, bytes, and what an interruption leaves."""

import csv
import dataclasses
import errno
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from quickdraw import dataset_info, records, storage
from quickdraw.datasets import output, splits, writer
from quickdraw.datasets.sources import Category, open_source
from quickdraw.errors import QuickdrawError


def drawings(count, seed=0, size=28):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size), np.uint8)


def categories(count=60):
    return [Category(name, drawings(count, seed)) for seed, name in enumerate(["cat", "dog"])]


def write(folder, given=None, **settings):
    return writer.write(given or categories(), str(folder), source="a test", **settings)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def examples(folder, info, split):
    for name in info.splits[split]["shards"]:
        with open(Path(folder) / name, "rb") as file:
            for data in records.read(file, name):
                assert isinstance(data, bytes)
                yield records.Example.FromString(data).features.feature


def pixels(example):
    return np.asarray(Image.open(io.BytesIO(example["image"].bytes_list.value[0])))


def test_every_drawing_is_written_once_with_its_label(tmp_path):
    info = write(tmp_path)
    expected = {
        image.tobytes(): label
        for label, category in enumerate(categories())
        for image in category.images
    }
    with open(tmp_path / "solution.csv", newline="") as file:
        solution = {row["image_id"]: int(row["label"]) for row in csv.DictReader(file)}
    for split in splits.SPLITS:
        for example in examples(tmp_path, info, split):
            image = pixels(example)
            label = expected.pop(image.tobytes())
            assert splits.split_of(splits.content_of(image)) == split
            if split == "test":
                assert set(example) == {"image", "image_id"}
                assert solution.pop(example["image_id"].bytes_list.value[0].decode()) == label
            else:
                assert set(example) == {"image", "label"}
                assert list(example["label"].int64_list.value) == [label]
    assert not expected and not solution


def test_solution_has_the_order_of_the_records(tmp_path):
    info = write(tmp_path)
    lines = (tmp_path / "solution.csv").read_text().splitlines()
    ids = [e["image_id"].bytes_list.value[0].decode() for e in examples(tmp_path, info, "test")]
    assert lines[0] == "image_id,label"
    assert [line.split(",")[0] for line in lines[1:]] == ids
    assert all(len(bytes.fromhex(image_id)) == 8 for image_id in ids)


def test_dataset_json_counts_what_is_there(tmp_path):
    info = write(tmp_path)
    assert dataset_info.load(str(tmp_path)) == info
    assert info.labels == ["cat", "dog"]
    assert sum(content["records"] for content in info.splits.values()) == 120
    for split, content in info.splits.items():
        assert content["records"] == len(list(examples(tmp_path, info, split)))
        assert content["records"] == sum(content["per_class"].values())
    labels = [e["label"].int64_list.value[0] for e in examples(tmp_path, info, "train")]
    counts = np.bincount(labels).tolist()
    assert list(info.splits["train"]["per_class"].values()) == counts


def test_classes_are_shuffled_into_each_other(tmp_path):
    info = write(tmp_path)
    labels = [e["label"].int64_list.value[0] for e in examples(tmp_path, info, "train")]
    assert np.count_nonzero(np.diff(labels)) > len(labels) / 4


def test_tensorflow_reads_the_records(tmp_path):
    import tensorflow as tf

    info = write(tmp_path)
    for split, key, kind in (("train", "label", tf.int64), ("test", "image_id", tf.string)):
        files = [str(tmp_path / name) for name in info.splits[split]["shards"]]
        features = {
            "image": tf.io.FixedLenFeature([], tf.string),
            key: tf.io.FixedLenFeature([], kind),
        }
        batch = next(iter(tf.data.TFRecordDataset(files).batch(1000)))
        parsed = tf.io.parse_example(batch, features)
        expected = list(examples(tmp_path, info, split))
        for image, example in zip(parsed["image"], expected, strict=True):
            np.testing.assert_array_equal(tf.io.decode_png(image)[..., 0], pixels(example))


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(40)))
def test_the_order_of_the_rows_does_not_matter(tmp_path_factory, order):
    images = drawings(40)
    folders = [tmp_path_factory.mktemp("rows") for _ in range(2)]
    write(folders[0], [Category("cat", images)])
    write(folders[1], [Category("cat", images[list(order)])])
    assert contents(folders[0]) == contents(folders[1])


def test_more_drawings_move_none_to_another_split(tmp_path):
    few = write(tmp_path / "few", [Category("cat", drawings(60)[:30])])
    many = write(tmp_path / "many", [Category("cat", drawings(60))])
    for split in splits.SPLITS:
        of_many = [pixels(e).tobytes() for e in examples(tmp_path / "many", many, split)]
        of_few = [pixels(e).tobytes() for e in examples(tmp_path / "few", few, split)]
        assert of_few == [image for image in of_many if image in of_few]


def test_duplicates_are_skipped_and_counted(tmp_path):
    images = drawings(50)
    twice = np.concatenate([images, images[:7]])
    info = write(tmp_path / "twice", [Category("cat", twice), Category("dog", images[:5])])
    assert info.skipped == {"duplicate": 12}
    assert sum(content["per_class"]["cat"] for content in info.splits.values()) == 50
    once = write(tmp_path / "once", [Category("cat", images)])
    assert once.skipped == {}
    assert once.fingerprint == info.fingerprint


def test_processes_make_the_same_bytes(tmp_path):
    for seed, name in enumerate(("cat", "dog")):
        np.save(tmp_path / f"{name}.npy", drawings(1000, seed))
    for processes in (1, 2):
        given = open_source(str(tmp_path))
        write(tmp_path / str(processes), given, processes=processes)
    one, two = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert one == two
    assert sum(name.startswith("train-") for name in one) == 4


def test_shards_hold_about_100_megabytes(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_SHARD_BYTES", 20_000)
    info = write(tmp_path)
    sizes = [(tmp_path / name).stat().st_size for name in info.splits["train"]["shards"]]
    assert len(sizes) > 1
    assert 15_000 < max(sizes) < 25_000
    assert [len(content["shards"]) for content in info.splits.values()][1:] == [1, 1]


def test_a_split_may_be_empty(tmp_path):
    info = write(tmp_path, percentages=(90, 10, 0))
    assert info.splits["test"] == {"records": 0, "per_class": {"cat": 0, "dog": 0}, "shards": []}
    assert not (tmp_path / "solution.csv").exists()


@pytest.mark.parametrize("size", [14, 28, 56])
def test_images_are_resized(tmp_path, size):
    disc = np.clip(9 - np.hypot(*(np.indices((28, 28)) - 13.5)), 0, 1) * 255
    info = write(tmp_path, [Category("disc", disc[None].astype(np.uint8))], image_size=size)
    (example,) = (e for split in splits.SPLITS for e in examples(tmp_path, info, split))
    image = pixels(example)
    assert image.shape == (size, size)
    assert info.image_size == size
    assert abs(image.mean() - disc.mean()) < 1
    centre = image[size // 2 - 1 : size // 2 + 1, size // 2 - 1 : size // 2 + 1]
    assert centre.min() > 250 and image[0].max() < 5


def test_the_same_again_is_free(tmp_path, monkeypatch, capsys):
    info = write(tmp_path)
    before = contents(tmp_path)
    monkeypatch.setattr(writer, "_write_all", None)
    assert write(tmp_path) == info
    assert contents(tmp_path) == before
    assert "already complete" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "settings", "field"),
    [
        (categories(61), {}, "source is 'a test; 120 drawings.*instead of 'a test; 122 drawings"),
        (None, {"percentages": (70, 20, 10)}, "source is .*80/10/10.* instead of .*70/20/10"),
        (None, {"image_size": 14}, "image_size is 28 instead of 14"),
        (categories()[::-1], {}, "labels is"),
    ],
)
def test_other_settings_are_refused(tmp_path, given, settings, field):
    write(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(QuickdrawError, match=field):
        write(tmp_path, given, **settings)
    assert contents(tmp_path) == before


def test_a_missing_shard_is_noticed(tmp_path):
    info = write(tmp_path)
    (tmp_path / info.splits["train"]["shards"][0]).unlink()
    with pytest.raises(QuickdrawError, match=r"train-00000-of-00001.tfrecords is missing"):
        write(tmp_path)


@pytest.mark.parametrize("name", ["train-00000-of-00009.tfrecords", "test-1.gz", "solution.csv"])
def test_foreign_files_are_left_alone(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(QuickdrawError, match=f"holds {name}"):
        write(tmp_path)
    assert contents(tmp_path) == {name: b"mine"}


def test_a_foreign_dataset_json_is_left_alone(tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": ["a"]}))
    with pytest.raises(QuickdrawError, match="holds another data set"):
        write(tmp_path)


def test_other_files_do_not_matter(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(QuickdrawError, match="the folder cannot be made"):
        write(tmp_path / "file" / "output")


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(records, "frame", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path)
    assert contents(tmp_path) == {}


def test_an_interruption_while_files_move_leaves_nothing(tmp_path, monkeypatch):
    rename = storage.rename

    def interrupted(source, target):
        if target.endswith("solution.csv"):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(storage, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path)
    assert contents(tmp_path) == {}


_KILLED = """
import os, signal, sys
import numpy as np
from quickdraw import storage
from quickdraw.datasets import writer
from quickdraw.datasets.sources import Category

class Images:
    reads = 0
    def __init__(self, seed):
        self.images = np.random.default_rng(seed).integers(0, 256, (60, 28, 28), np.uint8)
    def __len__(self):
        return 60
    def __getitem__(self, row):
        Images.reads += 1
        if Images.reads == {reads}:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.images[row]

def rename(source, target, rename=storage.rename):
    if {at_rename} and os.path.dirname(target) == sys.argv[1] and "train-" in target:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)

storage.rename = rename
categories = [Category("cat", Images(0)), Category("dog", Images(1))]
writer.write(categories, sys.argv[1], source="a test")
"""


@pytest.mark.parametrize(
    "settings",
    [
        {"reads": 50, "at_rename": False},  # in the index
        {"reads": 270, "at_rename": False},  # in the training shard
        {"reads": -1, "at_rename": True},  # after test and solution got their names
    ],
)
def test_killed_and_run_again(tmp_path, settings):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    script = [sys.executable, "-c", _KILLED.format(**settings), str(killed)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    result = subprocess.run(script, env=environment, check=False)
    assert result.returncode == -signal.SIGKILL
    assert not (killed / "dataset.json").exists()
    info = write(whole)
    for name in {path.name for path in killed.iterdir()} - {output._INNER}:
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert dataclasses.asdict(write(killed)) == dataclasses.asdict(info)
    assert contents(killed) == contents(whole)
