"""Splits that a source makes itself: by the words of names, and by folders."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from reading import parsed

from quickdraw.datasets.prepare import prepare
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.sources import official, open_source
from quickdraw.errors import QuickdrawError
from quickdraw.records import example, png, tfrecord


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("mnist-test.tfrecord-00000-of-00001", "test"),
        ("mnist-train.tfrecord-00000-of-00001", "train"),
        ("emnist-letters-test-images-idx3-ubyte.gz", "test"),
        ("t10k-images-idx3-ubyte", "test"),
        ("eval.tfrecord-00000-of-00010", "test"),
        ("training.tfrecord-00000-of-00010", "train"),
        ("quickdraw-validation.tfrecord-00000-of-00001", "valid"),
        ("Test_Simplified.csv", "test"),
        ("val", "valid"),
        ("latest-images-idx3-ubyte", None),
        ("contest.csv", None),
        ("retrained.ndjson", None),
        ("train_test.csv", None),
        ("cat.npy", None),
    ],
)
def test_a_word_of_the_name_tells(name, split):
    assert official.split_of(name) == split


@pytest.mark.parametrize(
    ("path", "source", "split"),
    [
        ("data/test/a.csv", "data/*/a.csv", "test"),
        ("data/test/cat/", "data/*/*", "test"),
        ("data/cat/test/", "data/*/*", None),  # a class called test
        ("test/a.csv", "test", None),
        ("test/a.csv", "test/*.csv", None),
        ("/home/test/new/valid-0.csv", "/home/test/*/*.csv", "valid"),
    ],
)
def test_folders_that_a_pattern_stands_for_tell(path, source, split):
    assert official.split_of_path(path, source) == split


def drawing(seed):
    return [[np.random.default_rng(seed).integers(0, 256, 6).tolist() for _ in "xy"]]


def picture(folder, seed):
    folder.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(seed).integers(0, 120, (12, 12), np.uint8)
    image[3:8, 3:8] = 200
    Image.fromarray(image).save(folder / f"{seed:03}.png")


@pytest.fixture
def pictures(tmp_path):
    """Two classes of 20 drawings to train on, and of 5 for each of the other splits."""
    for at, (split, count) in enumerate((("train", 20), ("val", 5), ("test", 5))):
        for number, word in enumerate(("cat", "hot dog")):
            for seed in range(count):
                picture(tmp_path / "in" / split / word, 100 * at + 50 * number + seed)
    return tmp_path / "in"


def made(source, tmp_path, **flags):
    return prepare(str(source), str(tmp_path / "out"), processes=1, **flags)


def counts(info):
    return {split: content["records"] for split, content in info.splits.items()}


def test_folders_of_splits_are_kept(pictures, tmp_path):
    info = made(pictures, tmp_path)
    assert info.labels == ["cat", "hot dog"]
    assert counts(info) == {"train": 40, "valid": 10, "test": 10}
    assert info.unread == {}
    assert len((tmp_path / "out/solution.csv").read_text().splitlines()) == 11


def test_what_is_kept_is_said(pictures, tmp_path, capsys):
    made(pictures, tmp_path)
    told = "kept as they are set apart, files or folders of: valid (2 of 6), test (2 of 6)"
    assert told in capsys.readouterr().err.splitlines()


def test_a_folder_that_is_all_there_is_is_looked_into(pictures, tmp_path):
    (tmp_path / "unpacked").mkdir(parents=True)
    pictures.rename(tmp_path / "unpacked/set")
    info = made(tmp_path / "unpacked", tmp_path)
    assert counts(info) == {"train": 40, "valid": 10, "test": 10}
    assert info.unread == {}


def test_without_a_validation_set_there_is_one_of_the_training_set(pictures, tmp_path):
    for path in (pictures / "val").rglob("*.png"):
        path.unlink()
    info = made(pictures, tmp_path)
    assert counts(info)["test"] == 10
    assert 0 < counts(info)["valid"] < 12


def test_pictures_of_a_test_set_without_classes_are_test_records(pictures, tmp_path):
    names = []
    for path in sorted((pictures / "test").rglob("*.png")):
        names.append(f"b{path.stem}" if "cat" in str(path) else path.stem)
        path.rename(pictures / "test" / f"{names[-1]}.png")
    (pictures / "test" / "zzz.png").write_bytes(b"not a picture")
    info = made(pictures, tmp_path)
    assert counts(info) == {"train": 40, "valid": 10, "test": 11}
    ids = [r["image_id"] for r in records(tmp_path / "out", "test")]
    assert ids == [name.encode() for name in sorted([*names, "zzz"])]
    assert not (tmp_path / "out/solution.csv").exists()
    assert info.adjusted["kept, as a test record (not a picture that can be read)"] == 1


def records(folder, split):
    for path in sorted(folder.glob(f"{split}-*")):
        with open(path, "rb") as file:
            for data in tfrecord.read(file, str(path)):
                features = example.Example.FromString(data).features.feature
                yield {
                    name: (values.bytes_list.value or values.int64_list.value or [None])[0]
                    for name, values in features.items()
                }


def test_a_class_may_be_called_train(tmp_path):
    for word in ("train", "test tube", "car"):
        for seed in range(4):
            picture(tmp_path / "in" / word, seed + 10 * len(word))
    source = open_source(str(tmp_path / "in"), str(tmp_path))
    assert [(file.category, file.split) for file in source.files] == [
        ("car", None),
        ("test tube", None),
        ("train", None),
    ]


def test_a_test_set_beside_the_classes(pictures, tmp_path):
    for word in ("cat", "hot dog"):
        (pictures / "train" / word).rename(pictures / word)
    info = made(pictures, tmp_path)
    assert counts(info) == {"train": 40, "valid": 10, "test": 10}


def test_other_formats_in_folders_of_splits(tmp_path):
    rng = np.random.default_rng(0)
    for split, count in (("train", 30), ("test", 4)):
        (tmp_path / "in" / split).mkdir(parents=True)
        for word in ("cat", "dog"):
            images = rng.integers(0, 256, (count, 784), np.uint8)
            np.save(tmp_path / "in" / split / f"{word}.npy", images)
    info = made(tmp_path / "in", tmp_path, recipe=Recipe(per_category=10))
    assert counts(info)["test"] == 8
    assert sum(counts(info).values()) == 28  # as many of each class of each split


def test_a_folder_of_tables_and_a_table_beside_it(tmp_path):
    """As Kaggle's archives unpack."""
    (tmp_path / "in/train_simplified").mkdir(parents=True)
    for number, word in enumerate(("cat", "dog")):
        rows = [(json.dumps(drawing(100 * number + n)), word) for n in range(30)]
        table(tmp_path / f"in/train_simplified/{word}.csv", ("drawing", "word"), rows)
    rows = [(n + 1000, json.dumps(drawing(500 + n))) for n in range(7)]
    table(tmp_path / "in/test_simplified.csv", ("key_id", "drawing"), rows)
    table(tmp_path / "in/sample_submission.csv", ("key_id", "word"), [(1000, "cat")])
    info = made(tmp_path / "in", tmp_path)
    assert counts(info)["test"] == 7
    assert info.labels == ["cat", "dog"]
    assert info.unread == {"sample_submission.csv": 1}


def table(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.mark.parametrize("name", ["test.csv", "eval_set.csv", "my test.csv"])
def test_a_table_with_labels_is_a_test_set_by_its_name(tmp_path, name):
    (tmp_path / "in").mkdir()
    for file, count in (("all.csv", 40), (name, 6)):
        rows = [(json.dumps(drawing(100 * count + n)), ("cat", "dog")[n % 2]) for n in range(count)]
        table(tmp_path / "in" / file, ("drawing", "word"), rows)
    info = made(tmp_path / "in", tmp_path)
    assert counts(info)["test"] == 6
    assert info.splits["test"]["per_class"] == {"cat": 3, "dog": 3}


def test_a_file_is_no_split_where_its_word_is_its_name(tmp_path):
    lines = [json.dumps({"word": "test tube", "drawing": drawing(n)}) for n in range(5)]
    (tmp_path / "test tube.ndjson").write_text("\n".join(lines))
    (file,) = open_source(str(tmp_path), str(tmp_path / "x")).files
    assert (file.category, file.split) == ("test tube", None)


def test_lines_without_a_word_in_a_test_set_are_of_no_class(tmp_path):
    for name in ("test_raw.ndjson", "cat.ndjson"):
        text = "\n".join(json.dumps({"drawing": drawing(n), "key_id": str(n)}) for n in range(3))
        (tmp_path / name).write_text(text)
    cat, test = open_source(str(tmp_path), str(tmp_path / "x")).files
    assert [drawing.word for drawing in parsed(cat)] == ["cat"] * 3
    assert [drawing.word for drawing in parsed(test)] == [None] * 3
    assert test.split == "test"


def test_parts_of_two_formats(pictures, tmp_path):
    np.save(pictures / "dog.npy", np.ones((3, 784), np.uint8))
    with pytest.raises(QuickdrawError, match="one format expected. Received: numpy bitmaps and pi"):
        made(pictures, tmp_path)


def test_shards_keep_their_split(tmp_path):
    (tmp_path / "in").mkdir()
    for split, count in (("train", 30), ("validation", 4), ("test", 5)):
        images = np.random.default_rng(count).integers(0, 256, (count, 8, 8), np.uint8)
        with open(tmp_path / f"in/my-{split}.tfrecord-00000-of-00001", "wb") as file:
            for number, image in enumerate(images):
                record = example.serialise(image=png.encode(image), label=number % 2)
                file.write(tfrecord.frame(record))
    assert counts(made(tmp_path / "in", tmp_path)) == {"train": 30, "valid": 4, "test": 5}


def test_a_damaged_picture_of_a_labelled_test_set_is_left_out_and_told(pictures, tmp_path):
    (pictures / "test/cat/999.png").write_bytes(b"nothing")
    blank = io.BytesIO()
    Image.new("L", (12, 12), 255).save(blank, "png")
    (pictures / "test/cat/998.png").write_bytes(blank.getvalue())
    info = made(pictures, tmp_path)
    assert info.skipped == {"not a picture that can be read": 1}
    assert counts(info)["test"] == 11  # a blank one is none the less a drawing of the test set
