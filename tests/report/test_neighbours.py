"""What lies next to a drawing in the features of a network."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from quickdraw.report import confident_learning
from quickdraw.report.features import unit, with_features
from quickdraw.report.neighbours import Neighbourhood, _features_of, neighbourhoods


def scene(features, truth, runs=1):
    """Runs that see these features, float `[n, d]`, of drawings with these labels."""
    answers = SimpleNamespace(
        featured=np.arange(len(features)), features=unit(np.array(features)).astype(np.float16)
    )
    return SimpleNamespace(
        names=["run"] * runs,
        answers=[answers] * runs,
        truth=np.array(truth),
        labels=["cat", "dog"],
    )


def test_a_wrong_label_lies_among_others():
    rng = np.random.default_rng(0)
    truth = np.arange(60) % 2
    features = np.eye(2)[truth] + rng.normal(0, 0.05, (60, 2))
    truth[7] = 0  # it is a dog, and lies with the dogs
    found = neighbourhoods(scene(features, truth, runs=2), np.array([7, 8]))
    assert found == [Neighbourhood("dog", 20, 20, 0), Neighbourhood("cat", 20, 20, 20)]


def test_among_equally_many_a_drawing_is_what_it_is_called():
    found = neighbourhoods(scene([[1, 0]] * 5, [1, 0, 0, 1, 1]), np.array([0, 1]))
    assert found == [Neighbourhood("dog", 2, 4, 2), Neighbourhood("dog", 3, 4, 1)]


def test_one_drawing_has_no_neighbours():
    assert neighbourhoods(scene([[1, 0]], [1]), np.array([0])) == [Neighbourhood("dog", 0, 0, 0)]


def test_features_that_were_not_kept_are_made_again(seen):
    which, wanted = 0, np.array([3, 7, 58])
    kept = _features_of(seen, which, wanted)
    answers = seen.answers[which]
    fewer = dataclasses.replace(
        answers, featured=answers.featured[::2], features=answers.features[::2]
    )
    again = dataclasses.replace(seen, answers=[fewer, *seen.answers[1:]])
    assert _features_of(again, which, wanted) == pytest.approx(kept, abs=1e-3)
    assert len(neighbourhoods(again, wanted)) == 3


def test_features_are_what_goes_into_the_last_layer(seen):
    images = seen.inputs(range(5))["image"]
    model = seen.trained.model
    logits, features = with_features(model)(images)
    assert logits == pytest.approx(seen.trained.logits(images), abs=1e-5)
    last = model.layers[-1]
    assert features @ last.kernel.numpy() + last.bias.numpy() == pytest.approx(logits, abs=1e-4)


def test_a_model_within_a_model_can_be_the_last_layer():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    given = keras.Input((4,))
    model = keras.Model(given, inner(keras.layers.ReLU()(given)))
    logits, features = with_features(model)(np.ones((2, 4), np.float32))
    assert (features == 1).all() and logits.shape == (2, 3)


def test_where_they_cannot_be_seen_logits_stand_for_them():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = keras.layers.Dense(3)

        def call(self, inputs):
            return self.last(inputs)

    logits, features = with_features(Own())(np.ones((2, 4), np.float32))
    assert (features == logits).all() and logits.shape == (2, 3)


def test_features_that_are_no_numbers_are_near_to_nothing():
    assert unit(np.array([[np.nan, np.inf], [3, 4]])).tolist() == [[0, 0], [0.6, 0.8]]


def test_of_very_many_likely_wrong_labels_the_first_are_looked_at(seen, monkeypatch):
    wrong = np.arange(len(seen.truth))
    monkeypatch.setattr(confident_learning, "suspicious", lambda *given: wrong)
    looked = []
    monkeypatch.setattr(confident_learning, "_MOST", 2)
    monkeypatch.setattr(
        confident_learning,
        "neighbourhoods",
        lambda seen, found: looked.extend(found) or neighbourhoods(seen, found),
    )
    confident_learning.label_errors(seen)
    mistaken = ~np.any([answers.right for answers in seen.answers], axis=0)
    assert looked == np.flatnonzero(mistaken)[:2].tolist()
