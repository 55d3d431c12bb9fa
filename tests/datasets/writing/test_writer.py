"""The writer: what is in the records, their order, their counts, their bytes."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from quickdraw.datasets import splits
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.sources import Images, Source, open_source
from quickdraw.datasets.writing import writer
from quickdraw.records import dataset_info, tfrecord
from quickdraw.records.example import Example


def drawings(count, seed=0, size=28):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size), np.uint8)


def categories(count=60):
    return [Images(name, drawings(count, seed)) for seed, name in enumerate(["cat", "dog"])]


def write(folder, given=None, processes=None, **settings):
    source = Source("arrays", given or categories())
    recipe = Recipe(**settings)
    return writer.write(source, str(folder), recipe, description="a test", processes=processes)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def examples(folder, info, split):
    for name in info.splits[split]["shards"]:
        with open(Path(folder) / name, "rb") as file:
            for data in tfrecord.read(file, name):
                assert isinstance(data, bytes)
                yield Example.FromString(data).features.feature


def pixels(example):
    return np.asarray(Image.open(io.BytesIO(example["image"].bytes_list.value[0])))


def test_every_drawing_is_written_once_with_its_label(tmp_path):
    info = write(tmp_path)
    expected = {image.tobytes(): label for label in range(2) for image in drawings(60, label)}
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
    write(folders[0], [Images("cat", images)])
    write(folders[1], [Images("cat", images[list(order)])])
    assert contents(folders[0]) == contents(folders[1])


def test_more_drawings_move_none_to_another_split(tmp_path):
    few = write(tmp_path / "few", [Images("cat", drawings(60)[:30])])
    many = write(tmp_path / "many", [Images("cat", drawings(60))])
    for split in splits.SPLITS:
        of_many = [pixels(e).tobytes() for e in examples(tmp_path / "many", many, split)]
        of_few = [pixels(e).tobytes() for e in examples(tmp_path / "few", few, split)]
        assert of_few == [image for image in of_many if image in of_few]


def test_duplicates_are_skipped_and_counted(tmp_path, capsys):
    images = drawings(50)
    twice = np.concatenate([images, images[:7]])
    info = write(tmp_path / "twice", [Images("cat", twice), Images("dog", images[:5])])
    assert info.skipped == {"duplicate": 7, "duplicate of a drawing of another class": 5}
    told = capsys.readouterr().err
    assert re.search(r"two classes, such as cat.* \(cat\) and dog.* \(dog\): .* and 5 such", told)
    assert sum(content["per_class"]["cat"] for content in info.splits.values()) == 50
    once = write(tmp_path / "once", [Images("cat", images)])
    assert once.skipped == {}
    assert "two classes" not in capsys.readouterr().err
    assert once.fingerprint == info.fingerprint


def test_processes_make_the_same_bytes(tmp_path):
    for seed, name in enumerate(("cat", "dog")):
        np.save(tmp_path / f"{name}.npy", drawings(1000, seed))
    for processes in (1, 2):
        given = open_source(str(tmp_path), "")
        write(tmp_path / str(processes), given.files, processes=processes)
    one, two = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert one == two
    assert sum(name.startswith("train-") for name in one) == 4


def test_shards_hold_about_as_much_as_they_should(tmp_path):
    info = write(tmp_path, shard_megabytes=0.02)
    sizes = [(tmp_path / name).stat().st_size for name in info.splits["train"]["shards"]]
    assert len(sizes) > 1
    assert 12_000 < max(sizes) < 30_000
    assert [len(content["shards"]) for content in info.splits.values()][1:] == [1, 1]


def test_no_shard_is_empty(tmp_path):
    large = write(tmp_path / "large")
    small = write(tmp_path / "small", shard_megabytes=0.001)
    for split, content in small.splits.items():
        sizes = [(tmp_path / "small" / name).stat().st_size for name in content["shards"]]
        assert len(sizes) > 3 and all(sizes)
        assert content["shards"][-1].startswith(f"{split}-{len(sizes) - 1:05}-of-{len(sizes):05}")
        one, other = (
            [pixels(e).tobytes() for e in examples(tmp_path / name, info, split)]
            for name, info in (("large", large), ("small", small))
        )
        assert one == other


def test_a_split_may_be_empty(tmp_path):
    info = write(tmp_path, percentages=(90, 10, 0))
    assert info.splits["test"] == {"records": 0, "per_class": {"cat": 0, "dog": 0}, "shards": []}
    assert not (tmp_path / "solution.csv").exists()


@pytest.mark.parametrize("size", [14, 28, 56])
def test_images_are_resized(tmp_path, size):
    disc = np.clip(9 - np.hypot(*(np.indices((28, 28)) - 13.5)), 0, 1) * 255
    info = write(tmp_path, [Images("disc", disc[None].astype(np.uint8))], image_size=size)
    (example,) = (e for split in splits.SPLITS for e in examples(tmp_path, info, split))
    image = pixels(example)
    assert image.shape == (size, size)
    assert info.image_size == size
    assert abs(image.mean() - disc.mean()) < 1
    centre = image[size // 2 - 1 : size // 2 + 1, size // 2 - 1 : size // 2 + 1]
    assert centre.min() > 250 and image[0].max() < 5
