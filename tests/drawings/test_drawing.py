"""The checks that every drawing passes, and raw strokes made simplified."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quickdraw.datasets import splits
from quickdraw.drawings import simplify as simplification
from quickdraw.drawings.drawing import SkippedDrawing, checked, from_fields
from quickdraw.drawings.rasterise import rasterise
from quickdraw.drawings.simplify import simplify

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "quickdraw"

pixels = st.floats(-2000, 2000) | st.integers(-2000, 2000)
raw_stroke = st.lists(st.tuples(pixels, pixels, st.integers(0, 20_000)), min_size=1, max_size=12)
raw_drawings = st.lists(raw_stroke, min_size=1, max_size=4).map(
    lambda strokes: [[list(axis) for axis in zip(*points, strict=True)] for points in strokes]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("strokes", "reason"),
    [
        ([], "no strokes"),
        ([[[], []]], "no strokes"),
        ([[[3], [4]]], "one point only"),
        ([[[3], [4]], [[], []]], "one point only"),
        ([[[1, 2], [1]]], "x and y of different lengths"),
        ([[[1, 2], [1, 2], [0]]], "x and y of different lengths"),
        ([[[1, 256], [1, 2]]], r"coordinates outside 0\.\.\.255. Received: 1 to 256"),
        ([[[1, -1], [1, 2]]], r"coordinates outside 0\.\.\.255"),
        ([[[1, math.nan], [1, 2]]], "not finite"),
        ([[[1, math.inf], [1, 2]]], "not finite"),
        ([[[1, 10**30], [1, 2]]], "no number"),
        ([[[1, "2"], [1, 2]]], "no number"),
        ([[[1, None], [1, 2]]], "no number"),
        ([[[1, [2]], [1, 2]]], "not strokes"),
        ([[[1, 2]]], "not strokes"),
        ([["12", "34"]], "not strokes"),
        ([[1, 2], [3, 4]], "not strokes"),
        ("strokes", "not strokes"),
        (None, "not strokes"),
        ({"a": 1}, "not strokes"),
        ([[[0] * 20_001, [0] * 20_001]], "too many points. Received: 20,001"),
        ([[[0, 2e6], [0, 1], [0, 1]]], "outside the screen"),
        ([[[0, 2], [0, 1], [0, math.nan]]], "a time that is not finite"),
        ([[[0, 2], [0, 1], [0, "x"]]], "a time that is no number"),
        ([[[0, 2], [0, 1], [0, 10**400]]], "a time that is no number"),
    ],
)
def test_what_is_skipped_says_why(strokes, reason):
    with pytest.raises(SkippedDrawing, match=reason) as caught:
        checked(strokes)
    assert "\n" not in str(caught.value)
    assert len(caught.value.reason) < 40


def test_good_strokes_stay_as_they_are():
    strokes = [[[0, 255], [3, 4]], [[1.5], [2]]]
    assert checked([*strokes, [[], []]]) == strokes


@settings(deadline=None)
@given(anything)
def test_anything_is_a_drawing_or_skipped(value):
    try:
        strokes = checked(value)
    except SkippedDrawing:
        return
    assert sum(len(stroke[0]) for stroke in strokes) > 1
    rasterise(strokes)


@given(st.dictionaries(st.sampled_from(["drawing", "word", "key_id", "recognized"]), anything))
def test_any_fields_are_a_drawing_or_skipped(fields):
    try:
        drawing = from_fields(fields, "cat", None)
    except SkippedDrawing:
        return
    assert drawing.word is None or isinstance(drawing.word, str)


@settings(deadline=None)
@given(raw_drawings)
def test_raw_strokes_are_drawn_like_simplified_ones(strokes):
    simple = simplify(strokes)
    points = np.concatenate([np.array(stroke[:2]).T for stroke in simple])
    assert points.min() >= 0 and points.max() <= 255
    assert len(simple) == len(strokes)
    for stroke, thinned in zip(strokes, simple, strict=True):
        assert 1 <= len(thinned[0]) == len(thinned[1]) == len(thinned[2])
        assert thinned[2][0] == stroke[2][0] and thinned[2][-1] == stroke[2][-1]
    rasterise(simple)


def test_times_stay_with_their_points():
    (stroke,) = simplify([[[0, 100, 200, 200], [0, 0, 0, 200], [0, 10, 20, 50]]])
    assert stroke == [[0, 255, 255], [0, 0, 255], [0, 20, 50]]


def test_an_endless_scribble_is_thinned_part_by_part(monkeypatch):
    """Thinning takes the square of a stroke's length at worst: 20,000 points took minutes."""
    lengths, thin = [], simplification._thin

    def noted(part):
        lengths.append(len(part))
        return thin(part)

    monkeypatch.setattr(simplification, "_thin", noted)
    count = 20_000
    zigzag = [[255 * (i % 2) for i in range(count)], [i / 80 for i in range(count)]]
    (stroke,) = simplify([zigzag])
    assert len(lengths) > 100 and sum(lengths) < 21_000
    assert (stroke[0][0], stroke[1][0], stroke[0][-1], stroke[1][-1]) == (0, 0, 255, 250)


def test_a_cut_scribble_is_drawn_like_a_whole_one(monkeypatch):
    turns = np.linspace(0, 40, 900)
    spiral = [(turns * np.cos(turns)).tolist(), (turns * np.sin(turns)).tolist()]
    whole = rasterise(simplify([spiral]))
    monkeypatch.setattr(simplification, "_PART", 500)
    (stroke,) = simplify([spiral])
    points = list(zip(*stroke, strict=True))
    assert all(a != b for a, b in itertools.pairwise(points))
    assert np.corrcoef(rasterise([stroke]).ravel(), whole.ravel())[0, 1] > 0.97


def test_agrees_with_the_simplified_files_of_the_dataset():
    raw, simple = (DATA / "raw", DATA / "simplified")
    if not (raw.exists() and simple.exists()):
        pytest.skip(f"needs real drawings, which are not part of the repository: {raw}")
    known = {}
    for path in (*simple.glob("*.ndjson"), *(DATA / "simplified_26").glob("*.ndjson")):
        lines = map(json.loads, path.read_text().splitlines())
        known |= {line["key_id"]: line["drawing"] for line in lines}
    lines = [
        json.loads(line) for path in raw.glob("*.ndjson") for line in path.read_text().splitlines()
    ]
    pairs = [(checked(d["drawing"]), known[d["key_id"]]) for d in lines if d["key_id"] in known]
    same = [[stroke[:2] for stroke in ours] == theirs for ours, theirs in pairs]
    assert len(same) > 100
    assert np.mean(same) > 0.85
    images = [[rasterise(one).ravel().astype(float) for one in pair] for pair in pairs]
    assert min(np.corrcoef(*pair)[0, 1] for pair in images) > 0.95


coordinate = st.integers(0, 255)
stroke = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=8).map(
    lambda points: [list(axis) for axis in zip(*points, strict=True)]
)


@given(st.lists(stroke, min_size=1, max_size=5), st.randoms())
def test_copies_have_the_same_content(strokes, random):
    content = splits.content_of_strokes(strokes)
    copy = [[axis[::-1] for axis in s] if random.random() < 0.5 else s for s in strokes]
    random.shuffle(copy)
    assert splits.content_of_strokes(copy) == content
    left, top = (min(min(s[axis]) for s in strokes) for axis in (0, 1))
    moved = [
        [[x - left + 0.2 for x in xs], [y - top for y in ys], [0] * len(xs)] for xs, ys in copy
    ]
    assert splits.content_of_strokes(moved) == content


def test_other_drawings_have_another_content():
    square = [[[0, 0, 9, 9], [0, 9, 9, 0]]]
    others = [
        [[[0, 9, 0, 9], [0, 9, 9, 0]]],
        [[[0, 0, 9], [0, 9, 9]], [[9], [0]]],
        [[[0, 0, 9, 9], [0, 9, 9, 1]]],
    ]
    contents = {splits.content_of_strokes(strokes) for strokes in (square, *others)}
    assert len(contents) == 4
