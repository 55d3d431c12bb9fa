"""Sketch-RNN's files: strokes as steps, and pickles that are not trusted."""

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import parsed

from quickdraw.datasets.prepare import prepare
from quickdraw.datasets.sources import open_source
from quickdraw.datasets.sources.sketchrnn import strokes_of
from quickdraw.errors import QuickdrawError

# A corner, then a line: the step to each point, and whether the pen is lifted after it.
STEPS = np.array([[5, 7, 0], [100, 0, 0], [0, 50, 1], [-40, 10, 0], [-60, 0, 1]], np.int16)
STROKES = [[[0, 100, 100], [0, 0, 50]], [[60, 0], [60, 60]]]


def objects(*drawings):
    array = np.empty(len(drawings), object)
    array[:] = drawings
    return array


def made(path, protocol=None, **splits):
    """A file as np.savez writes it, or one whose pickles have an older protocol."""
    if protocol is None:
        np.savez_compressed(path, **splits)
        return path
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in splits.items():
            member = io.BytesIO()
            header = {"descr": "|O", "fortran_order": False, "shape": array.shape}
            np.lib.format.write_array_header_1_0(member, header)
            archive.writestr(f"{name}.npy", member.getvalue() + pickle.dumps(array, protocol))
    return path


def opened(path, tmp_path_factory, **options):
    return open_source(str(path), str(tmp_path_factory.mktemp("scratch")), **options)


@pytest.mark.parametrize("protocol", [None, 0, 2, 3, 4])
def test_strokes_of_each_split(tmp_path, tmp_path_factory, protocol):
    splits = {"train": objects(STEPS, STEPS), "valid": objects(STEPS), "test": objects(STEPS)}
    made(tmp_path / "sketchrnn_hot dog.full.npz", protocol, **splits)
    source = opened(tmp_path, tmp_path_factory)
    assert source.inputs == [str(tmp_path / "sketchrnn_hot dog.full.npz")]
    assert [len(parsed(file)) for file in source.files] == [2, 1, 1]
    assert [file.split for file in source.files] == ["train", "valid", "test"]
    for drawing in (each for file in source.files for each in parsed(file)):
        assert (drawing.word, drawing.strokes) == ("hot dog", STROKES)


def test_categories(tmp_path, tmp_path_factory):
    for name in ("cat", "dog"):
        made(tmp_path / f"{name}.npz", train=objects(STEPS))
    (file,) = opened(tmp_path, tmp_path_factory, categories=["dog"]).files
    assert file.category == "dog"


def test_a_drawing_that_is_larger_is_scaled():
    (stroke,) = strokes_of(np.array([[0, 0, 0], [510, 0, 0], [0, 100, 1]]))
    assert stroke == [[0, 255, 255], [0, 0, 50]]


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 1)), min_size=1))
def test_every_point_is_kept(points):
    steps = np.diff(np.array(points)[:, :2], axis=0, prepend=0)
    strokes = strokes_of(np.column_stack((steps, [pen for *_, pen in points])))
    shifted = np.array(points)[:, :2] - np.array(points)[:, :2].min(axis=0)
    assert np.hstack([np.array(stroke) for stroke in strokes]).T.tolist() == shifted.tolist()


@pytest.mark.parametrize(
    "steps", [np.zeros((3, 2)), np.zeros((0, 3)), np.full((3, 3), np.nan), None, "cat", np.zeros(3)]
)
def test_other_objects_are_skipped_and_named(tmp_path, tmp_path_factory, steps):
    made(tmp_path / "cat.npz", train=objects(STEPS, steps, STEPS))
    (file,) = opened(tmp_path, tmp_path_factory).files
    first, second, third = parsed(file)
    assert (first.word, second, third.word) == ("cat", "not strokes", "cat")
    *_, (position, _), _ = file.scan(0, file.size)
    assert file.place(position).endswith("cat.npz, train, drawing 1")


class Wicked:
    def __reduce__(self):
        return os.system, ("echo stolen",)


@pytest.mark.parametrize("content", [Wicked(), objects(STEPS, Wicked()), [STEPS], {"a": 1}])
def test_nothing_but_arrays_is_unpickled(tmp_path, tmp_path_factory, content, capfd):
    with zipfile.ZipFile(tmp_path / "cat.npz", "w") as archive:
        member = io.BytesIO()
        header = {"descr": "|O", "fortran_order": False, "shape": (1,)}
        np.lib.format.write_array_header_1_0(member, header)
        archive.writestr("train.npy", member.getvalue() + pickle.dumps(content))
    with pytest.raises(QuickdrawError, match=r"cat.npz, train: (holds Python obj|drawings expect)"):
        opened(tmp_path, tmp_path_factory)
    assert "stolen" not in capfd.readouterr().out


@given(st.binary(max_size=60))
def test_any_pickle_is_read_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("any")
    with zipfile.ZipFile(folder / "cat.npz", "w") as archive:
        member = io.BytesIO()
        header = {"descr": "|O", "fortran_order": False, "shape": (1,)}
        np.lib.format.write_array_header_1_0(member, header)
        archive.writestr("train.npy", member.getvalue() + data)
    with pytest.raises(QuickdrawError):
        opened(folder, tmp_path_factory)


def test_strokes_and_images_together(tmp_path, tmp_path_factory):
    made(tmp_path / "cat.npz", train=objects(STEPS))
    np.savez(tmp_path / "mnist.npz", x=np.ones((1, 28, 28), np.uint8), y=np.zeros(1, np.uint8))
    with pytest.raises(QuickdrawError, match=r"cat.npz holds strokes and .*mnist.npz does not"):
        opened(tmp_path, tmp_path_factory)


def test_records_of_them(tmp_path):
    rng = np.random.default_rng(0)
    drawings = [np.append(rng.integers(1, 30, (4, 2)), [[0]] * 3 + [[1]], 1) for _ in range(20)]
    made(tmp_path / "cat.npz", train=objects(*drawings[:15]), test=objects(*drawings[15:]))
    info = prepare(str(tmp_path / "cat.npz"), str(tmp_path / "out"), processes=1)
    assert info.splits["test"]["records"] == 5
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["labels"] == ["cat"]
