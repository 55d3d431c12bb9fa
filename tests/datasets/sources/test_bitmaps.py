"""Numpy bitmaps: what a folder of .npy files gives, and what each kind of wrong folder says."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.datasets import sources
from quickdraw.datasets.sources import bitmaps
from quickdraw.errors import QuickdrawError


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "The Mona Lisa", "traffic light"):
        np.save(tmp_path / f"{name}.npy", rng.integers(0, 256, (5, 784), np.uint8))
    return tmp_path


def opened(folder, categories=None):
    return sources.open_source(str(folder), "", categories=categories).files


def drawings(file):
    with file.opened() as read:
        return [
            file.parse(position, read(position, len(data)))
            for position, data in file.scan(*file.pieces(1 << 20)[0])
        ]


def fails(folder, *args, match):
    with pytest.raises(QuickdrawError, match=match) as caught:
        opened(folder, *args)
    assert "\n" not in str(caught.value)


def test_all_categories_in_alphabetical_order(folder):
    assert [file.category for file in opened(folder)] == ["The Mona Lisa", "cat", "traffic light"]


def test_categories_in_the_order_asked_for(folder):
    chosen = opened(folder, ["traffic_light", "cat"])
    assert [file.category for file in chosen] == ["traffic light", "cat"]


def test_names_as_they_are_downloaded(folder):
    (folder / "cat.npy").rename(folder / "full_numpy_bitmap_cat.npy")
    assert {file.category for file in opened(folder)} == {"cat", "The Mona Lisa", "traffic light"}


def test_images_are_the_rows_of_the_file(folder):
    (cat,) = opened(folder, ["cat"])
    rows = np.load(folder / "cat.npy")
    for drawing, row in zip(drawings(cat), rows, strict=True):
        assert drawing.word == "cat"
        np.testing.assert_array_equal(drawing.image, row.reshape(28, 28))


def test_pieces_make_up_the_file(folder, monkeypatch):
    monkeypatch.setattr(bitmaps, "_BLOCK", 784)
    (cat,) = opened(folder, ["cat"])
    pieces = cat.pieces(2 * 784)
    assert pieces == [(0, 2), (2, 4), (4, 5)]
    assert b"".join(data for piece in pieces for _, data in cat.scan(*piece)) == (
        np.load(folder / "cat.npy").tobytes()
    )
    *_, (position, _) = cat.scan(*pieces[-1])
    assert cat.place(position).endswith("cat.npy, row 4")


def test_images_of_another_size(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 9, 9), np.uint8)
    np.save(tmp_path / "cat.npy", images)
    (cat,) = opened(tmp_path)
    np.testing.assert_array_equal(drawings(cat)[2].image, images[2])


def test_files_are_sent_to_processes_without_their_pixels(folder):
    np.save(folder / "cat.npy", np.ones((5000, 784), np.uint8))
    (cat,) = opened(folder, ["cat"])
    pickled = pickle.dumps(cat)
    assert len(pickled) < 1000
    assert len(drawings(pickle.loads(pickled))) > 1000


def test_hidden_files_are_no_categories(folder):
    (folder / "._cat.npy").write_bytes(b"left by another system")
    assert len(opened(folder)) == 3


def test_no_such_folder(tmp_path):
    fails(tmp_path / "nowhere", match="nowhere: there is no such file or folder")


def test_folder_without_npy_files(tmp_path):
    fails(tmp_path, match="one of bitmaps, simplified,.* expected. Received: none of them")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (["cta"], "no category 'cta'. Did you mean 'cat'?"),
        (["the mona lisa"], "Did you mean 'The Mona Lisa'?"),
        (["../cat"], "no category '../cat'"),
        ([".."], r"no category '\.\.'"),
        (["cat", "cat"], "named twice"),
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
        (np.zeros((5, 784), np.complex64), r"complex64 \[5, 784\]"),
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
    fails(folder, match=rf"cat.npy: images .* expected.* Received: {received}")


def test_pickled_objects_are_never_loaded(folder):
    np.save(folder / "cat.npy", np.array([{"a": 1}], object), allow_pickle=True)
    fails(folder, match=r"cat.npy: holds pickled Python objects")


@pytest.mark.parametrize("size", [0, 5, 20, 127])
def test_truncated_header(folder, size):
    data = (folder / "cat.npy").read_bytes()
    (folder / "cat.npy").write_bytes(data[:size])
    fails(folder, match=r"cat.npy: not a .npy file")


def header(text, claimed=None):
    return b"\x93NUMPY\2\0" + (claimed or len(text)).to_bytes(4, "little") + text


@pytest.mark.parametrize(
    "data",
    [
        header(b"{'descr': '|u1', 'fortran_order': False, 'shape': (5, 784"),
        header(b"{'descr': '|u1', 'fortran_order': False, 'shape': " + b"(" * 3000),
        header(b"{'descr': [3], 'fortran_order': False, 'shape': (5, 784)}"),
        header(b"{'descr': '|u1'}", claimed=2**32 - 1),
        header(b"\xff" * 50),
    ],
    ids=["cut", "deep", "no type", "endless", "no text"],
)
def test_damaged_headers(folder, data):
    (folder / "cat.npy").write_bytes(data)
    fails(folder, match=r"cat.npy: not a .npy file")


@given(st.binary(max_size=80))
def test_any_header_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "cat.npy"
    path.write_bytes(header(b"{'descr': '|u1', 'shape': (1, 784)," + text))
    fails(path, match="cat.npy: ")


def test_a_negative_shape(folder):
    text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (-5, 784)}\n"
    (folder / "cat.npy").write_bytes(header(text))
    fails(folder, match=r"Received: uint8 \[-5, 784\]")


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
    fails(tmp_path, match=r"Received: none of them")


def test_images_that_are_too_large_are_refused(tmp_path):
    np.lib.format.open_memmap(tmp_path / "cat.npy", "w+", np.uint8, (1, 6000, 6000))
    fails(tmp_path, match="more than 25 million pixels. Received: 6,000 x 6,000")
