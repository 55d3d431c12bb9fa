"""A data set knows what it was made of: another file, label or flag is never "already complete"."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quickdraw.datasets import prepare
from quickdraw.datasets.writing import provenance, writer
from quickdraw.errors import QuickdrawError
from quickdraw.records import example, png, tfrecord


def bitmaps(folder: Path, seed: int = 0) -> None:
    np.save(folder / "cat.npy", np.random.default_rng(seed).integers(0, 256, (9, 784), np.uint8))


def pictures(folder: Path, seed: int = 0) -> None:
    (folder / "cat").mkdir(exist_ok=True)
    (folder / "cat/a.png").write_bytes(_png(0))
    (folder / "cat/b.png").write_bytes(_png(1 + seed))


def _png(seed: int) -> bytes:
    image = np.zeros((28, 28), np.uint8)
    image[4 + seed, 3:20] = 255
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png", compress_level=0)  # of one size, whatever is drawn
    return file.getvalue()


def idx_labels(folder: Path, seed: int = 0) -> None:
    images = np.random.default_rng(5).integers(0, 256, (9, 8, 8), np.uint8)
    head = b"\0\0\x08\3" + b"".join(n.to_bytes(4, "big") for n in images.shape)
    (folder / "train-images-idx3-ubyte").write_bytes(head + images.tobytes())
    labels = b"\0\0\x08\1" + (9).to_bytes(4, "big") + bytes((n + seed) % 3 for n in range(9))
    (folder / "train-labels-idx1-ubyte").write_bytes(labels)


def records_labels(folder: Path, seed: int = 0) -> None:
    with open(folder / "x.tfrecord", "wb") as file:
        for label, image in enumerate(np.random.default_rng(5).integers(0, 256, (2, 8, 8), "u1")):
            both = {"image": png.encode(image), "label": label}
            both |= {"turned": png.encode(image.T), "class": 1 - label}
            file.write(tfrecord.frame(example.serialise(**both)))
    names = [["cat", "dog"], ["dog", "cat"]][seed]
    (folder / "dataset.json").write_text(json.dumps({"labels": names, "image_size": 8}))


WRITERS = [bitmaps, pictures, idx_labels, records_labels]


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in", tmp_path / "out"


def made(folders, **flags):
    return prepare.prepare(str(folders[0]), str(folders[1]), processes=1, **flags)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("write", WRITERS)
def test_new_content_of_the_same_size_and_time_is_noticed(folders, write):
    source, output = folders
    write(source)
    made(folders)
    before, times = contents(output), {p: p.stat().st_mtime_ns for p in source.rglob("*.*")}
    write(source, 1)
    for path, time in times.items():
        os.utime(path, ns=(time, time))
    with pytest.raises(QuickdrawError, match=r"what it was made of \(.*\) has changed since"):
        made(folders)
    assert contents(output) == before


@pytest.mark.parametrize("write", WRITERS)
def test_the_same_content_written_again_is_complete(folders, write, monkeypatch):
    write(folders[0])
    info = made(folders)
    write(folders[0])
    monkeypatch.setattr(writer, "_write_all", None)
    assert made(folders) == info
    monkeypatch.setattr(provenance, "_MOST_FILES", 0)  # too many to read: their times decide
    with pytest.raises(QuickdrawError, match="has changed since"):
        made(folders)


def test_a_path_may_be_written_otherwise(folders, monkeypatch):
    bitmaps(folders[0])
    info = made(folders)
    monkeypatch.setattr(writer, "_write_all", None)
    assert made((f"{folders[0]}/./", folders[1])) == info


@pytest.mark.parametrize(
    ("write", "name", "value"),
    [
        (pictures, "polarity", "dark_on_light"),
        (pictures, "format", "pictures"),
        (records_labels, "image_key", "turned"),
        (records_labels, "label_key", "class"),
    ],
)
def test_another_flag_is_noticed(folders, write, name, value):
    write(folders[0])
    made(folders)
    with pytest.raises(QuickdrawError, match=f"its {name} is .* instead of '{value}'"):
        made(folders, **{name: value})


def test_a_file_that_changes_while_it_is_read_leaves_nothing(folders, monkeypatch):
    source, output = folders
    bitmaps(source)
    write_all = writer._write_all

    def meanwhile(*given):
        write_all(*given)
        bitmaps(source, 1)

    monkeypatch.setattr(writer, "_write_all", meanwhile)
    with pytest.raises(QuickdrawError, match="was changed while it was read"):
        made(folders)
    assert not output.exists()


def test_a_data_set_that_does_not_say_what_it_was_made_of(folders):
    bitmaps(folders[0])
    made(folders)
    path = folders[1] / "dataset.json"
    description = json.loads(path.read_text())
    del description["settings"]["seen"], description["settings"]["content"]
    path.write_text(json.dumps(description))
    with pytest.raises(QuickdrawError, match="or an earlier version of this package made it"):
        made(folders)
