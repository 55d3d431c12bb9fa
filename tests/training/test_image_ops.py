"""Operations on pixels: known displacements and rectangles give known pictures."""

import numpy as np
import pytest
import tensorflow as tf

from quickdraw.training import image_ops

IMAGES = tf.constant(np.random.default_rng(0).integers(0, 256, (3, 12, 12, 2), np.uint8))


def displacements(*both: float) -> tf.Tensor:
    """Everywhere the same: down and to the right."""
    return tf.zeros((3, image_ops.GRID, image_ops.GRID, 2)) + tf.constant(both, tf.float32)


def test_no_displacement_changes_nothing():
    assert np.array_equal(image_ops.bend(IMAGES, displacements(0, 0)), IMAGES)


def test_the_same_displacement_everywhere_moves_the_picture():
    expected = np.zeros_like(IMAGES)
    expected[:, :-2, 3:] = IMAGES[:, 2:, :-3]  # each pixel comes from 2 below, 3 to the left
    assert np.array_equal(image_ops.bend(IMAGES, displacements(2, -3)), expected)


def test_displacements_between_pixels_take_the_mean():
    expected = (tf.cast(IMAGES[:, :, :-1], tf.float32) + tf.cast(IMAGES[:, :, 1:], tf.float32)) / 2
    bent = image_ops.bend(IMAGES, displacements(0, 0.5))[:, :, :-1]
    assert np.abs(bent.numpy() - expected.numpy()).max() <= 0.5


def test_one_point_of_the_grid_moves_what_is_near():
    grid = np.zeros((3, image_ops.GRID, image_ops.GRID, 2), np.float32)
    grid[:, 0, 0] = 2
    changed = (image_ops.bend(IMAGES, tf.constant(grid)) != IMAGES).numpy().any(axis=(0, 3))
    assert changed[:3, :3].all()
    assert not changed[4:].any() and not changed[:, 4:].any()


def test_a_rectangle_in_the_middle_is_pasted():
    share = tf.fill((3,), 0.75)
    mixed, stayed = image_ops.paste(IMAGES, tf.zeros_like(IMAGES), share, *tf.zeros((2, 3)))
    expected = IMAGES.numpy()
    expected[:, 3:9, 3:9] = 0
    assert np.array_equal(mixed, expected)
    assert stayed.numpy() == pytest.approx(0.75)


def test_of_a_rectangle_over_the_edge_only_what_is_inside_counts():
    corner = tf.fill((3,), -1.0)
    _, stayed = image_ops.paste(IMAGES, IMAGES, tf.fill((3,), 0.75), corner, corner)
    assert stayed.numpy() == pytest.approx(1 - 9 / 144)
