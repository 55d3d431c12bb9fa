"""Existing TFRecords: the camp's, the tutorial's, and others."""

import contextlib
import gzip
import io
import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picturing import doodle, saved, turned
from PIL import Image
from reading import drawings_of, shard

from quickdraw.datasets.sources import open_source
from quickdraw.datasets.sources.bare_pixels import grey_of
from quickdraw.datasets.sources.tfrecords import strokes_of
from quickdraw.drawings import greyscale
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.errors import QuickdrawError
from quickdraw.records import png
from quickdraw.records.example import serialise
from quickdraw.records.ink import ink_of

IMAGE = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
STROKES = [[[0, 255, 255], [0, 0, 255]], [[100, 50], [60, 80]]]


def tensor(image, kind=4):
    """As `tf.io.serialize_tensor` makes it."""

    def number(value):
        return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])

    sizes = [b"\x08" + number(each) for each in image.shape]
    lengths = b"".join(bytes([0x12, len(each)]) + each for each in sizes)
    size = number(image.size)
    shape = bytes([0x12, len(lengths)]) + lengths
    return bytes([8, kind]) + shape + b"\x22" + size + image.tobytes()


def test_the_records_of_the_camp(tmp_path):
    image = png.encode(IMAGE)
    shard(tmp_path / "train.tfrecords", serialise(image=image, label=3))
    shard(tmp_path / "test.tfrecords", serialise(image=image, image_id=b"17"))
    test, train = drawings_of(tmp_path)
    assert (train.word, test.word, test.key_id) == ("3", None, "17")
    np.testing.assert_array_equal(train.image, IMAGE)


def test_names_of_labels_come_from_dataset_json(tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": ["cat", "dog"]}))
    image = png.encode(IMAGE)
    examples = [serialise(image=image, label=label) for label in (1, 0, 2, -1)]
    shard(tmp_path / "train.tfrecords", *examples)
    dog, cat, *bad = drawings_of(tmp_path)
    assert (cat.word, dog.word) == ("cat", "dog")
    assert bad == ["a label that is no class"] * 2


def folders(tmp_path, **classes):
    """Folders with one record of each class, its brightness telling which; and all their files."""
    every = sorted({name.replace("_", " ") for names in classes.values() for name in names or ()})
    for folder, names in classes.items():
        (tmp_path / folder).mkdir()
        shades = [every.index(name.replace("_", " ")) for name in names or ("cat", "dog")]
        images = [png.encode(np.full((8, 8), 10 * shade, np.uint8)) for shade in shades]
        records = [serialise(image=image, label=label) for label, image in enumerate(images)]
        shard(tmp_path / folder / "train.tfrecords", *records)
        if names:
            (tmp_path / folder / "dataset.json").write_text(json.dumps({"labels": names}))
    return every, f"{tmp_path}/*/*.tfrecords"


@pytest.mark.parametrize(
    ("other", "order", "told"),
    [
        (["cat", "hot dog"], ["cat", "hot dog"], ""),
        (["cat", "hot_dog"], ["cat", "hot dog"], ""),
        (["hot_dog", "cat"], ["cat", "hot dog"], "in another order than"),
        (["hot dog", "sun"], None, "numbered anew"),
        (["cat"], None, "numbered anew"),
    ],
)
def test_sets_in_several_folders_keep_the_names_of_their_classes(
    tmp_path, capfd, other, order, told
):
    every, pattern = folders(tmp_path, a=["cat", "hot dog"], b=other)
    assert open_source(pattern, "").labels == order
    for drawing in drawings_of(pattern):
        assert drawing.word == every[drawing.image[0, 0] // 10]
    assert told in (warnings := capfd.readouterr().err)
    assert ("warning" in warnings) == bool(told)


def test_numbers_without_names_beside_names_are_refused(tmp_path):
    _, pattern = folders(tmp_path, a=["cat", "dog"], b=None)
    with pytest.raises(QuickdrawError, match=r"b/train.tfrecords: labels are numbers.*cat, dog"):
        open_source(pattern, "")


def test_test_records_without_names_beside_names_will_do(tmp_path):
    _, pattern = folders(tmp_path, a=["cat", "dog"])
    (tmp_path / "b").mkdir()
    shard(tmp_path / "b/test.tfrecords", serialise(image=png.encode(IMAGE), image_id=b"x"))
    assert [drawing.word for drawing in drawings_of(pattern)] == ["cat", "dog", None]


def test_the_records_of_the_tutorial(tmp_path):
    ink = ink_of(STROKES)
    record = serialise(ink=ink.ravel().tolist(), shape=list(ink.shape), class_index=1)
    shard(tmp_path / "training.tfrecord-00000-of-00001", record)
    (drawing,) = drawings_of(tmp_path)
    assert (drawing.word, drawing.strokes) == ("1", STROKES)
    (tmp_path / "training.tfrecord.classes").write_text("cat\ndog\n")
    (drawing,) = drawings_of(tmp_path / "training.tfrecord-00000-of-00001")
    assert drawing.word == "dog"


def test_the_layout_of_the_tutorial():
    """Figures by hand: the box is 255 wide and high."""
    expected = [[1, 0, 0], [0, 1, 1], [-155 / 255, -195 / 255, 0], [-50 / 255, 20 / 255, 1]]
    np.testing.assert_allclose(ink_of(STROKES), expected, atol=1e-6)


coordinate = st.integers(0, 255)
stroke = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=8).map(
    lambda points: [list(axis) for axis in zip(*points, strict=True)]
)


@given(st.lists(stroke, min_size=1, max_size=4))
def test_ink_and_back(strokes):
    strokes[0] = [[0, 255, *strokes[0][0]], [0, 255, *strokes[0][1]]]
    back = strokes_of(ink_of(strokes).ravel().tolist())
    assert [len(s[0]) for s in back] == [len(s[0]) for s in strokes]
    np.testing.assert_allclose(np.hstack(back), np.hstack(strokes), atol=1)


def test_other_keys(tmp_path):
    file = io.BytesIO()
    Image.fromarray(np.zeros((50, 60, 3), np.uint8)).save(file, "JPEG")
    record = serialise(**{"image/encoded": file.getvalue(), "image/text": b"cat"})
    shard(tmp_path / "x.tfrecord", record)
    keys = {"image_key": "image/encoded", "label_key": "image/text"}
    (drawing,) = drawings_of(tmp_path, **keys)
    assert (drawing.word, drawing.image.shape) == ("cat", (60, 60))
    (drawing,) = drawings_of(tmp_path, polarity="dark_on_light", **keys)
    assert drawing.image[30, 30] == 255
    with pytest.raises(QuickdrawError, match="nor 'ink': --image_key .*image/encoded, image/text"):
        drawings_of(tmp_path)
    with pytest.raises(QuickdrawError, match=r"no feature 'label' or 'class_index': --label_key "):
        drawings_of(tmp_path, image_key="image/encoded")


@pytest.mark.parametrize("magic", [b"\x93", b"\0\0\x08", b"\x1f\x8b\x08", b"\x78\x9c"])
def test_a_length_that_looks_like_the_magic_number_of_another_format(tmp_path, magic):
    length = int.from_bytes(magic, "little")
    picture = png.encode(255 * np.eye(8, dtype=np.uint8))
    base = len(serialise(image=picture, label=3, note=b""))
    sizes = range(length - base, 0, -1)
    records = (serialise(image=picture, label=3, note=b" " * size) for size in sizes)
    record = next(record for record in records if len(record) == length)
    assert shard(tmp_path / "a", record).read_bytes().startswith(magic)
    for path in (tmp_path, tmp_path / "a"):
        (drawing,) = drawings_of(path, tmp_path)
        assert drawing.word == "3"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_packed_and_named_otherwise(tmp_path, pack):
    record = serialise(image=png.encode(IMAGE), label=3)
    shard(tmp_path / "a", record, pack=pack)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (drawing,) = drawings_of(tmp_path / "a", scratch)
    assert drawing.word == "3"


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (b"\xff\xff", "not a tf.train.Example"),
        (serialise(image=b"GIF89a", label=1), "not a picture that can be read"),
        (serialise(image=bytes(29 * 29), label=1), "bare pixels (841 bytes), PNG or JPEG expected"),
        (serialise(image=bytes(4 * 784), label=1), "bare pixels (3,136 bytes), PNG or JPEG"),
        (serialise(image=bytes(785), label=1), "not a picture that can be read"),
        (serialise(image=tensor(IMAGE, kind=1), label=1), "a serialised tensor that is not uint8"),
        (serialise(image=[1.5] * 784, label=1), "an image that is not one PNG or JPEG"),
        (serialise(image=3, label=1), "an image that is not one PNG or JPEG"),
        (serialise(ink=[0.5, 0.5], label=1), "ink that is not three finite numbers"),
        (serialise(ink=[float("nan")] * 6, label=1), "ink that is not three finite"),
        (serialise(label=1), "no feature 'image', nor 'ink'"),
    ],
)
def test_bad_records_are_skipped(tmp_path, example, reason):
    good = serialise(image=png.encode(IMAGE), label=3)
    shard(tmp_path / "x.tfrecords", good, example, good)
    first, second, third = drawings_of(tmp_path)
    assert (first.word, third.word) == ("3", "3")
    assert second.startswith(reason)


def test_damaged_and_truncated_shards(tmp_path):
    good = serialise(image=png.encode(IMAGE), label=3)
    path = shard(tmp_path / "x.tfrecords", good, good, good)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data[:-5])
    first, second, third = drawings_of(tmp_path)
    assert (first, second.word, third) == ("a damaged record", "3", "a damaged record")


@pytest.mark.parametrize(
    "features",
    [
        {"image": IMAGE.tobytes()},
        {"image": IMAGE.ravel().tolist()},
        {"image": (IMAGE.ravel() / 255).tolist()},
        {"image": IMAGE.ravel().astype(float).tolist()},
        {"image": IMAGE.tobytes(), "image/height": 28, "image/width": 28, "image/depth": 1},
        {"image": tensor(IMAGE)},
        {"image": tensor(IMAGE[None, :, :, None])},
        {"image": tensor(IMAGE.reshape(-1))},
    ],
    ids=["bytes", "numbers", "parts", "floats", "told", "tensor", "batch of one", "flat tensor"],
)
def test_bare_pixels(tmp_path, features):
    shard(tmp_path / "x.tfrecords", serialise(label=1, **features))
    (drawing,) = drawings_of(tmp_path)
    np.testing.assert_array_equal(drawing.image, IMAGE)


def test_bare_pixels_of_a_told_size(tmp_path):
    grey = IMAGE[:20, :10]
    colour = np.stack([grey] * 3, axis=2)
    sizes = {"height": 20, "width": 10}
    records = [
        serialise(image=grey.tobytes(), label=1, **sizes),
        serialise(image=colour.tobytes(), label=1, depth=3, **sizes),
        serialise(image=grey.tobytes(), label=1, height=10, width=10),
    ]
    shard(tmp_path / "x.tfrecords", *records)
    first, second, third = drawings_of(tmp_path)
    np.testing.assert_array_equal(first.image[:, 5:15], grey)
    np.testing.assert_array_equal(second.image, first.image)
    assert third == "bare pixels (200 bytes), PNG or JPEG expected"


@given(st.binary(max_size=60))
def test_any_bytes_are_a_picture_or_skipped(data):
    for start in (b"", tensor(IMAGE)[:20]):
        with contextlib.suppress(SkippedDrawing):
            assert grey_of([start + data], {}).pixels.dtype == np.uint8


def test_polarity_is_seen_in_records(tmp_path, capsys):
    files = [
        saved(doodle()),
        saved(doodle(0, 255)),
        np.asarray(doodle().resize((28, 28))).tobytes(),
    ]
    shard(tmp_path / "x.tfrecords", *(serialise(image=each, label=1) for each in 2 * files))
    found = drawings_of(tmp_path)
    assert [drawing.image[0, 0] for drawing in found] == [0] * 6
    assert [drawing.image.max() for drawing in found] == [255] * 6
    assert "of 6 images looked at, 4 are dark on light" in capsys.readouterr().err
    told = drawings_of(tmp_path, polarity="light_on_dark")
    assert [drawing.image[0, 0] for drawing in told] == 2 * [255, 0, 255]


def test_pictures_in_records_are_upright(tmp_path):
    stored = Image.fromarray(IMAGE[:20])
    shard(
        tmp_path / "x.tfrecords",
        serialise(image=saved(stored, exif=turned(6)), label=1),
        serialise(image=saved(stored.transpose(Image.Transpose.ROTATE_270)), label=1),
    )
    first, second = drawings_of(tmp_path)
    np.testing.assert_array_equal(first.image, second.image)
    assert first.adjusted == (greyscale.UPRIGHT,)


def test_pixels_in_a_row_are_made_square(tmp_path):
    shard(tmp_path / "x.tfrecords", serialise(image=png.encode(IMAGE.reshape(1, 784)), label=1))
    (drawing,) = drawings_of(tmp_path)
    np.testing.assert_array_equal(drawing.image, IMAGE)


def test_emnist_of_tensorflow_datasets_is_turned_upright(tmp_path):
    path = tmp_path / "emnist-train.tfrecord-00000-of-00001"
    shard(path, serialise(image=png.encode(IMAGE), label=1))
    (drawing,) = drawings_of(path)
    np.testing.assert_array_equal(drawing.image, IMAGE.T)


def test_a_test_record_comes_out_whatever_is_wrong_with_its_drawing(tmp_path):
    good = {"image": png.encode(IMAGE)}
    flawed = ({"image": b"nothing"}, {"colour": 3}, {"ink": [], "shape": [0, 3]})
    drawn = [each for pair in zip([good] * 3, flawed, strict=True) for each in pair]
    examples = [serialise(image_id=b"%d" % n, **each) for n, each in enumerate(drawn)]
    shard(tmp_path / "x.tfrecord", *examples)
    (file,) = open_source(str(tmp_path), str(tmp_path)).files
    found = [file.drawing(*each) for each in file.scan(0, file.size)]
    assert [each.key_id for each in found] == list("012345")
    assert [each.strokes for each in found[1::2]] == [[], [], [[[128], [128]]]]
    assert all(each.image.tolist() == IMAGE.tolist() for each in found[::2])


def test_an_id_that_is_a_float_is_refused(tmp_path):
    shard(tmp_path / "x.tfrecord", serialise(image=png.encode(IMAGE), key_id=[5829304141217792.0]))
    (file,) = open_source(str(tmp_path), str(tmp_path)).files
    with pytest.raises(QuickdrawError, match="x.tfrecord, byte 0: the key_id 58293.* has lost its"):
        file.drawing(*next(file.scan(0, file.size)))
