"""Readers: what comes out of good records, and what is said about bad ones."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quickdraw import dataset_info, png, readers, records
from quickdraw.errors import BadRecordError, QuickdrawError


def noise(count: int, height: int = 8, width: int | None = None, channels: int = 1) -> np.ndarray:
    shape = (count, height, width or height) + ((channels,) if channels > 1 else ())
    return np.random.default_rng(count).integers(0, 256, shape, np.uint8)


def everything(reader: readers.BaseReader, pattern: str, batch_size: int = 4) -> tuple:
    """All images and targets, one after the other."""
    images, targets = zip(*reader.batches(str(pattern), batch_size), strict=True)
    return np.concatenate(images), np.concatenate(targets)


@pytest.fixture
def shard(tmp_path, write_records) -> Path:
    """Ten 8 x 8 images with the labels 0, 1, 2, 0, …; no dataset.json beside them."""
    path = tmp_path / "train-0.tfrecord"
    write_records(path, noise(10), label=np.arange(10) % 3)
    return path


def damage(shard: Path, *numbers: int) -> None:
    """Changes a byte in the data of some records, so that their checksums do not match."""
    data = bytearray(shard.read_bytes())
    with open(shard, "rb") as file:
        sizes = [len(record) + 16 for record in records.read(file, str(shard))]
    for number in numbers:
        data[sum(sizes[:number]) + 20] ^= 1
    shard.write_bytes(bytes(data))


# Good records


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
    info = readers.QuickDrawFeatureReader().describe(tiny_data.train)
    assert (info.labels, info.image_size) == (tiny_data.labels, 12)


def test_without_it_the_first_record_says(shard):
    info = readers.QuickDrawFeatureReader().describe(str(shard))
    assert (info.labels, info.image_size, info.channels) == ([], 8, 1)
    info = readers.QuickDrawFeatureReader(num_classes=3).describe(str(shard))
    assert info.labels == ["0", "1", "2"]


def test_the_first_good_record_says_where_bad_ones_are_skipped(tmp_path, write_records):
    path = write_records(tmp_path / "t", [b"no PNG", *noise(2)], label=[0, 1, 2])
    reader = readers.QuickDrawFeatureReader(on_bad_record="skip")
    assert reader.describe(path).image_size == 8
    assert everything(reader, path)[1].tolist() == [1, 2]
    assert reader.bad_records == 1


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
        readers.QuickDrawFeatureReader().describe(str(shard))


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
        readers.QuickDrawFeatureReader().describe(path)
    assert path in str(caught.value)


# Bad records


def made(**features) -> bytes:
    return records.serialise(**features)


GOOD = png.encode(noise(1)[0])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (made(image=GOOD), "no feature 'label'. The record has: image"),
        (made(label=0), "no feature 'image'. The record has: label"),
        (made(image=GOOD, image_id=b"x"), "looks like test data: training and evaluation need"),
        (made(image=GOOD, label=b"cat"), "'label' must be one int64. Received: 0 of them"),
        (made(image=GOOD, label=[1, 2]), "'label' must be one int64. Received: 2 of them"),
        (made(image=1, label=1), "'image' must be one bytes value. Received: 0 of them"),
        (made(image=GOOD, label=3), "the label must be 0…2. Received: 3"),
        (made(image=GOOD, label=-1), "the label must be 0…2. Received: -1"),
        (made(image=b"JFIF", label=1), "not a PNG image"),
        (made(image=GOOD[:60], label=1), "damaged PNG"),
        (made(image=png.encode(noise(1, 9)[0]), label=1), "8x8 greyscale. Received: 9x9 greyscale"),
        (made(image=png.encode(noise(1, 8, 8, 3)[0]), label=1), "Received: 8x8 RGB"),
        (b"\xff\xff", "not a tf.train.Example"),
        (b"", "no feature 'image'. The record has: none"),
    ],
)
def test_a_bad_record_is_told_with_its_file_and_number_or_skipped(shard, data, told):
    with open(shard, "ab") as file:
        file.write(records.frame(data))
        file.write(records.frame(made(image=GOOD, label=1)))
    strict = readers.QuickDrawFeatureReader(num_classes=3)
    with pytest.raises(BadRecordError, match=told) as caught:
        everything(strict, shard)
    assert str(caught.value).startswith(f"{shard}, record 10: ")
    assert (caught.value.path, caught.value.number) == (str(shard), 10)

    patient = readers.QuickDrawFeatureReader(num_classes=3, on_bad_record="skip")
    _, labels = everything(patient, shard)
    assert labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]
    assert patient.bad_records == 1
    assert [str(error) for error in patient.first_bad_records] == [str(caught.value)]


def test_labels_are_checked_against_dataset_json(shard):
    dataset_info.DatasetInfo(["a", "b"], 8).save(str(shard.parent))
    with pytest.raises(BadRecordError, match=r"record 2: the label must be 0…1\. Received: 2"):
        everything(readers.QuickDrawFeatureReader(), shard)


def test_without_a_known_number_of_classes_any_label_from_0_on_will_do(tmp_path, write_records):
    path = write_records(tmp_path / "t", noise(2), label=[0, 344])
    assert everything(readers.QuickDrawFeatureReader(), path)[1].tolist() == [0, 344]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (made(image=GOOD, label=1), "looks like training data: inference reads test records"),
        (made(image=GOOD), "no feature 'image_id'. The record has: image"),
        (made(image=GOOD, image_id=7), "'image_id' must be one bytes value"),
        (made(image=GOOD, image_id=b"\xff"), "'image_id' must be UTF-8 text"),
    ],
)
def test_a_bad_test_record_is_told(tmp_path, data, told):
    path = tmp_path / "test-0"
    path.write_bytes(records.frame(data))
    with pytest.raises(BadRecordError, match=told):
        everything(readers.QuickDrawTestFeatureReader(), path)


def test_damaged_records_are_skipped_and_counted(shard):
    damage(shard, 3, 7)
    with pytest.raises(BadRecordError, match="record 3: corrupted data"):
        everything(readers.QuickDrawFeatureReader(), shard)
    patient = readers.QuickDrawFeatureReader(on_bad_record="skip")
    images, _ = everything(patient, shard)
    assert np.array_equal(images[..., 0], np.delete(noise(10), (3, 7), axis=0))
    assert [error.number for error in patient.first_bad_records] == [3, 7]


def test_after_a_shard_that_breaks_off_the_next_is_read(shard, write_records):
    write_records(shard.with_name("train-1.tfrecord"), noise(2), label=[1, 1])
    shard.write_bytes(shard.read_bytes()[:-5])
    patient = readers.QuickDrawFeatureReader(on_bad_record="skip")
    assert len(everything(patient, shard.with_name("train-*"))[1]) == 11
    assert patient.bad_records == 1
    assert patient.first_bad_records[0].number == 9


def test_an_empty_file_is_a_bad_record(shard):
    empty = shard.with_name("train-1.tfrecord")
    empty.write_bytes(b"")
    with pytest.raises(BadRecordError, match=r"train-1\.tfrecord, record 0: the file is empty"):
        everything(readers.QuickDrawFeatureReader(), shard.with_name("train-*"))
    patient = readers.QuickDrawFeatureReader(on_bad_record="skip")
    assert len(everything(patient, shard.with_name("train-*"))[1]) == 10


@pytest.mark.parametrize("with_description", [True, False])
def test_no_usable_record_at_all_is_an_error(tmp_path, with_description):
    (tmp_path / "train-0").write_bytes(b"")
    if with_description:
        dataset_info.DatasetInfo(["a"], 8).save(str(tmp_path))
    with pytest.raises(QuickdrawError, match="no usable record in "):
        everything(readers.QuickDrawFeatureReader(on_bad_record="skip"), tmp_path / "train-*")


def test_skipped_records_are_reported_with_the_first_of_them(shard, capsys):
    with open(shard, "ab") as file:
        for _ in range(7):
            file.write(records.frame(b"\xff"))
    reader = readers.QuickDrawFeatureReader(on_bad_record="skip")
    everything(reader, shard)
    reader.report_bad_records()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("warning: 7 bad records were skipped")
    assert lines[1].startswith(f"  {shard}, record 10: ")
    assert len(lines) < 8


def test_nothing_is_reported_when_all_is_well(shard, capsys):
    reader = readers.QuickDrawFeatureReader(on_bad_record="skip")
    everything(reader, shard)
    reader.report_bad_records()
    assert capsys.readouterr().err == ""


def test_a_pattern_without_files_is_told(tmp_path):
    with pytest.raises(QuickdrawError, match="no file matches"):
        everything(readers.QuickDrawFeatureReader(), tmp_path / "train-*")


def test_real_drawings_survive_their_records(shared_data, tmp_path, write_records):
    bitmaps = np.load(shared_data / "quickdraw/numpy_bitmap/cat.npy")[:300].reshape(-1, 28, 28)
    path = write_records(tmp_path / "t", bitmaps, label=[0] * len(bitmaps))
    images, _ = everything(readers.QuickDrawFeatureReader(), path, 128)
    assert np.array_equal(images[..., 0], bitmaps)
