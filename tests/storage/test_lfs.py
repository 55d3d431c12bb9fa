"""Pointers of Git LFS: told as what they are, wherever a file is read."""

import gzip

import numpy as np
import pytest
from PIL import Image
from reading import drawings_of

from quickdraw import storage
from quickdraw.errors import BadRecordError, QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


@pytest.mark.parametrize(
    "name",
    [
        *("dog.npy", "dog.ndjson", "dog.bin", "dog.csv", "dog.npz", "dog.json", "dog.tfrecord"),
        *("train-00000-of-00001", "train-images-idx3-ubyte", "dog.npy.gz", "dog/1.png"),
    ],
)
@pytest.mark.parametrize("is_alone", [False, True])
def test_among_drawings_of_any_format(tmp_path, name, is_alone):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(POINTER)
    if not is_alone:
        for other in ("cat", "dog") if "/" in name else ():
            (tmp_path / other).mkdir(exist_ok=True)
            Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(tmp_path / other / "0.png")
        np.save(tmp_path / "cat.npy", np.eye(28, dtype=np.uint8)[None]) if "/" not in name else None
    with pytest.raises(QuickdrawError, match=f"{name}: a pointer of Git LFS, .*git lfs pull"):
        for drawing in drawings_of(tmp_path, tmp_path):
            assert drawing


def test_packed_by_its_own_name_only(tmp_path):
    (tmp_path / "dog.npy.gz").write_bytes(gzip.compress(POINTER))
    with pytest.raises(QuickdrawError, match="a pointer of Git LFS"):
        drawings_of(tmp_path, tmp_path)


def test_beside_records_and_as_records(tmp_path, write_records):
    path = tmp_path / "train-0"
    path.write_bytes(POINTER)
    with pytest.raises(BadRecordError, match="record 0: a pointer of Git LFS"):
        list(QuickDrawFeatureReader(28, 3).batches(str(path), 4))
    write_records(path, np.zeros((2, 8, 8), np.uint8), label=[0, 1])
    (tmp_path / "dataset.json").write_bytes(POINTER)
    with pytest.raises(QuickdrawError, match="dataset.json: a pointer of Git LFS"):
        list(QuickDrawFeatureReader().batches(str(path), 4))


@pytest.mark.parametrize("start", [b"", b"version 2\n", b"version https://a/spec/v1\nsize 1\n"])
def test_other_text_is_none(start):
    storage.refuse_pointer("x", start)
