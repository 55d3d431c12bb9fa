"""Images with their labels in numpy's .npz files."""

import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import noise, parsed

from quickdraw.datasets.sources import open_source
from quickdraw.errors import QuickdrawError

TRAIN, TEST = noise(5, 28), noise(3, 28)
TRAIN_LABELS, TEST_LABELS = np.array([3, 1, 4, 1, 5], np.uint8), np.array([9, 2, 6], np.uint8)


def opened(path, tmp_path_factory):
    return open_source(str(path), str(tmp_path_factory.mktemp("scratch")))


def check(source):
    """The official sets of 5 and 3 images, in the order of their files."""
    assert source.unread == {}
    assert all(file.name.split(", ")[0] in source.inputs for file in source.files)
    found = {file.split: parsed(file) for file in source.files}
    for split, images, labels in (("train", TRAIN, TRAIN_LABELS), ("test", TEST, TEST_LABELS)):
        assert [drawing.word for drawing in found[split]] == [str(label) for label in labels]
        np.testing.assert_array_equal([drawing.image for drawing in found[split]], images)


def test_the_file_of_keras(tmp_path, tmp_path_factory):
    np.savez(
        tmp_path / "mnist.npz",
        x_train=TRAIN,
        y_train=TRAIN_LABELS,
        x_test=TEST,
        y_test=TEST_LABELS,
    )
    source = opened(tmp_path / "mnist.npz", tmp_path_factory)
    check(source)
    assert source.files[0].place(source.files[0]._start + 784).endswith("mnist.npz, x_train, row 1")


def test_the_files_of_kmnist(tmp_path, tmp_path_factory):
    arrays = {"train-imgs": TRAIN, "test-imgs": TEST}
    arrays |= {"train-labels": TRAIN_LABELS, "test-labels": TEST_LABELS}
    for name, array in arrays.items():
        np.savez_compressed(tmp_path / f"kmnist-{name}.npz", array)
    check(opened(tmp_path, tmp_path_factory))
    (file,) = opened(tmp_path / "kmnist-test-imgs.npz", tmp_path_factory).files
    assert file.split == "test"


@pytest.mark.parametrize(
    "labels",
    [
        TRAIN_LABELS.astype(np.int64),
        TRAIN_LABELS.astype(np.float32),
        TRAIN_LABELS[:, None],
        np.eye(6)[TRAIN_LABELS],
        np.eye(6, dtype=bool)[TRAIN_LABELS],
        TRAIN_LABELS.astype(str),
        TRAIN_LABELS.astype("S1"),
    ],
)
def test_labels_of_any_kind(tmp_path, tmp_path_factory, labels):
    np.savez(tmp_path / "a.npz", train_images=TRAIN[..., None], train_labels=labels)
    (file,) = opened(tmp_path, tmp_path_factory).files
    assert [drawing.word for drawing in parsed(file)] == ["3", "1", "4", "1", "5"]


@pytest.mark.parametrize("swapped", [False, True])
def test_two_arrays_without_names_are_told_apart_by_their_shapes(
    tmp_path, tmp_path_factory, swapped
):
    np.savez(tmp_path / "set.npz", *(TRAIN, TRAIN_LABELS)[:: -1 if swapped else 1])
    (file,) = opened(tmp_path, tmp_path_factory).files
    assert [drawing.word for drawing in parsed(file)] == ["3", "1", "4", "1", "5"]
    np.testing.assert_array_equal([drawing.image for drawing in parsed(file)], TRAIN)


def test_images_as_fractions(tmp_path, tmp_path_factory):
    np.savez(tmp_path / "set.npz", x=TRAIN / 255, y=TRAIN_LABELS)
    (file,) = opened(tmp_path, tmp_path_factory).files
    np.testing.assert_array_equal([drawing.image for drawing in parsed(file)], TRAIN)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x_train": TRAIN}, "arrays x_train, y_train, .* expected.*Received: x_train"),
        ({"x_train": TRAIN, "y_test": TRAIN_LABELS}, "Received: x_train .*, y_test"),
        ({"arr_0": TRAIN}, "Received: arr_0"),
        ({"a": TRAIN, "b": TRAIN}, r"Received: a .5, 28, 28., b .5, 28, 28."),
        ({"a": TRAIN, "b": TRAIN_LABELS[:4]}, r"Received: a .5, 28, 28., b .4."),
        ({"a": TRAIN, "b": TRAIN_LABELS, "c": TRAIN_LABELS}, "Received: a .*, b .*, c"),
        ({"x": TRAIN, "y": TRAIN_LABELS[:4]}, "5 labels expected. Received: 4"),
        ({"x": TRAIN / 9, "y": TRAIN_LABELS}, "a.npz, x: pixels .*: fractions of 0 to 28.3"),
        ({"x": TRAIN, "y": -np.ones(5)}, "whole numbers from 0 on"),
        ({"x": TRAIN, "y": np.full(5, 0.5)}, "whole numbers from 0 on"),
        ({"x": TRAIN, "y": np.ones((5, 3))}, "one label an image expected"),
        ({"x": TRAIN, "y": np.array([None] * 5)}, "a.npz, y: holds pickled Python objects"),
    ],
)
def test_other_arrays(tmp_path, tmp_path_factory, arrays, words):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(QuickdrawError, match=words) as caught:
        opened(tmp_path, tmp_path_factory)
    assert "\n" not in str(caught.value)


def test_several_sets_in_one_folder(tmp_path, tmp_path_factory):
    for name in ("mnist", "fashion"):
        np.savez(tmp_path / f"{name}.npz", x=TRAIN, y=TRAIN_LABELS)
    with pytest.raises(QuickdrawError, match=r"several data sets.*--source='.*/mnist.npz\*'"):
        opened(tmp_path, tmp_path_factory)


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_refused(tmp_path_factory, data, in_archive):
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.npz").write_bytes(b"PK\3\4" + data)
    if in_archive:
        import zipfile

        with zipfile.ZipFile(folder / "a.npz", "w") as archive:
            archive.writestr("x_train.npy", data)
    with pytest.raises(QuickdrawError):
        opened(folder, tmp_path_factory)


def test_an_endless_header_is_not_loaded(tmp_path):
    start = b"\x93NUMPY\2\0" + (2**32 - 1).to_bytes(4, "little")
    with zipfile.ZipFile(tmp_path / "set.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", start + b" " * 20_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(QuickdrawError, match="set.npz: damaged"):
            open_source(str(tmp_path / "set.npz"), str(tmp_path))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_header_that_is_cut_off(tmp_path):
    text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (5, 784"
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("x_train.npy", b"\x93NUMPY\1\0" + bytes([len(text), 0]) + text)
    with pytest.raises(QuickdrawError, match="set.npz: damaged"):
        open_source(str(tmp_path / "set.npz"), str(tmp_path))


def test_an_array_that_is_not_read_is_named(tmp_path, tmp_path_factory):
    np.savez(tmp_path / "a.npz", x=np.eye(9, dtype="u1")[None], y=[0], class_names=["cat"])
    source = open_source(str(tmp_path), str(tmp_path_factory.mktemp("scratch")))
    assert source.unread == {"array 'class_names' in a.npz": 1}
