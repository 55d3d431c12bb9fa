"""Images of all classes in one .npy file, and their labels in another."""

import gzip

import numpy as np
import pytest
from reading import drawings_of, noise

from quickdraw.datasets.sources import open_source
from quickdraw.errors import QuickdrawError

IMAGES = noise(4, 28)
NUMBERS = np.array([3, 1, 1, 2])


def save(folder, **arrays):
    folder.mkdir(exist_ok=True, parents=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def words(path, scratch):
    return [drawing.word for drawing in drawings_of(path, scratch)]


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("X", "y"),
        ("images", "labels"),
        ("x_train", "y_train"),
        ("train_images", "train_labels"),
        ("trainX", "trainY"),
        ("Xtrain", "ytrain"),
        ("data", "targets"),
    ],
)
def test_files_that_belong_together(tmp_path, tmp_path_factory, images, labels):
    save(tmp_path, **{images: IMAGES, labels: NUMBERS})
    scratch = tmp_path_factory.mktemp("scratch")
    drawings = drawings_of(tmp_path, scratch)
    assert [drawing.word for drawing in drawings] == ["3", "1", "1", "2"]
    np.testing.assert_array_equal([drawing.image for drawing in drawings], IMAGES)
    assert words(tmp_path / f"{images}.npy", scratch) == ["3", "1", "1", "2"]
    source = open_source(str(tmp_path), str(scratch))
    assert {*source.inputs} == {str(tmp_path / f"{name}.npy") for name in (images, labels)}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array(["cat", "고양이", "cat", "dog"]), ["cat", "고양이", "cat", "dog"]),
        (np.array([b"cat", b"cat", b"cat", b"dog"]), ["cat", "cat", "cat", "dog"]),
        (np.eye(3)[[2, 0, 0, 1]], ["2", "0", "0", "1"]),
        (np.array([[2], [0], [0], [1]], ">i8"), ["2", "0", "0", "1"]),
        (np.array([2.0, 0, 0, 1]), ["2", "0", "0", "1"]),
    ],
)
def test_labels_as_people_store_them(tmp_path, tmp_path_factory, labels, expected):
    save(tmp_path, X=IMAGES.reshape(4, 784), y=labels)
    assert words(tmp_path, tmp_path_factory.mktemp("scratch")) == expected


def test_splits_stay_as_the_names_tell(tmp_path, tmp_path_factory):
    save(tmp_path / "a", x_train=IMAGES, y_train=NUMBERS, x_test=IMAGES[:2], y_test=NUMBERS[:2])
    save(tmp_path / "b" / "train", X=IMAGES, y=NUMBERS)
    save(tmp_path / "b" / "test", X=IMAGES[:2], y=NUMBERS[:2])
    for name in "ab":
        files = open_source(str(tmp_path / name), str(tmp_path_factory.mktemp("scratch"))).files
        assert sorted((file.split, len(file._codes)) for file in files) == [
            ("test", 2),
            ("train", 4),
        ]


@pytest.mark.parametrize("stem", ["{}X {}Y", "X{} y{}", "{}_images {}_labels", "{}/X {}/y"])
@pytest.mark.parametrize("is_pattern", [False, True])
def test_splits_in_names_of_any_kind(tmp_path, stem, is_pattern):
    for split in ("train", "test"):
        for name, array in zip(stem.format(split, split).split(), (IMAGES, NUMBERS), strict=True):
            save((tmp_path / name).parent, **{(tmp_path / name).name: array})
    path = tmp_path / ("*/X.npy" if "/" in stem else "*.npy") if is_pattern else tmp_path
    assert sorted(file.split for file in open_source(str(path), "").files) == ["test", "train"]


@pytest.mark.parametrize("name", ["X_test", "test_images", "testX"])
@pytest.mark.parametrize("is_alone", [False, True])
def test_images_of_a_test_without_labels(tmp_path, tmp_path_factory, name, is_alone):
    save(
        tmp_path, **{name: IMAGES}, **({} if is_alone else {"X_train": IMAGES, "y_train": NUMBERS})
    )
    found = drawings_of(tmp_path, tmp_path_factory.mktemp("scratch"))
    tests = [(each.key_id, each.word) for each in found if each.word is None]
    assert tests == [(str(row), None) for row in range(4)]
    assert len(found) == (4 if is_alone else 8)


@pytest.mark.parametrize("name", ["X_train", "train_images", "val_data"])
def test_images_to_train_on_without_labels(tmp_path, name):
    save(tmp_path, **{name: IMAGES})
    with pytest.raises(QuickdrawError, match=f"{name}.npy: the file of its labels is missing"):
        drawings_of(tmp_path)


def test_packed_ones(tmp_path, tmp_path_factory):
    for name, array in (("X", IMAGES), ("y", NUMBERS)):
        with gzip.open(tmp_path / f"{name}.npy.gz", "wb") as file:
            np.save(file, array)
    assert words(tmp_path, tmp_path_factory.mktemp("scratch")) == ["3", "1", "1", "2"]


def test_letters_are_classes(tmp_path):
    save(tmp_path, x=IMAGES, y=IMAGES[:3], z=IMAGES[:2])
    assert words(tmp_path, "") == list("xxxxyyyzz")


def test_other_arrays_are_named(tmp_path, tmp_path_factory):
    save(tmp_path, X=IMAGES, y=NUMBERS, class_names=np.array(["a", "b"]))
    source = open_source(str(tmp_path), str(tmp_path_factory.mktemp("scratch")))
    assert source.unread == {"class_names.npy": 1}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": NUMBERS[:3]}, "X.npy: 4 labels expected. Received: 3"),
        ({"y": NUMBERS.astype(object)}, "y.npy: holds pickled Python objects, .* are never loaded"),
        ({"y": NUMBERS - 2}, "y.npy: whole numbers from 0 on expected"),
        ({"y": NUMBERS + 0.5}, "y.npy: whole numbers from 0 on expected"),
        ({"y": np.ones((4, 3))}, "y.npy: one label an image expected"),
        ({"y": NUMBERS, "X_val": IMAGES}, "X_val.npy: the file of its labels is missing beside"),
        ({"y": NUMBERS, "X": IMAGES / 9}, "X.npy: pixels .* Received: fractions of 0 to 28"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, tmp_path_factory, arrays, message):
    save(tmp_path, **{"X": IMAGES, **arrays})
    with pytest.raises(QuickdrawError, match=message):
        drawings_of(tmp_path, tmp_path_factory.mktemp("scratch"))


def test_labels_alone_are_no_images(tmp_path):
    save(tmp_path, X=IMAGES, y=NUMBERS)
    with pytest.raises(QuickdrawError, match=r"y.npy: images .* Received: int64 \[4\]"):
        drawings_of(tmp_path / "y.npy")
