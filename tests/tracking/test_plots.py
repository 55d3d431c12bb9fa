"""Pictures: their shapes, and what their colours say."""

import numpy as np
import pytest

from quickdraw.drawings import sheet
from quickdraw.tracking import plots


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("count", "rows"), [(1, 1), (8, 1), (9, 2)])
def test_a_grid_has_a_tile_for_each_image(count, rows, channels):
    images = np.zeros((count, 28, 28, channels), np.uint8)
    images[:, :14] = 255
    picture = sheet.grid(images, ["a name that is much too long for a tile"] * count, 8, 3)
    assert picture.shape == (rows * (28 * 3 + 14), 8 * (28 * 3 + 4), 3)
    assert picture.dtype == np.uint8
    for number in range(count):
        top, left = number // 8 * (28 * 3 + 14), number % 8 * (28 * 3 + 4)
        assert (picture[top : top + 42, left : left + 84] == 0).all()  # ink is dark
        assert (picture[top + 42 : top + 84, left : left + 84] == 255).all()


def differs(sheet: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Colours of `sheet` where it is not the same as `other`."""
    return sheet[(sheet != other).any(axis=2)].astype(int)


def test_right_answers_are_blue_and_wrong_ones_red():
    names = ["cat", "dog", "sun"]
    empty = plots.confusion_matrix(np.zeros((3, 3), int), names)
    right = differs(plots.confusion_matrix(np.eye(3, dtype=int), names), empty)
    wrong = differs(plots.confusion_matrix(np.roll(np.eye(3, dtype=int), 1, 1), names), empty)
    for colours, strong, weak in ((right, 2, 0), (wrong, 0, 2)):
        assert len(colours) > 3 * 1000
        # The figures in the cells are white.
        coloured = colours[(colours < 200).any(axis=1)]
        assert (coloured[:, strong] > coloured[:, weak]).mean() > 0.95


def test_the_diagonal_goes_down_to_the_right():
    names = ["a", "b"]
    empty = plots.confusion_matrix(np.zeros((2, 2), int), names)
    for cell in range(2):
        counts = np.zeros((2, 2), int)
        counts[cell, cell] = 5
        rows, columns = np.nonzero((plots.confusion_matrix(counts, names) != empty).any(axis=2))
        assert abs(rows.mean() - columns.mean()) < 2
        assert (rows.mean() > len(empty) * 0.55) == bool(cell)


def test_a_row_below_the_diagonal_belongs_to_its_label():
    names = ["a", "b"]
    empty = plots.confusion_matrix(np.zeros((2, 2), int), names)
    label_1_seen_as_0 = plots.confusion_matrix(np.array([[0, 0], [3, 0]]), names)
    rows, columns = np.nonzero((label_1_seen_as_0 != empty).any(axis=2))
    assert rows.mean() > columns.mean() + 20


def test_each_column_has_its_name_above_it():
    # The same width of names, so that nothing else in the picture moves.
    first = plots.confusion_matrix(np.zeros((2, 2), int), ["WWWW", "...."])
    second = plots.confusion_matrix(np.zeros((2, 2), int), ["WWWW", "WWWW"])
    margin = len(first) - 2 * 44 - 2
    above = (first != second).any(axis=2)[:margin]
    columns = np.nonzero(above)[1]
    assert len(columns) > 0
    assert columns.min() >= margin + 44


def test_shares_are_of_the_row():
    names = ["a", "b"]
    few = plots.confusion_matrix(np.array([[1, 1], [0, 2]]), names)
    many = plots.confusion_matrix(np.array([[50, 50], [0, 7]]), names)
    assert np.array_equal(few, many)


@pytest.mark.parametrize("classes", [1, 2, 62, 345])
def test_any_number_of_classes_fits(classes):
    names = [f"class number {label}" for label in range(classes)]
    sheet = plots.confusion_matrix(np.eye(classes, dtype=np.int64), names)
    height, width, channels = sheet.shape
    assert (channels, sheet.dtype) == (3, np.uint8)
    assert height == width
    assert 6 * classes < height < 3000


def test_bars_of_reliability_are_as_high_as_the_share_that_is_right():
    counts, right = np.array([0, 4, 4, 4]), np.array([0, 0.25, 0.5, 1])
    picture = plots.reliability_diagram(counts, right)
    assert picture.shape == (380, 380, 3)
    blue = (picture == (31, 119, 180)).all(axis=2)
    heights = [blue[:, 44 + 80 * bar + 20].sum() for bar in range(4)]
    # The line that they should end at crosses some of them.
    assert heights == pytest.approx([0, 80, 160, 320], abs=5)
