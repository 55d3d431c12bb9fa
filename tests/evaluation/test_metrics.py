"""Metrics, against the same figures counted one example at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.evaluation import metrics as metrics_module
from quickdraw.evaluation.metrics import Metrics, average_precision_at_3, ranks_of_labels


@st.composite
def predictions(draw, examples: int = 30):
    """(logits, labels, losses); few different scores, so that many are equal."""
    classes, count = draw(st.integers(1, 6)), draw(st.integers(1, examples))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    logits = rng.integers(-3, 4, (count, classes)).astype(np.float32) / 2
    return logits, rng.integers(0, classes, count), rng.random(count, np.float32)


def order(scores: np.ndarray) -> list[int]:
    """Classes, best first; of equal ones the first."""
    return sorted(range(len(scores)), key=lambda label: (-scores[label], label))


@given(predictions())
def test_ranks_are_places_in_the_order_of_the_scores(batch):
    logits, labels, _ = batch
    expected = [order(row).index(label) for row, label in zip(logits, labels, strict=True)]
    assert ranks_of_labels(logits, labels).tolist() == expected


def test_equal_scores_rank_in_label_order():
    assert ranks_of_labels(np.zeros((3, 3)), np.array([0, 1, 2])).tolist() == [0, 1, 2]


@pytest.mark.parametrize("scores", [[np.nan] * 4, [1, 0, np.nan, np.nan], [0, np.nan, 1, 2]])
def test_a_score_that_is_no_number_is_not_right(scores):
    labels = np.flatnonzero(np.isnan(scores))
    ranks = ranks_of_labels(np.tile(np.array(scores, np.float32), (len(labels), 1)), labels)
    assert (ranks > 0).all()


def test_average_precision_at_3():
    assert average_precision_at_3(np.array([0, 1, 2, 3, 9])).tolist() == [1, 1 / 2, 1 / 3, 0, 0]


def calibration_error(logits: np.ndarray, right: list[bool]) -> float:
    """Guo et al. 2017, equation 3, bin by bin."""
    exp = np.exp(logits.astype(float))
    sure = (exp / exp.sum(axis=1, keepdims=True)).max(axis=1)
    total = 0.0
    for low in range(15):
        inside = (low / 15 < sure) & (sure <= (low + 1) / 15)
        if inside.any():
            gap = abs(sure[inside].mean() - np.mean(np.array(right)[inside]))
            total += inside.sum() / len(right) * gap
    return total


def test_calibration_error_by_hand():
    # Sure to 0.9 and right twice of three times; sure to 0.6 and wrong: 3/4 * 7/30 + 1/4 * 0.6.
    logits = np.log([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.4, 0.6]])
    metrics = Metrics(2)
    metrics.update(logits, np.array([0, 0, 0, 0]), np.zeros(4))
    assert metrics.result()["ece"] == pytest.approx(0.75 * 7 / 30 + 0.25 * 0.6)


def test_temperature_changes_nothing_but_the_calibration_error():
    logits, labels = np.array([[4.0, 0.0], [4.0, 0.0]]), np.array([0, 1])
    cold, warm = Metrics(2), Metrics(2, temperature=1e6)
    for metrics in (cold, warm):
        metrics.update(logits, labels, np.ones(2))
    assert warm.result() == cold.result() | {"ece": pytest.approx(0, abs=1e-5)}
    assert cold.result()["ece"] == pytest.approx(1 / (1 + np.exp(-4)) - 0.5)


@pytest.mark.parametrize("scores", [[np.nan, np.nan], [np.inf, np.inf]])
def test_logits_that_are_no_numbers_have_no_calibration_error(scores):
    metrics = Metrics(2)
    metrics.update(np.array([scores]), np.array([0]), np.zeros(1))
    assert np.isnan(metrics.result()["ece"])


@given(predictions())
def test_the_figures_are_those_of_counting(batch):
    logits, labels, losses = batch
    classes = logits.shape[1]
    metrics = Metrics(classes)
    metrics.update(logits, labels, losses)

    best = [order(row) for row in logits]
    places = [ranking.index(label) for ranking, label in zip(best, labels, strict=True)]
    count = len(labels)
    assert metrics.count == count
    assert metrics.result() == pytest.approx(
        {
            "loss": sum(losses.tolist()) / count,
            "top1": sum(place == 0 for place in places) / count,
            "top3": sum(place < 3 for place in places) / count,
            "map3": sum(1 / (place + 1) for place in places if place < 3) / count,
            "ece": calibration_error(logits, [place == 0 for place in places]),
        }
    )
    for label in range(classes):
        for predicted in range(classes):
            assert metrics.confusion[label, predicted] == sum(
                (one, ranking[0]) == (label, predicted)
                for one, ranking in zip(labels, best, strict=True)
            )


@given(predictions())
def test_precision_and_recall_of_a_class(batch):
    logits, labels, losses = batch
    classes = logits.shape[1]
    metrics = Metrics(classes)
    metrics.update(logits, labels, losses)
    predicted = np.array([order(row)[0] for row in logits])
    per_class = metrics.per_class([f"class {label}" for label in range(classes)])
    assert list(per_class) == [f"class {label}" for label in range(classes)]
    for label, figures in enumerate(per_class.values()):
        right = int(((predicted == label) & (labels == label)).sum())
        assert figures["examples"] == (labels == label).sum()
        assert figures["precision"] == pytest.approx(right / max((predicted == label).sum(), 1))
        assert figures["recall"] == pytest.approx(right / max((labels == label).sum(), 1))
        total = figures["precision"] + figures["recall"]
        mean = 2 * figures["precision"] * figures["recall"] / total if total else 0
        assert figures["f1"] == pytest.approx(mean)


@given(predictions())
def test_means_over_the_classes(batch):
    """By scikit-learn's definition: macro over those that occur or are predicted."""
    logits, labels, losses = batch
    metrics = Metrics(logits.shape[1])
    metrics.update(logits, labels, losses)
    rows = list(metrics.per_class(list(map(str, range(logits.shape[1])))).values())
    seen = {*labels.tolist(), *(order(row)[0] for row in logits)}
    for kind in ("precision", "recall", "f1"):
        macro = sum(rows[label][kind] for label in seen) / max(len(seen), 1)
        weighted = sum(rows[label][kind] for label in labels) / max(len(labels), 1)
        assert metrics.means()["macro"][kind] == pytest.approx(macro)
        assert metrics.means()["weighted"][kind] == pytest.approx(weighted)


def test_means_of_an_example_by_hand():
    """Labels a a a b, predicted a a b b; nobody draws or predicts c."""
    metrics = Metrics(3)
    metrics.update(np.eye(3)[[0, 0, 1, 1]], np.array([0, 0, 0, 1]), np.zeros(4))
    assert metrics.means()["macro"] == pytest.approx(
        {"precision": (1 + 1 / 2) / 2, "recall": (2 / 3 + 1) / 2, "f1": (4 / 5 + 2 / 3) / 2}
    )
    assert metrics.means()["weighted"] == pytest.approx(
        {"precision": (3 + 1 / 2) / 4, "recall": 3 / 4, "f1": (3 * 4 / 5 + 2 / 3) / 4}
    )


@given(predictions(), st.data())
def test_batches_give_the_same_as_all_at_once(batch, data):
    logits, labels, losses = batch
    cut = data.draw(st.integers(0, len(labels)))
    whole, parts = Metrics(logits.shape[1]), Metrics(logits.shape[1])
    whole.update(logits, labels, losses)
    for part in (slice(0, cut), slice(cut, None)):
        parts.update(logits[part], labels[part], losses[part])
    assert parts.count == whole.count
    assert parts.result() == pytest.approx(whole.result())
    assert np.array_equal(parts.confusion, whole.confusion)


@given(predictions())
def test_many_classes_have_the_same_figures_and_no_confusion_matrix(batch):
    logits, labels, losses = batch
    classes = logits.shape[1]
    few, many, received = Metrics(classes), *(_without_confusion(classes) for _ in range(2))
    few.update(logits, labels, losses)
    many.update(logits, labels, losses)
    received.set_state(many.state())
    assert few.confusion.shape == (classes, classes)
    for metrics in (many, received):
        assert metrics.confusion.size == 0
        assert metrics.count == few.count
        assert metrics.result() == few.result()
        names = list(map(str, range(classes)))
        assert metrics.per_class(names) == few.per_class(names)
        assert metrics.means() == few.means()


def _without_confusion(classes: int) -> Metrics:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics_module, "MOST_CONFUSED", 0)
        return Metrics(classes)


def test_without_examples_every_figure_is_0():
    metrics = Metrics(2)
    assert metrics.count == 0
    assert metrics.result() == {"loss": 0, "top1": 0, "top3": 0, "map3": 0, "ece": 0}
    assert metrics.per_class(["a", "b"])["b"] == {
        **dict.fromkeys(("precision", "recall", "f1"), 0),
        "examples": 0,
    }
    assert set(metrics.means()["macro"].values()) == {0}


def test_reliability_and_what_is_most_confused():
    metrics = Metrics(3)
    logits = np.log(np.array([[0.9, 0.05, 0.05]] * 10 + [[0.3, 0.4, 0.3]] * 4))
    labels = np.array([0] * 8 + [1, 1] + [1, 2, 2, 2])
    for rows in (slice(0, 5), slice(5, 14)):  # as it comes
        metrics.update(logits[rows], labels[rows], np.zeros(len(labels[rows])))
    counts, confidence, right = metrics.reliability()
    there = counts > 0
    assert counts[there].tolist() == [4, 10]
    assert confidence[there] == pytest.approx([0.4, 0.9])
    assert right[there] == pytest.approx([0.25, 0.8])
    assert metrics.result()["ece"] == pytest.approx((4 * 0.15 + 10 * 0.1) / 14)
    assert metrics.most_confused(["a", "b", "c"]) == [("c", "b", 3, 1.0), ("b", "a", 2, 2 / 3)]
    again = Metrics(3)
    again.set_state(metrics.state())
    assert (again.reliability()[2] == right).all()


@pytest.mark.parametrize(
    ("logits", "labels", "told"),
    [
        ([[1, 0], [1, 0]], [0, 1], "warning: the model answers 'cat' to every drawing"),
        ([[1, 0], [0, 1]], [0, 1], ""),
        ([[1, 0], [1, 0]], [0, 0], ""),
        ([[np.nan, np.nan]] * 2, [0, 1], "answers 'cat'"),
    ],
)
def test_one_answer_to_everything_is_told(logits, labels, told, capsys):
    metrics = Metrics(2)
    metrics.update(np.array(logits, np.float32), np.array(labels), np.ones(2, np.float32))
    metrics.tell_one_answer(["cat", "dog"])
    warnings = capsys.readouterr().err
    assert told in warnings if told else warnings == ""
