"""Balanced predictions: equal shares, nothing else changed, better where the model was skewed."""

from __future__ import annotations

import csv
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw import inference
from quickdraw.evaluation.balance import balanced


def softmax(logits: np.ndarray) -> np.ndarray:
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 50))
def test_every_class_gets_the_same_share(seed, classes, count):
    logits = np.random.default_rng(seed).normal(size=(count, classes), scale=2)
    scores = softmax(logits)
    result = balanced(scores)
    assert result.shape == scores.shape and result.dtype == np.float32
    assert result.sum(axis=1) == pytest.approx(np.ones(count), abs=1e-4)
    assert result.mean(axis=0) == pytest.approx(np.full(classes, 1 / classes), rel=2e-3)
    # Only one factor a class: the odds of two classes change by the same in every drawing.
    change = np.log(result / scores)
    change -= change[:, :1]
    assert np.abs(change - change[0]).max() < 1e-3


def test_balanced_probabilities_stay_as_they_are():
    scores = np.array([[0.8, 0.2], [0.2, 0.8], [0.3, 0.7], [0.7, 0.3]])
    assert balanced(scores) == pytest.approx(scores)


def test_a_skewed_model_gets_better():
    rng = np.random.default_rng(0)
    labels = np.arange(2000) % 5
    logits = rng.normal(size=(2000, 5)) + 2 * np.eye(5)[labels]
    skewed = softmax(logits + np.array([2, 1, 0, -1, -2]))

    def right(scores):
        return (scores.argmax(axis=1) == labels).mean()

    assert right(balanced(skewed)) > right(skewed) + 0.1
    assert right(balanced(skewed)) == pytest.approx(right(softmax(logits)), abs=0.02)


def test_what_cannot_be_balanced_is_told(capsys):
    result = balanced(np.array([[0.7, 0.3, 0], [0.6, 0.4, 0]]))
    assert result.mean(axis=0) == pytest.approx([0.5, 0.5, 0], abs=1e-3)
    assert "only to 0% to 150% of 0.7 drawings" in capsys.readouterr().err


@pytest.mark.parametrize("top_k", [1, 3])
def test_inference_balances(tiny_data, tiny_run, tmp_path, top_k):
    output, every = tmp_path / "out.csv", tmp_path / "all.csv"
    flags = [
        f"--train_dir={tiny_run}",
        f"--input_data_pattern={tiny_data.folder}/test-0.tfrecord",
        f"--output_file={output}",
        f"--output_probabilities={every}",
        f"--top_k={top_k}",
        "--balance_classes",
        "--batch_size=16",
    ]
    assert inference.main(["inference", *flags]) == 0
    rows = list(csv.reader(output.read_text().splitlines()))[1:]
    assert [row[0] for row in rows] == list(tiny_data.answers)
    first = Counter(row[1].split()[0] for row in rows)
    assert sorted(first.values()) == [13, 13, 14]
    with open(every, newline="") as file:
        scores = [[float(row[name]) for name in tiny_data.labels] for row in csv.DictReader(file)]
    assert np.mean(scores, axis=0) == pytest.approx([1 / 3] * 3, rel=2e-3)
