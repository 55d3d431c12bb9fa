"""Several files of one class: numbered, or of one name in several folders."""

import json

import numpy as np
import pytest
from reading import drawings_of, noise

from quickdraw.errors import QuickdrawError

LINE = [[[0, 255, 9], [0, 9, 255]]]


def bitmaps(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / name, noise(3, 28))
    return folder


def lines(folder, *names, drawing=LINE, **fields):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps({"drawing": drawing, **fields}) + "\n")
    return folder


def words(path, scratch="", **options):
    return sorted({each.word for each in drawings_of(path, scratch, **options)})


@pytest.mark.parametrize(
    "names",
    [
        ("cat_1", "cat_2", "dog_1", "dog_2"),
        ("cat-001", "cat-002", "dog"),
        ("cat", "cat_2", "dog"),
        ("cat.1", "cat.2", "dog"),
        ("cat_part1", "cat_part2", "dog part 1"),
    ],
)
@pytest.mark.parametrize("ending", ["npy", "ndjson"])
def test_parts_of_a_class_are_no_classes(tmp_path, names, ending):
    save = bitmaps if ending == "npy" else lines
    save(tmp_path, *(f"{name}.{ending}" for name in names))
    with pytest.raises(QuickdrawError, match="two classes, or parts of one: --categories=cat,dog"):
        drawings_of(tmp_path)


def test_they_are_joined_or_kept_apart_by_their_names(tmp_path):
    bitmaps(tmp_path, "hot dog_1.npy", "hot dog_2.npy", "cat_1.npy", "cat_2.npy")
    found = drawings_of(tmp_path, categories=["cat", "hot_dog"])
    assert [each.word for each in found] == 6 * ["cat"] + 6 * ["hot_dog"]
    apart = ["cat_1", "cat_2", "hot dog_1", "hot dog_2"]
    assert words(tmp_path, categories=apart) == apart


@pytest.mark.parametrize(
    ("names", "is_said"),
    [
        ([f"digit_{n}" for n in range(10)], True),
        ([*(f"digit_{n}" for n in range(10)), "star"], True),
        (["cat_1", "cat_2"], True),
        ([str(n) for n in range(10)], False),
        (["cat_1", "dog_1"], False),
        (["U+3041", "U+3042", "A1", "A2"], False),
    ],
)
def test_numbers_that_are_names(tmp_path, capsys, names, is_said):
    bitmaps(tmp_path, *(f"{name}.npy" for name in names))
    assert words(tmp_path) == sorted(names)
    assert ("are two classes, or parts of one? Taken as" in capsys.readouterr().err) == is_said


def test_lines_with_their_word_may_lie_in_parts(tmp_path, capsys):
    lines(tmp_path, "cat_1.ndjson", "cat_2.ndjson", word="cat")
    lines(tmp_path, "dog_1.ndjson", word="dog")
    assert words(tmp_path) == ["cat", "dog"]
    assert "parts" not in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["npy", "ndjson"])
def test_files_of_one_name_in_folders_of_classes(tmp_path, ending):
    save = bitmaps if ending == "npy" else lines
    save(tmp_path, f"cat/part1.{ending}", f"dog/part1.{ending}")
    pattern = tmp_path / f"*/part1.{ending}"
    with pytest.raises(QuickdrawError, match="'part1' in 2 folders, such as .*cat and .*dog: if"):
        drawings_of(pattern)
    assert words(pattern, categories=["part1"]) == ["part1"]


def test_files_of_one_name_in_folders_of_splits(tmp_path):
    bitmaps(tmp_path, "train/cat.npy", "test/cat.npy")
    assert words(tmp_path / "*/cat.npy") == ["cat"]


@pytest.mark.parametrize("points", [[[5, 3], [9, 7], [8, 1]], [[5, 3, 0], [9, 7, 10], [8, 9, 5]]])
def test_three_points_a_stroke_are_no_times(tmp_path, points):
    lines(tmp_path, "cat.ndjson", drawing=[points, points])
    with pytest.raises(QuickdrawError, match=r"cat.ndjson, line 1: .* Received: points"):
        drawings_of(tmp_path)


def test_short_strokes_with_times(tmp_path):
    lines(tmp_path, "cat.ndjson", drawing=[[[5, 90], [3, 80], [0, 16]], [[5, 9], [3, 8], [20, 36]]])
    (drawing,) = drawings_of(tmp_path)
    assert [stroke[2] for stroke in drawing.strokes] == [[0, 16], [20, 36]]


@pytest.mark.parametrize(("shape", "is_said"), [((8, 8, 8), True), ((28, 784), False)])
def test_as_many_images_as_rows(tmp_path, capsys, shape, is_said):
    np.save(tmp_path / "cat.npy", np.resize(noise(28), shape))
    assert len(drawings_of(tmp_path)) == shape[0]
    assert ("read as image, row, column" in capsys.readouterr().err) == is_said
