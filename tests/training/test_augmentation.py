"""Augmentation: what is asked for happens, and only that; the same numbers for the same step."""

import numpy as np
import pytest
import tensorflow as tf

from quickdraw.errors import QuickdrawError
from quickdraw.training import Settings, fit
from quickdraw.training.augmentation import Augmentation


def drawings(count: int = 64, size: int = 28) -> np.ndarray:
    """An L in each image, off the centre: no mirror image, turn or shift of it is itself."""
    images = np.zeros((count, size, size, 1), np.uint8)
    images[:, 6:20, 9:12] = 255
    images[:, 17:20, 9:18] = 255
    return images


def apply(images: np.ndarray, step: int = 0, seed: int = 0, **params) -> np.ndarray:
    augmentation = Augmentation(**params)
    numbers = augmentation.numbers(seed, tf.constant(step), len(images))
    return augmentation.apply(tf.constant(images), numbers).numpy()


def test_nothing_asked_for_nothing_done():
    assert np.array_equal(apply(drawings()), drawings())


def test_half_of_the_drawings_are_mirrored():
    images = drawings(400)
    result = apply(images, flip=True)
    mirrored = [np.array_equal(one, images[0][:, ::-1]) for one in result]
    same = [np.array_equal(one, images[0]) for one in result]
    assert np.logical_xor(mirrored, same).all()
    assert 150 < sum(mirrored) < 250


@pytest.mark.parametrize(
    "params",
    [
        {"shift": 3.0},
        {"rotation": 20.0},
        {"scale": 0.3},
        {"shear": 0.3},
        {"thickness": 1.0},
        {"erasing": 1.0},
    ],
)
def test_drawings_change_each_in_its_own_way(params):
    images = drawings()
    result = apply(images, **params)
    assert result.shape == images.shape and result.dtype == np.uint8
    assert len({one.tobytes() for one in result}) >= 2
    assert (result != images).any(axis=(1, 2, 3)).mean() > 0.5
    assert (result.max(axis=(1, 2, 3)) > 100).mean() > 0.9


def test_shifts_stay_within_their_bound():
    centre = np.array([np.argwhere(one[..., 0] > 127).mean(axis=0) for one in drawings(1)])
    moved = [np.argwhere(one[..., 0] > 127).mean(axis=0) for one in apply(drawings(), shift=3.0)]
    distance = np.abs(np.array(moved) - centre)
    assert distance.max() <= 3.6
    assert distance.max(axis=0).min() > 2


def test_a_share_of_the_drawings_is_left_alone():
    images = drawings(400)
    for params in ({"thickness": 0.25}, {"erasing": 0.25}):
        changed = (apply(images, **params) != images).any(axis=(1, 2, 3)).mean()
        assert 0.1 < changed < 0.35


def test_numbers_follow_from_seed_and_step():
    images, params = drawings(), {"shift": 3.0, "flip": True}
    assert np.array_equal(apply(images, step=3, **params), apply(images, step=3, **params))
    assert not np.array_equal(apply(images, step=3, **params), apply(images, step=4, **params))
    assert not np.array_equal(apply(images, seed=1, **params), apply(images, seed=2, **params))


@pytest.mark.parametrize("params", [{"scale": 1.0}, {"erasing": 2.0}, {"thickness": -0.1}])
def test_shares_out_of_range_are_refused(params):
    with pytest.raises(QuickdrawError, match="must be from 0 to"):
        Augmentation(**params)


@pytest.mark.parametrize("optimizer", ["adamw", "lion", "muon", "sgd"])
def test_every_optimizer_learns_with_averages_and_augmentation(tiny_data, tmp_path, optimizer):
    rate = {"adamw": 0.01, "lion": 0.003, "muon": 0.01, "sgd": 0.1}[optimizer]
    settings = Settings(
        train_data_pattern=tiny_data.train,
        eval_data_pattern=tiny_data.valid,
        train_dir=str(tmp_path),
        model="CnnModel",
        model_params="filters=(8, 8), dense_units=16",
        optimizer=optimizer,
        base_learning_rate=rate,
        weight_decay=0.01,
        ema_decay=0.9,
        augment="shift=0.5, scale=0.05",
        batch_size=12,
        num_epochs=8.0,
    )
    trained = fit(settings)
    lines = (tmp_path / "metrics.csv").read_text().splitlines()
    top1 = lines[0].split(",").index("eval_top1")
    assert float(lines[-1].split(",")[top1]) > 0.9
    augment = trained.run.settings["augment"]
    assert (augment["shift"], augment["scale"], augment["flip"]) == (0.5, 0.05, False)
