"""Learning-rate schedules: which share of `--base_learning_rate` each step takes."""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf

from quickdraw.training.settings import Schedule, Settings

WARM_UP = 0.05

# The share that a point between 0 (the end of the warm-up) and 1 (the end of the training) takes.
_DECAYS: dict[Schedule, Callable[[tf.Tensor], tf.Tensor]] = {
    "constant": tf.ones_like,
    # Loshchilov & Hutter 2017, "SGDR", section 3.
    "cosine": lambda at: 0.5 * (1 + tf.cos(math.pi * at)),
    # He et al. 2016, "Deep Residual Learning", section 4.2.
    "step": lambda at: tf.where(at < 0.5, 1.0, tf.where(at < 0.75, 0.1, 0.01)),
    # The rest is up to the evaluations: see `Validation`.
    "plateau": tf.ones_like,
}


def share_of_rate(schedule: Schedule, step: tf.Tensor, steps: int) -> tf.Tensor:
    """Return the share of the highest learning rate that a step takes.

    All begin with a linear warm-up over 5 % of the steps, but "one_cycle" (Smith & Topin 2018,
    "Super-Convergence", section 3): 30 % up from 1/25 and 70 % down to 0, both along a cosine.

    Args:
        schedule: its name.
        step: counted from 0, a tensor of integers of any shape.
        steps: the length of the training.

    Returns:
        float32, the shape of `step`.
    """
    done = tf.cast(step, tf.float32) / steps
    if schedule == "one_cycle":
        up = 1 / 25 + (1 - 1 / 25) * (1 - _DECAYS["cosine"](done / 0.3))
        return tf.where(done < 0.3, up, _DECAYS["cosine"]((done - 0.3) / 0.7))
    # One step at least, and never 0: the first step shall count too.
    warm_up = max(WARM_UP, 1 / steps)
    rising = (done + 1 / steps) / warm_up
    return tf.where(rising <= 1, rising, _DECAYS[schedule]((done - warm_up) / (1 - warm_up)))


def planned_rate(settings: Settings, steps: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return the learning rate as a function of the step, for a training of so many steps.

    The function takes a tensor of integers, counted from 0, and returns float32 of its shape.
    """

    def rate(step: tf.Tensor) -> tf.Tensor:
        return settings.base_learning_rate * share_of_rate(settings.schedule, step, steps)

    return rate


def rising_rate(step: tf.Tensor, steps: int) -> tf.Tensor:
    """Return the learning rate of a range test: from 1e-6 in step 0 to 1 in the last.

    Args:
        step: counted from 0, a tensor of integers of any shape.
        steps: the length of the test.

    Returns:
        float32, the shape of `step`.
    """
    return 1e-6 ** (1 - tf.cast(step, tf.float32) / (steps - 1))
