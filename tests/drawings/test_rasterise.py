"""The rasteriser: what holds for any strokes, and agreement with the dataset's own bitmaps."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quickdraw.drawings.rasterise import rasterise
from quickdraw.errors import QuickdrawError

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "quickdraw"

coordinate = st.integers(0, 255)
stroke = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=12).map(
    lambda points: [list(axis) for axis in zip(*points, strict=True)]
)
drawings = st.lists(stroke, min_size=1, max_size=5)


def moved(strokes, dx, dy):
    return [[[x + dx for x in xs], [y + dy for y in ys]] for xs, ys in strokes]


def at_origin(strokes):
    return moved(strokes, -min(min(xs) for xs, _ in strokes), -min(min(ys) for _, ys in strokes))


def correlation(a, b):
    return np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1]


@settings(max_examples=60, deadline=None)
@given(drawings, st.sampled_from([28, 45, 96]))
def test_any_strokes_leave_ink_inside_the_image(strokes, size):
    image = rasterise(strokes, image_size=size)
    assert image.shape == (size, size)
    assert image.dtype == np.uint8
    dot = np.pi * (8 * size / 304) ** 2
    assert image.sum() / 255 > 0.9 * dot
    assert not np.concatenate((image[0], image[-1], image[:, 0], image[:, -1])).any()


@settings(max_examples=60, deadline=None)
@given(drawings, st.integers(8, 900), st.integers(-900, -300))
def test_place_on_the_paper_does_not_matter(strokes, dx, dy):
    strokes = at_origin(strokes)
    np.testing.assert_array_equal(rasterise(moved(strokes, dx, dy)), rasterise(strokes))


@settings(max_examples=60, deadline=None)
@given(drawings)
def test_direction_does_not_matter(strokes):
    backwards = [[xs[::-1], ys[::-1]] for xs, ys in strokes]
    difference = rasterise(strokes).astype(int) - rasterise(backwards)
    assert np.abs(difference).max() <= 40
    assert np.abs(difference).mean() < 1


@settings(max_examples=30, deadline=None)
@given(drawings)
def test_mirrored_strokes_give_the_mirrored_image(strokes):
    strokes = moved(at_origin(strokes), 300, 300)
    mirrored = [[[1000 - x for x in xs], ys] for xs, ys in strokes]
    assert correlation(rasterise(mirrored)[:, ::-1], rasterise(strokes)) > 0.97


def test_a_point_is_a_dot_in_the_middle():
    image = rasterise([[[10], [200]]]).astype(float)
    rows, columns = np.nonzero(image)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (13, 14, 13, 14)
    radius = 8 * 28 / 304
    assert image.sum() / 255 == pytest.approx(np.pi * radius**2, rel=0.06)


def test_a_line_is_as_thick_and_long_as_asked():
    image = rasterise([[[0, 255], [0, 0]]], image_size=304, line_width=16)
    rows, columns = np.nonzero(image > 127)
    assert abs(np.ptp(rows) + 1 - 16) <= 1
    assert abs(np.ptp(columns) + 1 - 271) <= 1


def test_overlapping_strokes_only_add_ink():
    cross = [[[0, 255], [0, 255]], [[255, 0], [0, 255]]]
    both = rasterise(cross)
    assert both[13:15, 13:15].min() == 255
    first, second = (rasterise([stroke]) for stroke in cross)
    assert (both >= np.maximum(first, second)).all()


def test_times_and_empty_strokes_are_ignored():
    plain = [[[0, 255], [0, 100]]]
    with_times = [[[0, 255], [0, 100], [0, 17]], [[], []]]
    np.testing.assert_array_equal(rasterise(with_times), rasterise(plain))


def test_arrays_of_any_kind_are_strokes_too():
    plain = [[[0, 200, 255], [0, 250, 100]]]
    small = [np.array(plain[0], dtype=np.uint8)]
    np.testing.assert_array_equal(rasterise(small), rasterise(plain))


@pytest.mark.parametrize(
    ("strokes", "words"),
    [
        ([], "empty"),
        ([[[], []]], "empty"),
        ([[[1, 2], [1]]], "different lengths"),
        ([[[1, float("nan")], [1, 2]]], "not finite"),
        ([[[1, 2], [1, float("inf")]]], "not finite"),
        ([[[0, 1000], [0, 0]]], "does not fit"),
        ([[[1, 2]]], "cannot be read"),
        ("no strokes", "cannot be read"),
        ([[["a"], ["b"]]], "cannot be read"),
        (None, "cannot be read"),
        (np.ones((3, 1, 2)), "cannot be read"),
    ],
)
def test_what_cannot_be_drawn_is_named_in_one_line(strokes, words):
    with pytest.raises(QuickdrawError, match=words) as caught:
        rasterise(strokes)
    assert "Received: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_agrees_with_the_bitmaps_of_the_dataset():
    bitmaps, drawings = DATA / "numpy_bitmap" / "monkey.npy", DATA / "simplified" / "monkey.ndjson"
    if not (bitmaps.exists() and drawings.exists()):
        pytest.skip(f"needs real drawings, which are not part of the repository: {bitmaps}")
    theirs = np.load(bitmaps)[:400].astype(float)
    lines = drawings.read_text().splitlines()[:250]
    ours = np.array([rasterise(json.loads(line)["drawing"]).ravel() for line in lines], float)
    table = np.corrcoef(ours, theirs)[: len(ours), len(ours) :]
    best = table.max(axis=1)
    found = best[best > 0.9]  # about a fifth of the drawings has no bitmap there
    assert len(found) > 0.7 * len(lines)
    assert found.mean() >= 0.998
    assert found.min() >= 0.995
