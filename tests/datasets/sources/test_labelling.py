"""The labels of records that others made: as people store them, or refused."""

import json
import unicodedata

import numpy as np
import pytest
from reading import drawings_of, shard

from quickdraw.errors import QuickdrawError
from quickdraw.records import png
from quickdraw.records.example import serialise

IMAGE = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
STROKES = [[[0, 255, 255], [0, 0, 255]], [[100, 50], [60, 80]]]


def labelled(path, labels, **others):
    image = png.encode(IMAGE)
    return shard(path, *(serialise(image=image, label=label, **others) for label in labels))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], ["1", "0", "2"]),
        ([[0.0, 1.0], [1.0, 0.0]], ["1", "0"]),
        ([[3.0], [0.0]], ["3", "0"]),
        ([[3.0], [0.5], 7], ["3", "a label that is no class", "7"]),
        ([b"hot dog", b" cat ", b"nan", b"\xff"], ["hot dog", "cat", "no word", "a label that is"]),
        ([3, -1, 4], ["3", "a label that is no class", "4"]),
        ([3, []], ["3", "no label"]),
        ([-1, -1], [None, None]),
    ],
)
def test_labels_as_people_store_them(tmp_path, labels, words):
    labelled(tmp_path / "train.tfrecords", labels)
    found = [each if isinstance(each, str) else each.word for each in drawings_of(tmp_path)]
    for word, expected in zip(found, words, strict=True):
        assert word == expected or word.startswith(expected)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([[3, 5], [1, 2]], r"one label a record expected, or a one-hot list.*2 values, \[3, 5\]"),
        ([[0, 1, 1]], "or a one-hot list"),
        ([[0, 1], [0, 0, 1]], "labels of one length expected. Received: 2 and 3 values"),
        ([2, [0, 0, 1]], "labels of one length"),
        ([[0.5, 0.5]], "or a one-hot list"),
    ],
)
def test_labels_of_several_classes_are_refused(tmp_path, labels, words):
    labelled(tmp_path / "train.tfrecords", labels)
    with pytest.raises(QuickdrawError, match=words):
        drawings_of(tmp_path)


@pytest.mark.parametrize("labels", [[b"cat", 1], [1, b"cat"], [[0, 1], b"cat"]])
def test_names_beside_numbers(tmp_path, labels):
    for number, label in enumerate(labels):
        labelled(tmp_path / f"{number}.tfrecords", [label])
    with pytest.raises(QuickdrawError, match="has labels that are names, and .* are numbers"):
        drawings_of(tmp_path)


def test_digits_are_numbers(tmp_path):
    labelled(tmp_path / "train.tfrecords", [b"1", 1])
    assert [drawing.word for drawing in drawings_of(tmp_path)] == ["1", "1"]


def test_a_one_hot_label_of_another_number_of_classes(tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": ["cat", "dog"]}))
    labelled(tmp_path / "train.tfrecords", [[0, 0, 1]])
    with pytest.raises(QuickdrawError, match="as long as there are classes, 2 expected.*3 values"):
        drawings_of(tmp_path)


@pytest.mark.parametrize("key", ["label_key", "image_key"])
def test_a_mistyped_key_names_the_features_there_are(tmp_path, key):
    labelled(tmp_path / "train.tfrecords", [0, 1], ink=[0.5] * 6)
    with pytest.raises(QuickdrawError, match=f"no record has the --{key} 'lable'.*image, ink, lab"):
        drawings_of(tmp_path, **{key: "lable"})


def test_the_label_may_be_in_another_feature(tmp_path):
    shard(tmp_path / "x.tfrecords", serialise(image=png.encode(IMAGE), target=3))
    with pytest.raises(QuickdrawError, match=r"such as --label_key=target. The records have: im"):
        drawings_of(tmp_path)
    (drawing,) = drawings_of(tmp_path, label_key="target")
    assert drawing.word == "3"


def test_records_without_label_or_id_are_said(tmp_path, capsys):
    shard(tmp_path / "x.tfrecords", serialise(image=png.encode(IMAGE)))
    (drawing,) = drawings_of(tmp_path)
    assert drawing.word is None
    assert "these are records for a test. The records have: image" in capsys.readouterr().err


def test_the_files_of_tensorflow_datasets(tmp_path, capsys):
    labelled(tmp_path / "mnist-train.tfrecord-00000-of-00001", [1])
    labelled(tmp_path / "mnist-test.tfrecord-00000-of-00001", [0])
    (tmp_path / "label.labels.txt").write_text("cat\nhot dog\n")
    for name in ("features.json", "dataset_info.json"):
        (tmp_path / name).write_text("{}")
    assert [drawing.word for drawing in drawings_of(tmp_path)] == ["cat", "hot dog"]
    told = "kept as they are set apart, files or folders of: test (1 of 2)\n"
    assert capsys.readouterr().err == told
    labelled(tmp_path / "fashion_mnist-train.tfrecord-00000-of-00001", [0])
    with pytest.raises(QuickdrawError, match=r"several data sets.*fashion_mnist-t.*/mnist\*'"):
        drawings_of(tmp_path)


def test_lists_of_classes_that_differ(tmp_path):
    for name, classes in (("training", "cat\ndog"), ("eval", "dog\ncat")):
        labelled(tmp_path / f"{name}.tfrecord-00000-of-00001", [1])
        (tmp_path / f"{name}.tfrecord.classes").write_text(classes)
    with pytest.raises(QuickdrawError, match=r"eval.tfrecord.classes and .*name other classes"):
        drawings_of(tmp_path)


def test_a_name_of_a_class_is_found_in_any_form(tmp_path):
    decomposed = unicodedata.normalize("NFD", "고양이")
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": ["hot dog", decomposed]}))
    labelled(tmp_path / "train.tfrecords", ["고양이".encode(), b"hot_dog", b"cat"])
    cat, hot_dog, other = drawings_of(tmp_path)
    assert (cat.word, hot_dog.word) == ("고양이", "hot dog")
    assert other == "a label that is no class"
