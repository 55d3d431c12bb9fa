"""`--batch_size=auto`: how many drawings a step."""

from __future__ import annotations

import math

import keras
import numpy as np
import tensorflow as tf

from quickdraw import devices
from quickdraw.console import log
from quickdraw.devices import Distribution
from quickdraw.training.data import feed
from quickdraw.training.data.cache import Drawings
from quickdraw.training.settings import Settings

# The default rates were found with batches of 128 and 219 steps an epoch (docs/experiments.md).
_USUAL = 128
_STEPS_AN_EPOCH = 200
_MOST = 1024  # more are hardly faster on a GPU either, and take longer to the same accuracy
# Bytes in training over bytes that operations hand on, forward: on a CPU, CnnModel was measured to
# take 1.8, ResNetModel 0.6, MobileNetModel 0.7. The rest is for what a GPU needs inside operations.
_COPIES = 3
_SHARE_OF_MEMORY = 0.8
_COPIES_OF_WEIGHTS = 6  # gradients, two moments, a moving average, and their updates


def suggested(
    settings: Settings, network: keras.Model, drawings: Drawings, distribution: Distribution
) -> int:
    """Return how many drawings a step suits the devices, the same number in all processes.

    That is 128; on GPUs as many as their memory takes beside the drawings, if more, up to a 200th
    of the drawings and 1,024. Each part of a batch, by `--accumulate_steps` and over the devices,
    is a power of two.

    Args:
        settings: with a batch size of "auto".
        network: that is to be trained.
        drawings: that it is to be trained on.
        distribution: where.
    """
    parts = distribution.replicas * settings.accumulate_steps
    most = max(_USUAL, min(_MOST, drawings.total // _STEPS_AN_EPOCH))
    memory, why = devices.gpu_bytes(), "the default"
    if memory is None:
        most = _USUAL
    else:
        pixels = drawings.nbytes / len(drawings) * drawings.total
        resident = pixels if pixels <= feed.budget_of(settings) else 0
        weights = _COPIES_OF_WEIGHTS * 4 * network.count_params()
        free = _SHARE_OF_MEMORY * memory - resident - weights
        a_drawing = _COPIES * bytes_of_a_drawing(network)
        most = min(most, int(max(free, 0) / a_drawing) * parts)
        why = f"{memory / 1e9:,.0f} GB a GPU, {a_drawing / 1e6:,.2f} MB a drawing"
    of_a_part = 1 << (max(most // parts, 1).bit_length() - 1)
    # Processes whose machines differ must agree: the chief's counts.
    mine = np.array([of_a_part * parts * distribution.is_chief], np.int64)
    chosen = int(distribution.sum_over_workers(mine)[0])
    log(f"--batch_size=auto: {chosen} ({why})")
    return chosen


def bytes_of_a_drawing(network: keras.Model) -> int:
    """Return how much the values take that a network's operations hand on for one drawing."""
    values = [value for each in network.operations for value in keras.tree.flatten(each.output)]
    return sum(
        math.prod(side or 1 for side in value.shape[1:]) * tf.as_dtype(value.dtype).size
        for value in values
    )
