"""Every figure that scikit-learn has too is the same there, on the same predictions."""

import numpy as np
import pytest

from quickdraw.report.answers import AnswersCollector
from quickdraw.report.classes import classification
from quickdraw.report.head import headline
from quickdraw.report.matrix import confusion
from quickdraw.report.sureness import reliability
from quickdraw.runs import load

metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn")


@pytest.fixture(scope="module")
def predictions(cnn_run, tiny_run, tiny_data, seen):
    """Labels, and probabilities of the best run, computed without the report."""
    from quickdraw.readers import QuickDrawFeatureReader

    batches = list(QuickDrawFeatureReader().batches(tiny_data.valid, 7))
    images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    best = load([cnn_run, tiny_run][seen.best])
    return labels, best.probabilities(images)


def test_classification_report(seen, predictions):
    labels, probabilities = predictions
    expected = metrics.classification_report(
        labels,
        probabilities.argmax(axis=1),
        labels=range(3),
        target_names=seen.labels,
        output_dict=True,
        zero_division=0,
    )
    found = classification(seen)
    for row in found.rows:
        of = expected[row.name]
        assert (row.precision, row.recall.value, row.f1, row.support) == pytest.approx(
            (of["precision"], of["recall"], of["f1-score"], of["support"])
        )
    for kind, means in found.means.items():
        of = expected[f"{kind} avg"]
        assert list(means.values()) == pytest.approx(
            [of["precision"], of["recall"], of["f1-score"]]
        )


def test_confusion_matrix(seen, predictions):
    labels, probabilities = predictions
    expected = metrics.confusion_matrix(labels, probabilities.argmax(axis=1), labels=range(3))
    found = np.zeros((3, 3), int)
    for name, guess, count in confusion(seen).json()["cells"]:
        found[seen.labels.index(name), seen.labels.index(guess)] = count
    assert found.tolist() == expected.tolist()


def test_headline(seen, predictions):
    labels, probabilities = predictions
    found = headline(seen)
    assert found.top1.value == metrics.accuracy_score(labels, probabilities.argmax(axis=1))
    assert found.top3.value == 1  # there are three classes
    assert found.nll.value == pytest.approx(metrics.log_loss(labels, probabilities), rel=1e-4)
    # With one right answer each, average precision at 3 is the reciprocal rank.
    reciprocal = metrics.label_ranking_average_precision_score(np.eye(3)[labels], probabilities)
    assert found.map3.value == pytest.approx(reciprocal)


def test_top3_of_many_classes():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(500, 9)).astype(np.float32), rng.integers(0, 9, 500)
    collector = AnswersCollector(9, 1.0)
    collector.add(logits, labels, np.zeros(500, np.float32))
    ranks = collector.answers().ranks
    assert (ranks < 3).mean() == metrics.top_k_accuracy_score(labels, logits, k=3, labels=range(9))


def test_reliability(seen, predictions):
    from sklearn.calibration import calibration_curve

    labels, probabilities = predictions
    right = probabilities.argmax(axis=1) == labels
    expected, confidence = calibration_curve(right, probabilities.max(axis=1), n_bins=15)
    found = reliability(seen).before
    there = np.array(found.counts) > 0
    assert np.array(found.right)[there] == pytest.approx(expected)
    assert np.array(found.confidence)[there] == pytest.approx(confidence, abs=1e-5)
