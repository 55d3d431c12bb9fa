"""Augmentation: what is asked for happens, and only that; the same numbers for the same step."""

import numpy as np
import pytest
import tensorflow as tf

from quickdraw.errors import QuickdrawError
from quickdraw.training import Settings, fit
from quickdraw.training.augmentation import Augmentation, Mixed


def drawings(count: int = 64, size: int = 28) -> np.ndarray:
    """An L in each image, off the centre: no mirror image, turn or shift of it is itself."""
    images = np.zeros((count, size, size, 1), np.uint8)
    images[:, 6:20, 9:12] = 255
    images[:, 17:20, 9:18] = 255
    return images


def apply(images: np.ndarray, step: int = 0, seed: int = 0, **params) -> np.ndarray:
    augmentation = Augmentation(**params)
    numbers = augmentation.numbers(seed, tf.constant(step), len(images))
    labels = tf.constant(np.arange(len(images), dtype=np.int32) % 4)
    return augmentation.of_classes(list("abcd")).apply(tf.constant(images), labels, numbers).numpy()


def test_nothing_asked_for_nothing_done():
    assert np.array_equal(apply(drawings()), drawings())


def test_half_of_the_drawings_are_mirrored():
    images = drawings(400)
    result = apply(images, flip=True)
    mirrored = [np.array_equal(one, images[0][:, ::-1]) for one in result]
    same = [np.array_equal(one, images[0]) for one in result]
    assert np.logical_xor(mirrored, same).all()
    assert 150 < sum(mirrored) < 250


def test_classes_that_are_never_mirrored():
    images = drawings(400)
    changed = (apply(images, flip=True, never_flip=("b", 3)) != images).any(axis=(1, 2, 3))
    by_class = changed.reshape(-1, 4).sum(axis=0)
    assert by_class[1] == by_class[3] == 0
    assert (by_class[[0, 2]] > 30).all() and (by_class[[0, 2]] < 70).all()


@pytest.mark.parametrize("never_flip", [("cats",), (2,), (-1,)])
def test_a_class_that_is_not_there_is_named(never_flip):
    with pytest.raises(QuickdrawError, match=r"never_flip: no class.*Known: cat, dog"):
        Augmentation(flip=True, never_flip=never_flip).of_classes(["dog", "cat"])


def test_never_flip_without_flip_is_refused():
    with pytest.raises(QuickdrawError, match="never_flip is for flip=True"):
        Augmentation(never_flip=("b",))


@pytest.mark.parametrize(
    "params",
    [
        {"shift": 3.0},
        {"rotation": 20.0},
        {"scale": 0.3},
        {"shear": 0.3},
        {"elastic": 2.0},
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


@pytest.mark.parametrize("params", [{"shift": 3.0, "flip": True}, {"elastic": 2.0}])
def test_numbers_follow_from_seed_and_step(params):
    images = drawings()
    assert np.array_equal(apply(images, step=3, **params), apply(images, step=3, **params))
    assert not np.array_equal(apply(images, step=3, **params), apply(images, step=4, **params))
    assert not np.array_equal(apply(images, seed=1, **params), apply(images, seed=2, **params))


@pytest.mark.parametrize(
    "params",
    [
        {"scale": 1.0},
        {"erasing": 2.0},
        {"thickness": -0.1},
        {"mixup": -1.0},
        {"elastic": -1.0},
        {"shift": -1.0},
        {"rotation": 200.0},
    ],
)
def test_numbers_out_of_range_are_refused(params):
    with pytest.raises(QuickdrawError, match="must be from 0 to"):
        Augmentation(**params)


def flat_images(labels: np.ndarray) -> tf.Tensor:
    """All of an image has a value that tells its label, 20 times as large."""
    values = 20 * labels[:, None, None, None] + np.zeros((1, 28, 28, 1))
    return tf.constant(values.astype(np.uint8))


def mix(labels: np.ndarray, **params) -> tuple[np.ndarray, Mixed]:
    """Mixed `flat_images`, and what they are to be taken for."""
    augmentation = Augmentation(**params)
    numbers = augmentation.numbers(0, tf.constant(3), len(labels))
    images, mixed = augmentation.mix(flat_images(labels), tf.constant(labels), numbers)
    return images.numpy(), Mixed(*(part.numpy() for part in mixed))


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"shift": 0.1}, "shift=0.1 is in pixels"),
        ({"rotation": 0.05}, "rotation=0.05 is in degrees"),
        ({"shift": 15}, "shift=15 moves drawings out of their images of 28 x 28 pixels"),
        ({"shift": 2, "rotation": 10}, ""),
    ],
)
def test_shares_that_were_meant_are_told(params, told, capfd):
    Augmentation(**params).warn_of_units(28)
    error = capfd.readouterr().err
    assert told in error
    assert ("warning" in error) == bool(told)


@pytest.mark.parametrize(
    "params", [{"mixup": 1.0}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}], ids=str
)
def test_images_and_labels_are_mixed_in_the_same_shares(params):
    labels = np.arange(400, dtype=np.int32) % 11
    images, mixed = mix(labels, **params)
    value = 20 * (mixed.share * mixed.labels + (1 - mixed.share) * mixed.others)
    assert images.mean(axis=(1, 2, 3)) == pytest.approx(value, abs=0.51)
    neighbours = labels.reshape(-1, 2)[:, ::-1].ravel()
    assert np.array_equal(mixed.labels + mixed.others, labels + neighbours)
    assert (mixed.share >= 0.5).all() and len(set(mixed.share)) > 100
    whole = images.min(axis=(1, 2, 3)) == images.max(axis=(1, 2, 3))  # laid over, not cut
    expected = {"mixup": (1, 1), "cutmix": (0, 0.2), "mixup cutmix": (0.4, 0.6)}
    low, high = expected[" ".join(params)]
    assert low <= whole.mean() <= high


@pytest.mark.parametrize("alpha", [0.01, 0.2, 1.0, 5.0])
def test_shares_are_beta_distributed(alpha):
    share = mix(np.zeros(20_000, np.int32), mixup=alpha)[1].share
    assert np.isfinite(share).all()
    variance = np.mean((share - 0.5) ** 2)
    assert variance == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.03)


def test_a_device_mixes_its_even_share_as_all_together_would():
    labels = np.arange(12, dtype=np.int32)
    augmentation = Augmentation(mixup=1.0, cutmix=1.0)
    images, numbers = flat_images(labels), augmentation.numbers(0, tf.constant(3), 12)
    whole, mixed = augmentation.mix(images, tf.constant(labels), numbers)
    part, targets = augmentation.mix(images[4:10], tf.constant(labels[4:10]), numbers[4:10])
    assert np.array_equal(whole[4:10], part)
    assert all(np.array_equal(each[4:10], mine) for each, mine in zip(mixed, targets, strict=True))


def test_the_last_of_an_odd_share_stays_as_it_is():
    labels = np.arange(5, dtype=np.int32)
    images, mixed = mix(labels, mixup=1.0)
    assert (images[4] == 80).all()
    assert mixed.labels[4] == mixed.others[4] == 4


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "lion", "muon", "sgd"])
def test_every_optimizer_learns_with_averages_and_augmentation(tiny_data, tmp_path, optimizer):
    rate = {"lion": 0.003, "sgd": 0.1}.get(optimizer, 0.01)
    settings = Settings(
        train_data_pattern=tiny_data.train,
        eval_data_pattern=tiny_data.valid,
        train_dir=str(tmp_path),
        model="CnnModel",
        model_params="filters=(8, 8), dense_units=16",
        optimizer=optimizer,
        base_learning_rate=rate,
        weight_decay=0.0 if optimizer == "adam" else 0.01,
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
