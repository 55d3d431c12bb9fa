"""Test records keep their ids, whatever the column or the feature is called, and are told apart
from records to train on whose class stands somewhere else."""

import json

import numpy as np
import pytest
from picturing import doodle, saved
from PIL import Image
from reading import drawings_of, shard

from quickdraw.datasets.sources import open_source
from quickdraw.errors import QuickdrawError
from quickdraw.records.example import serialise

STROKES = [[[0, 255, 255, 9], [0, 0, 255, 9]]]
PNG = saved(doodle(0, 255))


def lines(path, *fields):
    path.write_text("".join(f"{json.dumps({**each, 'drawing': STROKES})}\n" for each in fields))


def ids(path, **options):
    return [drawing.key_id for drawing in drawings_of(path, **options)]


@pytest.mark.parametrize("name", ["id", "ID", "image_id", "filename"])
def test_an_id_of_another_name(tmp_path, name):
    (tmp_path / "test.csv").write_text(f'{name},drawing\nq7,"{STROKES}"\n8.0,"{STROKES}"\n')
    lines(tmp_path / "test.ndjson", {name: "q7"}, {name: 8.0})
    own = "image/id" if name == "id" else name
    records = [serialise(image=PNG, **{own: each}) for each in (b"q7", 8)]
    shard(tmp_path / "test.tfrecord", *records)
    for ending in ("csv", "ndjson", "tfrecord"):
        assert ids(tmp_path / f"test.{ending}") == ["q7", "8"]


def test_numbers_of_labelled_drawings_are_no_ids(tmp_path):
    lines(tmp_path / "cat.ndjson", {"id": 1}, {"id": 2})
    assert ids(tmp_path / "cat.ndjson") == ["", ""]
    shard(tmp_path / "a.tfrecord", serialise(image=PNG, id=[1], label=[0]))
    assert ids(tmp_path / "a.tfrecord") == [""]


@pytest.mark.parametrize("name", ["train.csv", "valid.ndjson", "train-1.tfrecord", "x_train.csv"])
def test_what_is_to_train_on_is_no_test_set(tmp_path, name):
    if name == "x_train.csv":
        (tmp_path / name).write_text(f"{','.join(['0'] * 64)}\n" * 3)
    elif name.endswith("csv"):
        (tmp_path / name).write_text(f'animal,drawing\ncat,"{STROKES}"\n')
    elif name.endswith("ndjson"):
        lines(tmp_path / name, {"animal": "cat"})
    else:
        shard(tmp_path / name, serialise(image=PNG, animal=b"cat"))
    with pytest.raises(QuickdrawError, match=r"label"):
        drawings_of(tmp_path / name, tmp_path)


def test_a_test_set_may_lack_the_label_that_is_told(tmp_path):
    (tmp_path / "train.csv").write_text(f'animal,drawing\ncat,"{STROKES}"\n')
    (tmp_path / "test.csv").write_text(f'key_id,drawing\n5,"{STROKES}"\n')
    assert [each.word for each in drawings_of(tmp_path, label_key="animal")] == [None, "cat"]
    with pytest.raises(QuickdrawError, match="no drawing has the --label_key 'anmal'"):
        drawings_of(tmp_path / "test.csv", label_key="anmal")


@pytest.mark.parametrize("folder", ["test", "."])
def test_shards_of_a_test_set_may_lack_it_too(tmp_path, folder):
    source = tmp_path / "in"
    for name in ("train", folder):
        (source / name).mkdir(parents=True, exist_ok=True)
    train = source / ("train/a.tfrec" if folder == "test" else "train.tfrec")
    shard(train, serialise(image=PNG, animal=b"cat"))
    shard(source / folder / "test.tfrec", serialise(image=PNG, id=b"x1"))
    found = {each.word: each.key_id for each in drawings_of(source, label_key="animal")}
    assert found == {"cat": "", None: "x1"}


def test_a_test_file_without_a_drawing_is_refused(tmp_path):
    path = tmp_path / "scene.json"
    path.write_text(json.dumps({"type": "excalidraw", "drawing": 1}))
    with pytest.raises(
        QuickdrawError, match=r"scene.json, .*: not strokes.*; no drawing in the file"
    ):
        drawings_of(path)


def test_a_number_of_a_class_may_be_text(tmp_path):
    (tmp_path / "label.labels.txt").write_text("dog\ncat\n")
    shard(tmp_path / "a.tfrecord", *[serialise(image=PNG, label=each) for each in (b"1", b"dog")])
    assert [each.word for each in drawings_of(tmp_path)] == ["cat", "dog"]


def test_a_missing_shard_is_said(tmp_path, capsys):
    for number in (0, 2):
        shard(tmp_path / f"a-{number:05}-of-00003", serialise(image=PNG, label=[0]))
    drawings_of(tmp_path)
    assert "a-*-of-00003: 2 of 3 shards are there; number 1 is missing" in capsys.readouterr().err


@pytest.mark.parametrize("count", [2, 3])
def test_lists_of_points_are_refused_even_if_some_pass_for_strokes(tmp_path, count):
    passes = [[[0, 9, 7][:count], [9, 200, 8][:count]]]
    points = [[[0, 9, 7][:count], [9, 20, 8][:count], [90, 90, 9][:count], [200, 7, 9][:count]]]
    (tmp_path / "cat.ndjson").write_text(
        "".join(f"{json.dumps({'drawing': each})}\n" for each in (passes, points, passes))
    )
    with pytest.raises(QuickdrawError, match=r"line 2: a stroke is .* points \[\[x0, y0\]"):
        drawings_of(tmp_path)


def test_greys_that_nobody_can_tell_apart_are_blank(tmp_path):
    (tmp_path / "cat").mkdir()
    page = np.full((40, 40), 76, np.uint8)
    page[9:20, 9:20] = 75
    (tmp_path / "cat/1.png").write_bytes(saved(Image.fromarray(page)))
    (tmp_path / "cat/2.png").write_bytes(PNG)
    (file,) = open_source(str(tmp_path), "").files
    with pytest.raises(ValueError, match="blank"):
        file.drawing(0, (tmp_path / "cat/1.png").read_bytes())


def test_splits_in_the_names_of_classes_are_told(tmp_path):
    for name in ("cat_train", "cat_test"):
        np.save(tmp_path / f"{name}.npy", np.ones((2, 784), np.uint8))
    with pytest.raises(QuickdrawError, match="'cat_test' and 'cat_train' are two splits of the"):
        drawings_of(tmp_path)


@pytest.mark.parametrize("inner", ["test", "unknown", "", "cat"])
def test_a_folder_in_test_that_is_no_class(tmp_path, inner):
    for name in ("train/cat/1", "train/dog/2", f"test/{inner}/7"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.png").write_bytes(saved(doodle()))
    found = [(each.word, each.key_id) for each in drawings_of(tmp_path)]
    rest = ("cat", "") if inner == "cat" else (None, "7")
    assert sorted(found, key=str) == sorted([("cat", ""), ("dog", ""), rest], key=str)


def test_folders_of_splits_without_classes_are_refused(tmp_path):
    for name in ("train", "val", "test"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(saved(doodle()))
    with pytest.raises(QuickdrawError, match="are two splits of the same: .* of each class inside"):
        drawings_of(tmp_path)


def test_a_folder_beside_those_of_splits_is_named(tmp_path, capsys):
    for name in ("train/cat/1", "dev/cat/2", "holdout/cat/3"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / f"{name}.png").write_bytes(saved(doodle()))
    assert [file.split for file in open_source(str(tmp_path), "").files] == ["valid", "train"]
    assert "not read: holdout/" in capsys.readouterr().err
