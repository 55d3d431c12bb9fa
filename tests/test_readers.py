"""Readers: what comes out of good records."""

import gzip
import io

import numpy as np
import pytest
from PIL import Image
from reading import everything, noise

from quickdraw import readers
from quickdraw.errors import QuickdrawError
from quickdraw.records import dataset_info
from quickdraw.records.shards import BadRecords


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(4, [4, 4, 2]), (5, [5, 5]), (10, [10]), (99, [10]), (1, [1] * 10)]
)
def test_batches_hold_every_record_in_order(shard, batch_size, sizes):
    reader = readers.QuickDrawFeatureReader()
    batches = list(reader.batches(str(shard), batch_size))
    assert [len(labels) for _, labels in batches] == sizes
    for images, labels in batches:
        assert images.shape == (len(labels), 8, 8, 1)
        assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    images, labels = everything(reader, shard, batch_size)
    assert np.array_equal(images[..., 0], noise(10))
    assert labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]


def test_files_are_read_in_their_order_one_after_the_other(tmp_path, write_records):
    for number in (2, 0, 1):
        write_records(tmp_path / f"train-{number}", noise(3), label=[number] * 3)
    _, labels = everything(readers.QuickDrawFeatureReader(), tmp_path / "train-*", 2)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_test_records_give_ids_of_any_length(tmp_path, write_records):
    ids = [b"a", "고양이".encode(), b"", b"b" * 100]
    path = write_records(tmp_path / "test-0", noise(4), image_id=ids)
    images, targets = everything(readers.QuickDrawTestFeatureReader(), path, 3)
    assert targets.tolist() == ids
    assert images.shape == (4, 8, 8, 1)


def test_ids_that_are_numbers_are_their_digits(tmp_path, write_records):
    path = write_records(tmp_path / "test-0", noise(3), image_id=[5829304141217792, 0, -7])
    _, ids = everything(readers.QuickDrawTestFeatureReader(), path)
    assert ids.tolist() == [b"5829304141217792", b"0", b"-7"]


def test_training_and_test_images_are_the_same(tmp_path, write_records):
    images = noise(4, 20)
    train = write_records(tmp_path / "train-0", images, label=[0] * 4)
    test = write_records(tmp_path / "test-0", images, image_id=[b"x"] * 4)
    ours, _ = everything(readers.QuickDrawFeatureReader(image_size=9), train)
    theirs, _ = everything(readers.QuickDrawTestFeatureReader(image_size=9), test)
    assert np.array_equal(ours, theirs)


def test_gzipped_shards_are_read(shard):
    packed = shard.with_name("packed")
    packed.write_bytes(gzip.compress(shard.read_bytes()))
    _, labels = everything(readers.QuickDrawFeatureReader(), packed)
    assert len(labels) == 10


def test_colour_images_keep_their_colours(tmp_path, write_records):
    path = write_records(tmp_path / "train-0", noise(5, channels=3), label=[0] * 5)
    images, _ = everything(readers.QuickDrawFeatureReader(), path, 2)
    assert np.array_equal(images, noise(5, channels=3))


def test_images_that_pillow_wrote_are_read(tmp_path, write_records):
    files = []
    for image in noise(6):
        files.append(io.BytesIO())
        Image.fromarray(image).save(files[-1], "PNG", optimize=True)
    path = write_records(tmp_path / "t", [file.getvalue() for file in files], label=[0] * 6)
    images, _ = everything(readers.QuickDrawFeatureReader(), path)
    assert np.array_equal(images[..., 0], noise(6))


def test_other_features_beside_the_image_do_no_harm(tmp_path, write_records):
    path = write_records(
        tmp_path / "t", noise(2), label=[0, 1], key_id=[1, 2], countrycode=[b"KR", b"US"]
    )
    assert len(everything(readers.QuickDrawFeatureReader(), path)[1]) == 2


@pytest.mark.parametrize("size", [5, 8, 28])
def test_images_are_resized(shard, size):
    images, _ = everything(readers.QuickDrawFeatureReader(image_size=size), shard)
    assert images.shape == (10, size, size, 1)
    assert images.dtype == np.uint8
    if size == 8:
        assert np.array_equal(images[..., 0], noise(10))


def test_resizing_keeps_the_grey_of_an_area(tmp_path, write_records):
    halves = np.zeros((1, 40, 40), np.uint8)
    halves[:, :20] = 200
    path = write_records(tmp_path / "t", halves, label=[0])
    images, _ = everything(readers.QuickDrawFeatureReader(image_size=10), path)
    # A filter may overshoot a little beside an edge.
    assert abs(images[0, :4].astype(int) - 200).max() < 8
    assert images[0, 6:].max() < 8


def test_ones_own_preprocess_is_used(shard):
    class Inverted(readers.QuickDrawFeatureReader):
        def preprocess(self, images):
            return 255 - super().preprocess(images)

    images, _ = everything(Inverted(), shard)
    assert np.array_equal(255 - images[..., 0], noise(10))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda images: images / 255, r"uint8 images of shape \(10, 8, 8, 1\)\. Received: float64"),
        (lambda images: images[:, :4], r"Received: uint8 of shape \(10, 4, 8, 1\)"),
        (lambda images: None, "Received: object of shape"),
        (lambda images: images[99], " failed: IndexError: "),
    ],
)
def test_what_ones_own_preprocess_does_wrong_is_told_with_its_place(shard, change, told):
    class Own(readers.QuickDrawFeatureReader):
        def preprocess(self, images):
            return change(images)

    with pytest.raises(QuickdrawError, match=rf"Own\.preprocess.*{told}.*\(.*line \d+\)$"):
        next(Own().batches(str(shard), 10))


def test_ones_own_preprocess_may_return_a_view(shard):
    class Turned(readers.QuickDrawFeatureReader):
        def preprocess(self, images):
            return images.transpose(0, 2, 1, 3)

    images, _ = next(Turned().batches(str(shard), 10))
    plain, _ = next(readers.QuickDrawFeatureReader().batches(str(shard), 10))
    np.testing.assert_array_equal(images, plain.transpose(0, 2, 1, 3))


@pytest.mark.parametrize(
    "kind", [readers.QuickDrawFeatureReader, readers.QuickDrawTestFeatureReader]
)
def test_a_dataset_gives_the_same_batches(tmp_path, write_records, kind):
    path = write_records(
        tmp_path / "t", noise(10), label=range(10), image_id=[b"%d" % n for n in range(10)]
    )
    dataset = kind(image_size=6).dataset(path, batch_size=4)
    assert dataset.element_spec[0].shape.as_list() == [None, 6, 6, 1]
    expected = list(kind(image_size=6).batches(path, 4))
    for _ in range(2):  # it can be read again
        given = list(dataset.as_numpy_iterator())
        assert len(given) == len(expected)
        for (images, targets), (right_images, right_targets) in zip(given, expected, strict=True):
            assert np.array_equal(images, right_images)
            assert targets.tolist() == right_targets.tolist()


# What the records are


def test_dataset_json_says_what_the_records_are(tiny_data):
    info = readers.QuickDrawFeatureReader().open(tiny_data.train).info
    assert (info.labels, info.image_size) == (tiny_data.labels, 12)


def test_without_it_the_first_record_says(shard):
    info = readers.QuickDrawFeatureReader().open(str(shard)).info
    assert (info.labels, info.image_size, info.channels) == ([], 8, 1)
    reader = readers.QuickDrawFeatureReader(num_classes=3)
    assert reader.classes(reader.open(str(shard))) == 3


def test_the_first_good_record_says_where_bad_ones_are_skipped(tmp_path, write_records):
    path = write_records(tmp_path / "t", [b"no PNG", *noise(2)], label=[0, 1, 2])
    reader = readers.QuickDrawFeatureReader(on_bad_record="skip")
    assert reader.open(path).info.image_size == 8
    bad = BadRecords("skip")
    assert everything(reader, path, bad=bad)[1].tolist() == [1, 2]
    assert bad.count == 1


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        '{"labels": []}',
        '{"labels": "cat"}',
        '{"labels": [1]}',
        '{"labels": ["a"], "image_size": 0}',
        '{"labels": ["a"], "image_size": "28"}',
        '{"labels": ["a"], "channels": 4}',
        "{",
    ],
)
def test_a_dataset_json_that_is_none_is_refused(shard, content):
    shard.with_name("dataset.json").write_text(content)
    with pytest.raises(QuickdrawError, match=r"dataset\.json: "):
        readers.QuickDrawFeatureReader().open(str(shard))


def test_a_dataset_json_may_say_more(shard):
    shard.with_name("dataset.json").write_text('{"labels": ["a"], "image_size": 8, "more": 1}')
    assert dataset_info.load(str(shard.parent)).labels == ["a"]


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (noise(1, 8, 6)[0], "square images expected. Received: 8x6"),
        (noise(1, 1025)[0], "at most 1024 pixels a side expected. Received: 1025x1025"),
        (b"no PNG", r"record 0: not a PNG image"),
    ],
)
def test_images_of_an_impossible_shape_are_refused(tmp_path, write_records, image, told):
    path = write_records(tmp_path / "t", [image], label=[0])
    with pytest.raises(QuickdrawError, match=told) as caught:
        readers.QuickDrawFeatureReader().open(path)
    assert path in str(caught.value)


def test_real_drawings_survive_their_records(shared_data, tmp_path, write_records):
    bitmaps = np.load(shared_data / "quickdraw/numpy_bitmap/cat.npy")[:300].reshape(-1, 28, 28)
    path = write_records(tmp_path / "t", bitmaps, label=[0] * len(bitmaps))
    images, _ = everything(readers.QuickDrawFeatureReader(), path, 128)
    assert np.array_equal(images[..., 0], bitmaps)
