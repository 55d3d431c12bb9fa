"""What a file or a folder is called after, and which name is meant."""

import unicodedata

import pytest

from quickdraw.datasets.sources.names import choose, grouped, of_cell, of_path, warn
from quickdraw.drawings.drawing import SkippedDrawing


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/cat.npy", "cat"),
        ("cat.npy.gz", "cat"),
        ("cat.NPY.GZ", "cat"),
        ("full_simplified_alarm clock.ndjson", "alarm clock"),
        ("full%2Fnumpy_bitmap%2Falarm%20clock.npy", "alarm clock"),
        ("alarm%20clock.npy", "alarm clock"),
        ("%EA%B3%A0%EC%96%91%EC%9D%B4.npy", "고양이"),
        ("50%.npy", "50%"),
        ("%ff.npy", "%ff"),
        (unicodedata.normalize("NFD", "고양이.bin"), "고양이"),
        ("sketchrnn_cat.full.npz", "cat"),
        ("Dr. Who.npy", "Dr. Who"),
        (" cat .npy", "cat"),
    ],
)
def test_the_class_of_a_file(path, name):
    assert of_path(path) == name


def test_a_folder_has_no_ending():
    assert of_path("in/Dr. Who", is_folder=True) == "Dr. Who"


@pytest.mark.parametrize("copy", ["cat (1).npy", "cat(2).npy", "cat.npy (1).gz", "cat.npy.gz"])
def test_a_copy_is_read_as_the_class_it_is_a_copy_of_and_said(copy, capsys):
    assert grouped(["cat.npy", "dog.npy", copy]) == {"cat": ["cat.npy", copy], "dog": ["dog.npy"]}
    assert f"warning: read as the class 'cat': cat.npy, {copy}" in capsys.readouterr().err


def test_a_copy_without_its_original(capsys):
    assert grouped(["in/cat (1).npy"]) == {"cat": ["in/cat (1).npy"]}
    assert "'cat': cat (1).npy" in capsys.readouterr().err


def test_numbers_of_a_series_are_names(capsys):
    paths = ["type (1)", "type (2)"]
    assert grouped(paths, is_folder=True) == {"type (1)": paths[:1], "type (2)": paths[1:]}
    assert capsys.readouterr().err == ""


def test_composed_and_decomposed_are_one(capsys):
    paths = [unicodedata.normalize(form, "고양이") for form in ("NFC", "NFD")]
    assert grouped(paths, is_folder=True) == {"고양이": paths}
    assert "warning" in capsys.readouterr().err


def test_what_is_meant():
    assert choose("hot_dog", ["dog", "hot dog"], "") == "hot dog"
    assert choose("hot dog", ["dog", "hot_dog"], "") == "hot_dog"
    assert choose("hot_dog", ["hot dog", "hot_dog"], "") == "hot_dog"
    assert choose(unicodedata.normalize("NFD", "고양이"), ["고양이"], "") == "고양이"


def test_a_cell_without_a_word():
    assert of_cell(" cat\u200b ") == "cat"
    for word in ("", "NaN", " None"):
        with pytest.raises(SkippedDrawing, match="no word: empty, nan, null or None"):
            of_cell(word)


def test_what_may_be_a_slip_is_said(capsys):
    warn(["cat", "cats", "nan"], "in")
    said = capsys.readouterr().err
    assert "'cat' and 'cats' look alike" in said
    assert "the class 'nan' looks like a value that is missing" in said
