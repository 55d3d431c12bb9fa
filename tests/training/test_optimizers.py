"""Muon: Keras' update, computed on the small Gram matrix, for kernels of convolutions too."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from quickdraw.training.optimizers import Muon


@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (9, 9), (3, 3, 2, 5), (1, 1, 8, 3), (5, 1)])
def test_the_update_is_that_of_keras(shape):
    gradient = np.random.default_rng(0).normal(size=shape).astype("float32")
    ours = Muon().zeropower_via_newtonschulz5(keras.ops.convert_to_tensor(gradient), 5)
    matrix = keras.ops.convert_to_tensor(gradient.reshape(-1, shape[-1]))
    expected = keras.optimizers.Muon().zeropower_via_newtonschulz5(matrix, 5)
    assert ours.shape == shape
    np.testing.assert_allclose(np.reshape(ours, matrix.shape), expected, atol=1e-5)


def test_a_gradient_of_zeros_changes_nothing():
    zeros = keras.ops.zeros((4, 3))
    np.testing.assert_array_equal(Muon().zeropower_via_newtonschulz5(zeros, 5), zeros)


def test_what_it_makes_is_nearly_orthogonal():
    gradient = np.random.default_rng(0).normal(size=(3, 3, 16, 8)).astype("float32")
    made = np.reshape(Muon().zeropower_via_newtonschulz5(gradient, 5), (-1, 8))
    singular = np.linalg.svd(made, compute_uv=False)
    assert singular.min() > 0.6
    assert singular.max() < 1.3
