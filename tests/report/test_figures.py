"""Label errors, slices, beginnings, occlusion, feature maps, comparison: each on what it is for."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import quickdraw.report
from quickdraw.errors import QuickdrawError
from quickdraw.evaluation.metrics import Metrics
from quickdraw.records import ink
from quickdraw.report.answers import AnswersCollector
from quickdraw.report.beginnings import beginning
from quickdraw.report.confident_learning import suspicious
from quickdraw.report.network import _filter_picture, feature_maps, layers
from quickdraw.report.several import comparison
from quickdraw.report.shown import strokes_of


def test_swapped_labels_are_found():
    rng = np.random.default_rng(0)
    real = rng.integers(0, 4, 400)
    logits = rng.normal(0, 1, (400, 4)).astype(np.float32)
    logits[np.arange(400), real] += 4
    told = real.copy()
    swapped = rng.choice(400, 20, replace=False)
    told[swapped] = (real[swapped] + 1) % 4
    collector = AnswersCollector(4, 1.0)
    collector.add(logits, told, np.zeros(400, np.float32))
    found = suspicious(told, collector.answers(), 4)
    both = set(found.tolist()) & set(swapped.tolist())
    assert len(both) >= 15  # three of four
    assert len(both) >= 0.8 * len(found)


def test_a_class_without_drawings_is_never_the_right_one():
    collector = AnswersCollector(3, 1.0)
    truth = np.array([0, 1] * 10)
    logits = np.zeros((20, 3), np.float32)
    logits[np.arange(20), truth] = 1
    logits[:, 2] = 5  # nobody bears the class that all of them are called
    collector.add(logits, truth, np.zeros(20, np.float32))
    assert suspicious(truth, collector.answers(), 3).tolist() == []


points = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=8)
drawings = st.lists(points.map(lambda p: [list(axis) for axis in zip(*p, strict=True)]), min_size=1)


def length(strokes):
    return sum(float(np.hypot(*np.diff(np.array(each, float), axis=1)).sum()) for each in strokes)


@given(drawings, st.floats(0.01, 1))
def test_a_beginning_has_its_share_of_the_line(strokes, share):
    first = beginning(strokes, share)
    assert first and all(len(x) == len(y) >= 1 for x, y in first)
    assert length(first) == pytest.approx(share * length(strokes), abs=1e-6)
    assert first[0][0][0] == strokes[0][0][0]


timed = points.map(
    lambda p: [*(list(axis) for axis in zip(*p, strict=True)), [40 * at for at in range(len(p))]]
)


@given(st.lists(timed, min_size=1), st.integers(0, 900), st.floats(0.01, 0.99))
def test_a_beginning_by_time_is_what_was_drawn_by_then(parts, pause, share):
    strokes, now = [], 0
    for x, y, times in parts:
        strokes.append([x, y, [now + time for time in times]])
        now = strokes[-1][2][-1] + pause
    first = beginning(strokes, share, "time")
    whole = strokes[-1][2][-1]
    if whole:
        assert first[-1][2][-1] <= share * whole + 1e-6
        later = [stroke for stroke in strokes if 0 < stroke[2][0] < share * whole - 1e-6]
        assert len(first) >= len(later)
    assert first[0][0][0] == strokes[0][0][0]


def test_a_pause_counts_as_time_but_not_as_line():
    strokes = [[[0, 100], [0, 0], [0, 100]], [[0, 100], [50, 50], [900, 1000]]]
    assert beginning(strokes, 0.75) == [strokes[0], [[0, 50], [50, 50], [900, 950]]]
    assert beginning(strokes, 0.75, "time") == [strokes[0]]
    assert beginning(strokes, 0.05, "time") == [[[0, 50], [0, 0], [0, 50]]]


def test_all_of_a_drawing_is_the_drawing():
    strokes = [[[0, 255], [0, 0]], [[7], [9]]]
    assert beginning(strokes, 1.0) is strokes


def test_strokes_come_back_from_ink_with_their_sides():
    from quickdraw.drawings.rasterise import rasterise

    strokes = [[[0, 255, 255], [0, 0, 100]], [[30, 200], [80, 90]]]
    found = strokes_of(ink.ink_of(strokes), rasterise(strokes, 64))
    assert [len(x) for x, _ in found] == [3, 2]
    for stroke, expected in zip(found, strokes, strict=True):
        assert np.abs(np.array(stroke) - expected).max() < 8


def test_every_figure_shows_itself_and_becomes_json(seen, cnn_run, tiny_data):
    made = [
        getattr(quickdraw.report, name)(seen)
        for name in (
            *("headline", "curves", "classification", "confusion", "confident_mistakes"),
            *("unsure_hits", "label_errors", "reliability", "coverage", "slices", "occlusion"),
            *("feature_maps", "layers", "comparison", "disagreement"),
        )
    ]
    for figure in made:
        text = figure._repr_html_()
        assert text.startswith("<style>:is(.quickdraw, #quickdraw) {") and "body {" not in text
        assert figure.html("ko")
        json.dumps(figure.json(), allow_nan=False)
    assert quickdraw.report.early(seen) is None  # records without ink
    assert callable(quickdraw.report.confusion)
    alone = quickdraw.report.confusion(cnn_run, tiny_data.valid)
    assert sum(cell.count for cell in alone.cells) == 60


def test_the_bars_that_matter_stand_out(seen, tiny_data):
    """The class is told by a bar in rows 4 k … 4 k + 2: hiding it costs most."""
    found = quickdraw.report.occlusion(seen)
    assert len(found.examples) >= 3
    for example in found.examples:
        if example.is_right and example.probability > 0.9:
            label = seen.labels.index(example.name)
            rows = example.importance.max(axis=1)
            assert abs(rows.argmax() / 13 * 12 - (4 * label + 1)) < 3


def test_comparison(seen):
    found = comparison(seen)
    assert [row.to_best is None for row in found.rows] == [True, False]
    assert found.rows[0].headline.top1.value >= found.rows[1].headline.top1.value
    assert any(each.startswith("model=") for each in found.rows[1].differs)
    right = np.stack([each.right for each in seen.answers])
    assert found.all_right == right.all(axis=0).sum()
    assert found.ensemble["top1"].value == seen.together.right.mean()
    with pytest.raises(QuickdrawError, match="two runs or more"):
        comparison(seen.folders[0])


def test_the_ensemble_is_the_mean_of_the_probabilities(seen, tiny_data):
    from quickdraw.runs.ensemble import Ensemble

    together = Ensemble(seen.ensemble.models).probabilities(seen.inputs(range(60)))
    assert seen.together.confidence == pytest.approx(together.max(axis=1), abs=1e-5)


def test_convolutions_within_models_are_seen(seen, monkeypatch):
    inner = keras.Sequential([keras.layers.Conv2D(5, 3), keras.layers.ReLU()], name="block")
    images = keras.Input((12, 12, 1), dtype="uint8")
    x = inner(keras.layers.Rescaling(1 / 255)(images))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.DepthwiseConv2D(3)(x))
    model = keras.Model(images, keras.layers.Dense(3)(x))
    monkeypatch.setattr(seen.trained, "model", model)
    found = feature_maps(seen)
    assert [(each.kernel, each.channels) for each in found.convolutions] == [
        ([3, 3, 1, 5], 5),
        ([3, 3, 5, 1], 5),
    ]
    assert all(len(each._maps) == 3 for each in found.convolutions)
    assert model.layers[-1].call.__name__ == "call"  # nothing stays behind
    rows = layers(model).rows
    assert [row.kind for row in rows if row.weights] == ["Conv2D", "DepthwiseConv2D", "Dense"]
    assert sum(row.weights for row in rows) == model.count_params()


def test_one_dimensional_filters_are_pictures_too():
    assert _filter_picture(np.ones((5, 2, 3), np.float32)).startswith("data:image/png")


def test_metrics_are_those_of_eval(seen):
    for answers in seen.answers:
        assert isinstance(answers.metrics, Metrics) and answers.metrics.count == 60
        assert answers.right.mean() == answers.metrics.result()["top1"]
