"""TFRecords and tf.train.Example: the same as TensorFlow's, and damage is named by its record."""

import gzip
import io
import struct
import zlib

import google_crc32c
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.errors import BadRecordError
from quickdraw.records import example, tfrecord

PACKERS = {"": bytes, "GZIP": gzip.compress, "ZLIB": zlib.compress}
CONTENTS = [b"first", b"", b"the third one", b"\0" * 9, b"last"]


def shard(contents=CONTENTS) -> bytes:
    return b"".join(map(tfrecord.frame, contents))


def read(data: bytes) -> list[bytes | BadRecordError]:
    return list(tfrecord.read(io.BytesIO(data), "a-shard"))


def good(rows: list[bytes | BadRecordError]) -> list[bytes]:
    return [row for row in rows if isinstance(row, bytes)]


def errors(rows: list[bytes | BadRecordError]) -> list[BadRecordError]:
    return [row for row in rows if isinstance(row, BadRecordError)]


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_what_is_framed_is_read(contents):
    assert read(shard(contents)) == contents
    assert read(gzip.compress(shard(contents))) == contents
    assert read(zlib.compress(shard(contents))) == contents


@pytest.mark.parametrize("compression", ["", "GZIP", "ZLIB"])
def test_shards_are_those_of_tensorflow(tmp_path, compression):
    path = str(tmp_path / "shard")
    with tf.io.TFRecordWriter(path, compression) as writer:
        for content in CONTENTS:
            writer.write(content)
    with open(path, "rb") as file:
        assert list(tfrecord.read(file, path)) == CONTENTS
    with open(path, "rb") as file:
        written = file.read()
    if not compression:
        assert written == shard()
    with open(path, "wb") as file:
        file.write(PACKERS[compression](shard()))
    dataset = tf.data.TFRecordDataset(path, compression_type=compression)
    assert list(dataset.as_numpy_iterator()) == CONTENTS


FEATURES = {
    "image": b"\x89PNG\0\xff",
    "label": -7,
    "key_id": 2**62,
    "shape": [3, 4],
    "ink": [0.5, -1.0, 0.0],
    "none": [],
}


def tensorflow_example() -> tf.train.Example:
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[FEATURES["image"]])),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[-7])),
                "key_id": tf.train.Feature(int64_list=tf.train.Int64List(value=[2**62])),
                "shape": tf.train.Feature(int64_list=tf.train.Int64List(value=[3, 4])),
                "ink": tf.train.Feature(float_list=tf.train.FloatList(value=FEATURES["ink"])),
                "none": tf.train.Feature(int64_list=tf.train.Int64List(value=[])),
            }
        )
    )


def test_tensorflow_parses_what_is_serialised():
    parsed = tf.train.Example.FromString(example.serialise(**FEATURES))
    expected = tensorflow_example()
    del expected.features.feature["none"], parsed.features.feature["none"]
    assert parsed == expected


def test_the_bytes_are_those_of_tensorflow():
    expected = tensorflow_example()
    del expected.features.feature["none"]
    features = {name: value for name, value in FEATURES.items() if name != "none"}
    assert example.serialise(**features) == expected.SerializeToString(deterministic=True)


def test_what_tensorflow_serialises_is_parsed():
    features = example.Example.FromString(tensorflow_example().SerializeToString()).features.feature
    assert set(features) == set(FEATURES)
    assert list(features["image"].bytes_list.value) == [FEATURES["image"]]
    assert list(features["label"].int64_list.value) == [-7]
    assert list(features["key_id"].int64_list.value) == [2**62]
    assert list(features["shape"].int64_list.value) == [3, 4]
    assert list(features["ink"].float_list.value) == FEATURES["ink"]


def test_the_same_features_give_the_same_bytes_in_any_order():
    backwards = dict(reversed(FEATURES.items()))
    assert example.serialise(**FEATURES) == example.serialise(**backwards)


def test_a_shard_cut_off_anywhere_gives_its_whole_records_and_one_error():
    whole = shard()
    ends = np.cumsum([0, *(len(tfrecord.frame(content)) for content in CONTENTS)])
    for length in range(len(whole)):
        rows = read(whole[:length])
        complete = int((ends[1:] <= length).sum())
        assert good(rows) == CONTENTS[:complete]
        if length in ends:
            assert not errors(rows)
        else:
            (error,) = errors(rows)
            assert (error.path, error.number) == ("a-shard", complete)
            assert "truncated" in str(error)


def test_every_changed_byte_is_noticed_and_named():
    for number, content in enumerate(CONTENTS):
        before, after = shard(CONTENTS[:number]), shard(CONTENTS[number + 1 :])
        record = tfrecord.frame(content)
        for position in range(len(record)):
            damaged = bytearray(record)
            damaged[position] ^= 0x10
            rows = read(before + bytes(damaged) + after)
            (error,) = errors(rows)
            assert error.number == number
            assert str(error).startswith(f"a-shard, record {number}: ")
            # Where the length is still right, the records behind this one can be read.
            lost = CONTENTS[number:] if position < 12 else [content]
            assert good(rows) == [one for one in CONTENTS if one not in lost]


def test_a_file_that_is_no_shard_is_refused_without_reading_what_its_length_claims():
    (error,) = read(b"image_id,label\n" + b"a,1\n" * 100)
    assert error.number == 0
    assert "not a TFRecord file" in str(error)


def test_a_record_that_claims_a_terabyte_is_refused_without_asking_for_memory(tmp_path):
    length = struct.pack("<Q", 1 << 40)
    crc = google_crc32c.value(length)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    path = tmp_path / "shard"
    path.write_bytes(tfrecord.frame(b"first") + length + struct.pack("<I", masked) + b"the rest")
    with open(path, "rb") as file:
        first, error = tfrecord.read(file, str(path))
    assert first == b"first"
    assert isinstance(error, BadRecordError)
    assert error.number == 1


def test_an_empty_shard_has_no_records():
    assert read(b"") == []
    assert read(gzip.compress(b"")) == read(zlib.compress(b"")) == []


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_cut_off_packed_file_ends_in_an_error(pack):
    packed = pack(shard(), 0)
    for length in range(1, len(packed)):
        rows = read(packed[:length])
        assert good(rows) == CONTENTS[: len(good(rows))]
        assert len(errors(rows)) == 1


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@pytest.mark.parametrize("level", [0, 9])
def test_a_damaged_packed_file_ends_in_an_error(pack, level):
    contents = [bytes([number]) * 60 + b"%d" % number for number in range(20)]
    packed = pack(shard(contents), level)
    for position in range(10, len(packed)):
        damaged = bytearray(packed)
        damaged[position] ^= 0x55
        rows = read(bytes(damaged))
        assert len(errors(rows)) >= 1
        assert set(good(rows)) <= set(contents)


@given(st.binary(max_size=100))
def test_any_bytes_give_records_or_errors(data):
    for row in read(data) + read(b"\x1f\x8b\x08" + data) + read(b"x\x9c" + data):
        assert isinstance(row, bytes | BadRecordError)
