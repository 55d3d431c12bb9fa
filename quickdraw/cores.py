"""Each core of the CPU takes a share of a batch, where that is as good as all of it on all cores.

TensorFlow cuts every operation into pieces for its threads, and all wait for the last piece before
the next operation begins. With a thread for each operation, and a share of the batch for each core,
they wait once a step: two cores with AVX2 train `CnnModel` 1.4 times as fast.

The number of threads holds for a whole process and cannot be changed once TensorFlow has started,
so only commands choose it, whose process it is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TypeVar

import keras
import tensorflow as tf
from keras import layers

Nest = TypeVar("Nest")

_BY_USER = "TF_NUM_INTRAOP_THREADS"
_LEAST = 16  # drawings of a share: with fewer, dispatching operations takes the time

# What computes its output for a drawing from that drawing alone, in training too. Whatever is not
# here, such as BatchNormalization or a layer of one's own, may look at the whole batch.
_BY_DRAWING = {
    layers.Activation,
    layers.Add,
    layers.AlphaDropout,
    layers.Attention,
    layers.Average,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.Concatenate,
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv2DTranspose,
    layers.Cropping2D,
    layers.Dense,
    layers.DepthwiseConv2D,
    layers.Dropout,
    layers.ELU,
    layers.Embedding,
    layers.Flatten,
    layers.GRU,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.GroupNormalization,
    layers.InputLayer,
    layers.LSTM,
    layers.LayerNormalization,
    layers.LeakyReLU,
    layers.Masking,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.Maximum,
    layers.MultiHeadAttention,
    layers.Multiply,
    layers.PReLU,
    layers.Permute,
    layers.ReLU,
    layers.RepeatVector,
    layers.Rescaling,
    layers.Reshape,
    layers.SeparableConv2D,
    layers.SimpleRNN,
    layers.Softmax,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.UpSampling2D,
    layers.ZeroPadding2D,
}


def share_out(may_share: Callable[[], bool]) -> None:
    """Let each core take a share of each batch from now on, unless somebody chose the threads.

    To be called before TensorFlow starts; does nothing after that, or where there is a GPU.

    Args:
        may_share: whether they may; not asked where nothing can be done.
    """
    threading = tf.config.threading
    if threading.get_intra_op_parallelism_threads() or _BY_USER in os.environ:
        return
    if _cores() > 1 and not _has_gpu():
        with contextlib.suppress(RuntimeError):  # TensorFlow has started
            threading.set_intra_op_parallelism_threads(1)
            if not may_share():
                threading.set_intra_op_parallelism_threads(0)


def shares() -> int:
    """Return how many shares a batch is cut into: a share for each core, or one in all."""
    alone = tf.config.threading.get_intra_op_parallelism_threads() == 1
    return _cores() if alone and not _has_gpu() else 1


def in_shares(function: Callable[[Nest], tf.Tensor], batch: Nest) -> tf.Tensor:
    """Return `function(batch)`, computed for each core's share of the batch.

    Args:
        function: from a nest of tensors `[n, …]` to a nest of such tensors; what it computes for a
            drawing must depend on that drawing only.
        batch: the nest of tensors, all with the same first dimension.
    """
    first = tf.nest.flatten(batch)[0]
    count = shares()
    if first.shape[0] is not None:
        count = min(count, first.shape[0] // _LEAST)
    if count <= 1:
        return function(batch)
    size = tf.shape(first, tf.int64)[0]

    def of_share(number: int) -> tf.Tensor:
        rows = slice(size * number // count, size * (number + 1) // count)
        return function(tf.nest.map_structure(lambda each: each[rows], batch))

    every = map(of_share, range(count))
    return tf.nest.map_structure(lambda *each: tf.concat(each, 0), *every)


def goes_by_drawing(network: keras.Model) -> bool:
    """Return whether a network computes each drawing's output from that drawing, in training too.

    False for whatever is not known to.
    """
    if isinstance(network, keras.Sequential):
        return all(map(_goes_by_drawing, network.layers))
    return all(map(_goes_by_drawing, getattr(network, "operations", [None])))


def _goes_by_drawing(operation: object) -> bool:
    if isinstance(operation, keras.Model):
        return goes_by_drawing(operation)
    activation = getattr(operation, "activation", None)
    return (
        type(operation) in _BY_DRAWING
        and not getattr(operation, "stateful", False)
        # A term of the loss that each call replaces.
        and getattr(operation, "activity_regularizer", None) is None
        and (activation is None or activation.__module__.startswith("keras."))
    )


def _has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


def _cores() -> int:
    """Return how many cores this process may use, as TensorFlow counts them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
