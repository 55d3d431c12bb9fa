"""What to compute in: half the bits where this machine is faster with them, float32 elsewhere.

Weights are float32 whatever the precision (Micikevicius et al., Mixed Precision Training, section
3.1), so a model that was trained in one precision can be used in another.
"""

from __future__ import annotations

import time
from typing import Literal

import tensorflow as tf

from quickdraw.console import log

Precision = Literal["float32", "bfloat16", "float16"]

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
"""Keras' names of the precisions."""
# Of a convolution's time in float32: well below 1, so that noise does not decide.
_FASTER, _SLOWER = 0.9, 1.5
# NVIDIA, CUDA C++ Programming Guide, "Compute capabilities": the tensor cores' number formats.
_TENSOR_CORES = {"bfloat16": (8, 0), "float16": (7, 0)}


def fastest() -> Precision:
    """Return bfloat16 where this machine is faster in it, else float32.

    float16 is never chosen: its range needs a loss scale, and loses to bfloat16 on newer GPUs.
    """
    return "bfloat16" if _time_ratio("bfloat16") < _FASTER else "float32"


def for_prediction(trained_in: Precision) -> Precision:
    """Return what to predict in: what a model was trained in where that is faster, else float32."""
    return trained_in if _time_ratio(trained_in) < _FASTER else "float32"


def warn_if_slow(precision: Precision, what_to_do: str) -> None:
    """Warn where float32 is faster: on a CPU without instructions for the others."""
    ratio = _time_ratio(precision)
    if ratio > _SLOWER:
        log(
            f"warning: on this machine a convolution in {precision} takes {ratio:.1f} times as "
            f"long as in float32: {what_to_do}"
        )


def _time_ratio(precision: Precision) -> float:
    """Return how long a convolution takes, with its gradients, in units of its time in float32."""
    if precision == "float32":
        return 1.0
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        # A small convolution on a GPU says more of its launch than of its arithmetic.
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        oldest = min(each.get("compute_capability", (0, 0)) for each in details)
        return 0.5 if oldest >= _TENSOR_CORES[precision] else 1.0
    return _convolution_seconds(precision) / _convolution_seconds("float32")


def _convolution_seconds(dtype: str) -> float:
    """Time a convolution with its gradients: the best of three, after a warm-up, in seconds.

    One that is emulated takes a second or more: once is enough then.
    """
    images, kernel = tf.ones((16, 28, 28, 32), dtype), tf.ones((3, 3, 32, 32), dtype)
    seconds: list[float] = []
    while len(seconds) < 2 or (len(seconds) < 4 and sum(seconds) < 1):
        start = time.perf_counter()
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            convolved = tf.nn.conv2d(images, kernel, 1, "SAME")
        for gradient in tape.gradient(convolved, [images, kernel]):
            gradient.numpy()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
