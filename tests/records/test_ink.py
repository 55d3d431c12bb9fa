"""Ink: strokes as one array, from records and to models."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.components import inputs
from quickdraw.errors import QuickdrawError
from quickdraw.records import example, ink

STROKES = [[[0, 255, 255], [0, 0, 255]], [[100, 50], [60, 80]]]


def test_models_get_so_many_points_and_see_which_are_there():
    rows = ink.padded(ink.ink_of(STROKES), 6)
    assert (rows.shape, rows.dtype) == ((6, 3), np.int16)
    np.testing.assert_allclose(rows[:4] / ink.SCALE, ink.ink_of(STROKES), atol=2e-5)
    assert rows[:4, 2].tolist() == [0, ink.SCALE, 0, ink.SCALE]
    assert rows[4:].tolist() == [[0, 0, -ink.SCALE]] * 2
    assert np.array_equal(ink.padded(ink.ink_of(STROKES), 3), rows[:3])
    assert (ink.padded(np.zeros((0, 3)), 2)[:, 2] < 0).all()


points = st.tuples(st.integers(0, 255), st.integers(0, 255))


@given(st.lists(points, min_size=2, max_size=40))
def test_mirrored_ink_is_that_of_the_mirror_image(places):
    x, y = np.array(places).T
    mirrored = ink.mirrored(ink.padded(ink.ink_of([[x, y]]), 50))
    expected = ink.padded(ink.ink_of([[255 - x, y]]), 50)
    np.testing.assert_allclose(mirrored, expected, atol=1)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "no feature 'ink'. The record has: image. Strokes are kept by .* --keep_strokes"),
        ({"ink": [0.0] * 6}, "no feature 'shape'"),
        ({"ink": [0.0] * 5, "shape": [2, 3]}, r"Received: 5 floats and the shape \[2, 3\]"),
        ({"ink": [0.0] * 6, "shape": [3, 2]}, r"Received: 6 floats and the shape \[3, 2\]"),
        ({"ink": [0.0] * 6, "shape": [1, 3]}, r"Received: 6 floats and the shape \[1, 3\]"),
        ({"ink": [0.0] * 6, "shape": [6]}, r"Received: 6 floats and the shape \[6\]"),
        ({"ink": [1] * 6, "shape": [2, 3]}, r"Received: 0 floats and the shape \[2, 3\]"),
        ({"ink": [0.0, float("nan"), 0.0], "shape": [1, 3]}, "must be finite. Received: nan"),
        ({"ink": [0.0, float("inf"), 0.0], "shape": [1, 3]}, "must be finite. Received: inf"),
        ({"ink": [0.0, 1.5, 0.0], "shape": [1, 3]}, "steps of -1…1.* Received: 0 to 1.5"),
        ({"ink": [0.0, 0.0, -1.0], "shape": [1, 3]}, "0 or 1 for the pen. Received: -1 to 0"),
    ],
)
def test_what_is_no_ink_is_told(fields, told):
    parsed = example.Example.FromString(example.serialise(image=b"", **fields))
    with pytest.raises(ValueError, match=told):
        example.ink_of(parsed)


def test_each_model_of_an_ensemble_gets_its_own():
    arrays = {"image": np.zeros((2, 5, 5, 1), np.uint8), "ink": np.zeros((2, 9, 3), np.int16)}
    assert list(inputs.part(arrays, ("image",), 128)) == ["image"]
    assert inputs.part(arrays, ("ink",), 4)["ink"].shape == (2, 4, 3)
    assert set(inputs.part(arrays, ("image", "ink"), 9)) == {"image", "ink"}


@pytest.mark.parametrize("wrong", [(), ("inc",), "ink", ("image", "label")])
def test_inputs_that_are_none(wrong):
    with pytest.raises(QuickdrawError, match=r"inputs must be some of .* Received: "):
        inputs.specs(wrong, 28, 1, 128)


def test_ink_of_a_record_without_any_point():
    parsed = example.Example.FromString(example.serialise(ink=[], shape=[0, 3]))
    assert example.ink_of(parsed).shape == (0, 3)
