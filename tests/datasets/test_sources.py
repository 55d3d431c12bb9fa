"""Sources: what a folder of .npy files gives, and what each kind of wrong folder says."""

import pickle

import numpy as np
import pytest

from quickdraw.datasets import sources
from quickdraw.errors import QuickdrawError


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "The Mona Lisa", "traffic light"):
        np.save(tmp_path / f"{name}.npy", rng.integers(0, 256, (5, 784), np.uint8))
    return tmp_path


def opened(folder, *args):
    return sources.open_source(str(folder), *args)


def fails(folder, *args, match):
    with pytest.raises(QuickdrawError, match=match) as caught:
        opened(folder, *args)
    assert "\n" not in str(caught.value)


def test_all_categories_in_alphabetical_order(folder):
    assert [c.name for c in opened(folder)] == ["The Mona Lisa", "cat", "traffic light"]


def test_categories_in_the_order_asked_for(folder):
    assert [c.name for c in opened(folder, ["traffic_light", "cat"])] == ["traffic light", "cat"]


def test_images_are_the_rows_of_the_file(folder):
    (cat,) = opened(folder, ["cat"], 3)
    rows = np.load(folder / "cat.npy")
    assert len(cat.images) == 3
    for row in range(3):
        assert cat.images[row].dtype == np.uint8
        np.testing.assert_array_equal(cat.images[row], rows[row].reshape(28, 28))
    with pytest.raises(IndexError):
        cat.images[3]


@pytest.mark.parametrize("order", ["C", "F"])
def test_images_of_another_size(tmp_path, order):
    images = np.random.default_rng(0).integers(0, 256, (4, 9, 9), np.uint8)
    np.save(tmp_path / "cat.npy", np.asarray(images, order=order))
    (cat,) = opened(tmp_path)
    np.testing.assert_array_equal(cat.images[2], images[2])


def test_pickling_carries_the_path_and_not_the_pixels(folder):
    np.save(folder / "cat.npy", np.ones((5000, 784), np.uint8))
    (cat,) = opened(folder, ["cat"], 4000)
    pickled = pickle.dumps(cat.images)
    assert len(pickled) < 1000
    assert len(pickle.loads(pickled)) == 4000


def test_hidden_files_are_no_categories(folder):
    (folder / "._cat.npy").write_bytes(b"left by another system")
    assert len(opened(folder)) == 3


def test_no_such_folder(tmp_path):
    fails(tmp_path / "nowhere", match="nowhere: there is no such folder")


def test_folder_without_npy_files(tmp_path):
    fails(tmp_path, match=r"a folder of <category>.npy files expected")


def test_remote_folder():
    fails("gs://bucket/folder", match=r"gcloud storage cp 'gs://bucket/folder/\*.npy'")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (["cta"], "no category 'cta'. Did you mean 'cat'?"),
        (["the mona lisa"], "Did you mean 'The Mona Lisa'?"),
        (["../cat"], "no category '../cat'"),
        ([".."], r"no category '\.\.'"),
        (["cat", "cat"], "named twice"),
        ([], "one or more expected"),
    ],
)
def test_wrong_categories(folder, wanted, words):
    fails(folder, wanted, match=words)


@pytest.mark.parametrize("name", ["CAT", "traffic_light"])
def test_categories_that_some_disk_or_reader_takes_for_one(folder, name):
    np.save(folder / f"{name}.npy", np.ones((1, 784), np.uint8))
    if len(list(folder.iterdir())) == 3:
        pytest.skip("this disk does not tell upper case from lower case")
    fails(folder, match="too alike")


@pytest.mark.parametrize("name", ["a\\b", "a\nb"])
def test_unsafe_names(folder, name):
    np.save(folder / f"{name}.npy", np.ones((1, 784), np.uint8))
    fails(folder, match="cannot be the name of a category")


@pytest.mark.parametrize(
    ("array", "received"),
    [
        (np.zeros((5, 784), np.float32), r"float32 \[5, 784\]"),
        (np.zeros((5, 783), np.uint8), r"uint8 \[5, 783\]"),
        (np.zeros((5, 28, 27), np.uint8), r"uint8 \[5, 28, 27\]"),
        (np.zeros(784, np.uint8), r"uint8 \[784\]"),
        (np.zeros((0, 784), np.uint8), r"uint8 \[0, 784\]"),
        (np.zeros((5, 0, 0), np.uint8), r"uint8 \[5, 0, 0\]"),
        (np.uint8(3), r"uint8 \[\]"),
    ],
)
def test_arrays_that_are_no_images(folder, array, received):
    np.save(folder / "cat.npy", array)
    fails(folder, match=rf"cat.npy: uint8 images .* expected.* Received: {received}")


def test_pickled_objects_are_never_loaded(folder):
    np.save(folder / "cat.npy", np.array([{"a": 1}], object), allow_pickle=True)
    fails(folder, match=r"cat.npy: holds pickled Python objects")


@pytest.mark.parametrize("size", [0, 5, 20, 127])
def test_truncated_header(folder, size):
    data = (folder / "cat.npy").read_bytes()
    (folder / "cat.npy").write_bytes(data[:size])
    fails(folder, match=r"cat.npy: not a .npy file")


@pytest.mark.parametrize("data", [b"<html>not found</html>", pickle.dumps([1, 2]), bytes(300)])
def test_other_files(folder, data):
    (folder / "cat.npy").write_bytes(data)
    fails(folder, match=r"cat.npy: not a .npy file")


def test_truncated_data(folder):
    data = (folder / "cat.npy").read_bytes()
    (folder / "cat.npy").write_bytes(data[:-1])
    fails(folder, match=r"cat.npy: truncated: 4,048 bytes expected. Received: 4,047")


def test_a_folder_in_the_place_of_a_file(tmp_path):
    (tmp_path / "cat.npy").mkdir()
    fails(tmp_path, match=r"cat.npy: Is a directory")
