"""Sample doodles: valid drawings, never two alike, and ten categories that can be told apart."""

import numpy as np
import pytest

from quickdraw.datasets.doodles.draw import CATEGORIES, draw
from quickdraw.drawings.rasterise import rasterise
from quickdraw.errors import QuickdrawError


def drawings(category, count, seed=0):
    rng = np.random.default_rng(seed)
    return [draw(category, rng) for _ in range(count)]


def images(category, count, seed=0):
    return np.array([rasterise(strokes) for strokes in drawings(category, count, seed)])


def test_the_categories_are_in_the_label_order_of_the_camp():
    assert CATEGORIES == (
        "ants",
        "boomerang",
        "cake",
        "lion",
        "monkey",
        "pig",
        "scissor",
        "skull",
        "television",
        "traffic_light",
    )


@pytest.mark.parametrize("category", CATEGORIES)
def test_drawings_are_simplified_strokes(category):
    for strokes in drawings(category, 200):
        for xs, ys in strokes:
            assert len(xs) == len(ys) >= 2
            assert all(type(value) is int for value in xs + ys)
        x, y = (np.concatenate([stroke[axis] for stroke in strokes]) for axis in (0, 1))
        assert min(x) == min(y) == 0
        assert max(max(x), max(y)) == 255


@pytest.mark.parametrize("category", CATEGORIES)
def test_no_two_of_200_are_alike(category):
    assert len({repr(strokes) for strokes in drawings(category, 200)}) == 200
    assert len({image.tobytes() for image in images(category, 200)}) == 200


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_seed_decides_everything(category):
    assert drawings(category, 20, seed=3) == drawings(category, 20, seed=3)
    assert drawings(category, 20, seed=3) != drawings(category, 20, seed=4)


@pytest.mark.parametrize("category", CATEGORIES)
def test_ink_and_length_are_those_of_a_doodle(category):
    ink = images(category, 200).mean(axis=(1, 2)) / 255
    assert 0.08 < np.median(ink) < 0.35
    assert ink.min() > 0.01
    assert ink.max() < 0.7
    points = [sum(len(xs) for xs, _ in strokes) for strokes in drawings(category, 200)]
    assert 5 <= np.median(points) <= 150


def test_the_categories_can_be_told_apart_but_not_easily():
    """Nearest class mean: far better than chance (10 %), far from perfect, as for real doodles."""
    means = np.array([images(category, 150).mean(axis=0).ravel() for category in CATEGORIES])
    right = []
    for label, category in enumerate(CATEGORIES):
        test = images(category, 50, seed=1).reshape(50, -1).astype(float)
        distances = ((test[:, None] - means) ** 2).sum(axis=2)
        right.append(distances.argmin(axis=1) == label)
    assert 0.3 < np.mean(right) < 0.8


def test_an_unknown_category_lists_the_known_ones():
    with pytest.raises(QuickdrawError, match=r"traffic_light.*Received: 'unicorn'"):
        draw("unicorn", np.random.default_rng(0))
