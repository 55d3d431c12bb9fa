"""Readers: what is said about bad records, and that the others are read."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from reading import everything, noise

from quickdraw import readers
from quickdraw.errors import BadRecordError, QuickdrawError
from quickdraw.records import dataset_info, example, png, tfrecord
from quickdraw.records.shards import BadRecords


def damage(shard: Path, *numbers: int) -> None:
    """Changes a byte in the data of some records, so that their checksums do not match."""
    data = bytearray(shard.read_bytes())
    with open(shard, "rb") as file:
        sizes = [len(record) + 16 for record in tfrecord.read(file, str(shard))]
    for number in numbers:
        data[sum(sizes[:number]) + 20] ^= 1
    shard.write_bytes(bytes(data))


def made(**features) -> bytes:
    return example.serialise(**features)


GOOD = png.encode(noise(1)[0])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (made(image=GOOD), "no feature 'label'. The record has: image"),
        (made(label=0), "no feature 'image'. The record has: label"),
        (made(image=GOOD, image_id=b"x"), "looks like test data: training and evaluation need"),
        (
            made(image=GOOD, label=b"cat"),
            "'label' must be one int64. Received: one bytes, b'cat'. .*prepare reads other",
        ),
        (
            made(image=GOOD, label=[1, 2]),
            "'label' must be one int64. Received: 2 values of int64, .1, 2",
        ),
        (made(image=1, label=1), "'image' must be one bytes value. Received: one int64, 1"),
        (made(image=[0.5, 1.0], label=1), "Received: 2 values of float, .0.5, 1.0.. .*prepare"),
        (made(image=[], label=1), "'image' must be one bytes value. Received: no value"),
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
        file.write(tfrecord.frame(data))
        file.write(tfrecord.frame(made(image=GOOD, label=1)))
    strict = readers.QuickDrawFeatureReader(num_classes=3)
    with pytest.raises(BadRecordError, match=told) as caught:
        everything(strict, shard)
    assert str(caught.value).startswith(f"{shard}, record 10: ")
    assert (caught.value.path, caught.value.number) == (str(shard), 10)

    bad = BadRecords("skip")
    patient = readers.QuickDrawFeatureReader(num_classes=3, on_bad_record="skip")
    _, labels = everything(patient, shard, bad=bad)
    assert labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]
    assert bad.count == 1
    assert [str(error) for error in bad.first] == [str(caught.value)]


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
        (made(image=GOOD, image_id=[7, 8]), "one int64. Received: 2 values of int64, .7, 8"),
        (made(image=GOOD, image_id=[7.0]), "one bytes value, or one int64. Received: one float, 7"),
        (made(image=GOOD, image_id=b"\xff"), "'image_id' must be UTF-8 text"),
    ],
)
def test_a_bad_test_record_is_told(tmp_path, data, told):
    path = tmp_path / "test-0"
    path.write_bytes(tfrecord.frame(data))
    with pytest.raises(BadRecordError, match=told):
        everything(readers.QuickDrawTestFeatureReader(), path)


def test_damaged_records_are_skipped_and_counted(shard):
    damage(shard, 3, 7)
    with pytest.raises(BadRecordError, match="record 3: corrupted data"):
        everything(readers.QuickDrawFeatureReader(), shard)
    bad = BadRecords("skip")
    patient = readers.QuickDrawFeatureReader(on_bad_record="skip")
    images, _ = everything(patient, shard, bad=bad)
    assert np.array_equal(images[..., 0], np.delete(noise(10), (3, 7), axis=0))
    assert [error.number for error in bad.first] == [3, 7]


def test_after_a_shard_that_breaks_off_the_next_is_read(shard, write_records):
    write_records(shard.with_name("train-1.tfrecord"), noise(2), label=[1, 1])
    shard.write_bytes(shard.read_bytes()[:-5])
    bad = BadRecords("skip")
    patient = readers.QuickDrawFeatureReader(on_bad_record="skip")
    assert len(everything(patient, shard.with_name("train-*"), bad=bad)[1]) == 11
    assert bad.count == 1
    assert bad.first[0].number == 9


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0)])
def test_an_empty_file_among_others_is_told(shard, capsys, content):
    empty = shard.with_name("train-1.tfrecord")
    empty.write_bytes(content)
    for on_bad_record, told in (
        ("error", f"there is no record in {empty}\n"),
        ("skip", f"1 bad records were skipped, the first of them:\n  {empty}, record 0: the file"),
    ):
        reader, bad = readers.QuickDrawFeatureReader(), BadRecords(on_bad_record)
        assert len(everything(reader, shard.with_name("train-*"), bad=bad)[1]) == 10
        bad.report()
        assert f"warning: {told}" in capsys.readouterr().err


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
            file.write(tfrecord.frame(b"\xff"))
    bad = BadRecords("skip")
    everything(readers.QuickDrawFeatureReader(on_bad_record="skip"), shard, bad=bad)
    bad.report()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("warning: 7 bad records were skipped")
    assert lines[1].startswith(f"  {shard}, record 10: ")
    assert len(lines) < 8


def test_nothing_is_reported_when_all_is_well(shard, capsys):
    bad = BadRecords("skip")
    everything(readers.QuickDrawFeatureReader(on_bad_record="skip"), shard, bad=bad)
    bad.report()
    assert capsys.readouterr().err == ""


def test_a_pattern_without_files_is_told(tmp_path):
    with pytest.raises(QuickdrawError, match="no file matches"):
        everything(readers.QuickDrawFeatureReader(), tmp_path / "train-*")
