"""The three channels: order of the strokes, time, speed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.drawings.channels import colours
from quickdraw.drawings.rasterise import rasterise


def pieces(*strokes):
    points = np.concatenate([np.array(stroke[:2], float).T for stroke in strokes])
    return colours(points, [len(stroke[0]) for stroke in strokes], strokes)


def test_order_fades_from_stroke_to_stroke():
    strokes = [[[0, 9], [i, i]] for i in range(13)]
    order = [colour[0] for _, _, colour in pieces(*strokes)]
    assert order == [255, 235, 215, 195, 175, 155, 135, 115, 95, 75, 55, 55, 55]


def test_time_runs_along_the_line():
    found = pieces([[0, 10, 20, 30], [0, 0, 0, 0]])
    assert [(first, last) for first, last, _ in found] == [(0, 1), (1, 2), (2, 3)]
    assert [colour[1] for _, _, colour in found] == [255, 155, 55]


def test_times_tell_time_and_speed():
    found = pieces([[0, 10, 20], [0, 0, 0], [0, 100, 110]], [[0, 10], [9, 9], [510, 610]])
    assert [colour[1] for _, _, colour in found] == [255, 216, 55]
    slow, fast, as_slow = (colour[2] for _, _, colour in found)
    assert slow == as_slow < 155 < fast


def test_a_dot_is_a_piece():
    assert [(first, last) for first, last, _ in pieces([[5], [5]], [[0, 9], [0, 9]])] == [
        (0, 0),
        (1, 2),
    ]


coordinate = st.integers(0, 255)
stroke = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=6).map(
    lambda points: [list(axis) for axis in zip(*points, strict=True)]
)


@given(st.lists(stroke, min_size=1, max_size=12))
def test_colours_are_never_too_dark(strokes):
    for _, _, colour in pieces(*strokes):
        assert all(55 <= value <= 255 for value in colour)


@pytest.mark.parametrize("size", [28, 64])
def test_the_ink_is_where_the_white_ink_is(size):
    strokes = [[[0, 255], [0, 200]], [[30, 100, 250], [250, 100, 0]]]
    white, coloured = rasterise(strokes, size), rasterise(strokes, size, channels=3)
    assert coloured.shape == (size, size, 3)
    assert (coloured > 0)[white > 60].all()
    assert (coloured.any(axis=2) == (white > 0)).mean() > 0.98
