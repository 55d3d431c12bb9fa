"""IDX files: images with their labels beside them, packed or not."""

import gzip
import struct

import numpy as np
import pytest
from reading import parsed

from quickdraw.datasets.sources import open_source
from quickdraw.datasets.sources.idx import TRANSPOSED
from quickdraw.errors import QuickdrawError

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 9, 9), np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9, 2], np.uint8)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    for name, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        (tmp_path / f"train-{name}-ubyte").write_bytes(idx(array))
        (tmp_path / f"t10k-{name}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
    return tmp_path


def opened(path, tmp_path_factory):
    return open_source(str(path), str(tmp_path_factory.mktemp("scratch"))).files


def test_images_and_labels(folder, tmp_path_factory):
    test, train = opened(folder, tmp_path_factory)
    assert (test.split, train.split) == ("test", "train")
    for file in (test, train):
        drawings = [
            file.parse(at, data) for piece in file.pieces(100) for at, data in file.scan(*piece)
        ]
        assert [int(drawing.word) for drawing in drawings] == LABELS.tolist()
        for drawing, image in zip(drawings, IMAGES, strict=True):
            np.testing.assert_array_equal(drawing.image, image)


def test_one_file(folder, tmp_path_factory):
    (file,) = opened(folder / "t10k-images-idx3-ubyte.gz", tmp_path_factory)
    *_, (position, _) = file.scan(0, 7)
    assert file.place(position).endswith("t10k-images-idx3-ubyte.gz, image 6")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("train-images-idx3-ubyte.gz", idx(IMAGES)[:-1], "truncated: 583 bytes expected"),
        ("train-images-idx3-ubyte.gz", idx(IMAGES)[:9], "truncated in its header"),
        ("train-images-idx3-ubyte.gz", idx(IMAGES[:, :8]), r"images \[n, size, size\] expected"),
        ("train-images-idx3-ubyte.gz", idx(IMAGES[:0]), r"images \[n, size, size\] expected"),
        ("train-labels-idx1-ubyte.gz", idx(LABELS[:5]), "7 labels expected"),
        ("train-labels-idx1-ubyte.gz", idx(LABELS)[:-1], "labels of .* truncated"),
        ("train-labels-idx1-ubyte.gz", b"nothing", "an IDX file of uint8 expected"),
    ],
)
def test_bad_files(tmp_path, tmp_path_factory, name, data, words):
    for part, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        (tmp_path / f"train-{part}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
    (tmp_path / name).write_bytes(gzip.compress(data))
    with pytest.raises(QuickdrawError, match=words):
        opened(tmp_path, tmp_path_factory)


def test_missing_labels(folder, tmp_path_factory):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(QuickdrawError, match=r"t10k-labels-idx1-ubyte.gz expected"):
        opened(folder, tmp_path_factory)


@pytest.mark.parametrize("keep", [30, 60, -1])
def test_truncated_gzip(folder, tmp_path_factory, keep):
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(QuickdrawError, match="truncated or damaged gzip"):
        opened(folder, tmp_path_factory)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_names_with_a_dot(tmp_path, tmp_path_factory, ending):
    pack = gzip.compress if ending else bytes
    for part, array in (("images.idx3", IMAGES), ("labels.idx1", LABELS)):
        (tmp_path / f"train-{part}-ubyte{ending}").write_bytes(pack(idx(array)))
    (file,) = opened(tmp_path, tmp_path_factory)
    assert len(list(file.scan(0, 7))) == 7


def test_labels_that_are_packed_where_the_images_are_not(folder, tmp_path_factory):
    labels = folder / "train-labels-idx1-ubyte"
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels.read_bytes()))
    labels.unlink()
    assert len(opened(folder, tmp_path_factory)) == 2


def test_several_data_sets_in_one_folder(folder, tmp_path_factory):
    """The archive of EMNIST unpacks six of them into one folder."""
    for part, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        (folder / f"emnist-digits-train-{part}-ubyte").write_bytes(idx(array))
        (folder / f"emnist-letters-train-{part}-ubyte").write_bytes(idx(array))
    with pytest.raises(QuickdrawError, match=r"several data sets.*--source='.*/emnist-letters-\*'"):
        opened(folder, tmp_path_factory)
    (file,) = opened(folder / "emnist-letters-*", tmp_path_factory)
    assert file.name.endswith("emnist-letters-train-images-idx3-ubyte")


@pytest.mark.parametrize("name", ["emnist-letters-train", "EMNIST-train", "my-emnist-train"])
def test_emnist_is_turned_upright(tmp_path, tmp_path_factory, name):
    for part, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        (tmp_path / f"{name}-{part}-ubyte").write_bytes(idx(array))
    (file,) = opened(tmp_path, tmp_path_factory)
    for drawing, image in zip(parsed(file), IMAGES, strict=True):
        np.testing.assert_array_equal(drawing.image, image.T)
        assert drawing.adjusted == (TRANSPOSED,)


@pytest.mark.parametrize("name", ["emnist/kmnist-train", "noemnist-train", "train"])
def test_its_kin_is_upright(tmp_path, tmp_path_factory, name):
    (tmp_path / "emnist").mkdir()
    for part, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        (tmp_path / f"{name}-{part}-ubyte").write_bytes(idx(array))
    (file,) = opened((tmp_path / name).parent, tmp_path_factory)
    np.testing.assert_array_equal(parsed(file)[0].image, IMAGES[0])


def test_images_that_are_too_large_are_refused(tmp_path, tmp_path_factory):
    large = struct.pack(">HBB3I", 0, 8, 3, 1, 6000, 6000)
    with open(tmp_path / "train-images-idx3-ubyte", "wb") as file:
        file.write(large)
        file.truncate(len(large) + 6000 * 6000)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[:1]))
    with pytest.raises(QuickdrawError, match="more than 25 million pixels. Received: 6,000 x"):
        opened(tmp_path, tmp_path_factory)


def test_images_of_floats_are_named(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(b"\0\0\x0d\3" + struct.pack(">3I", 1, 28, 28) + bytes(4 * 784))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"\0\0\x08\1\0\0\0\1\0")
    with pytest.raises(QuickdrawError, match="idx3-ubyte: an IDX file of uint8 expected. Received"):
        open_source(str(tmp_path), str(tmp_path))
