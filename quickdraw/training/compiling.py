"""The training step, ready to be taken: made, traced, and with XLA where that is faster."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import tensorflow as tf

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.training.data import feed as feeds
from quickdraw.training.data.feed import Feed
from quickdraw.training.plan import plan_of
from quickdraw.training.setup import Setup
from quickdraw.training.state import make_state
from quickdraw.training.step import TrainSteps

Rate = Callable[[tf.Tensor], tf.Tensor]
"""From a step, an integer scalar counted from 0, to its learning rate."""

_STEPS = 20
_WORTH_SECONDS = 60.0  # what compiling with XLA takes, with some to spare
_FASTER = 0.95


def make_train_steps(setup: Setup, rate: Rate) -> TrainSteps:
    """Make the compiled step and all that it works on.

    Args:
        setup: what is to be trained.
        rate: of each step.

    Raises:
        QuickdrawError: see `TrainSteps.trace`.
    """
    feed = feeds.create(setup.train, setup.settings, setup.devices)
    settings, here = setup.settings, setup.devices
    if settings.xla is None and not settings.deterministic and here.on_one_gpu:
        setup = with_xla(setup, is_faster_with_xla(setup, feed, rate))
    return _made(setup, feed, rate)


def with_xla(setup: Setup, chosen: bool) -> Setup:
    """Return the same setup with `--xla` decided."""
    return dataclasses.replace(setup, settings=dataclasses.replace(setup.settings, xla=chosen))


def is_faster_with_xla(setup: Setup, feed: Feed, rate: Rate) -> bool:
    """Measure whether XLA makes the steps faster, if the training is long enough to find out.

    The models whose steps are timed are thrown away.
    """
    plain = _seconds_a_step(with_xla(setup, False), feed, rate)
    if plain * plan_of(setup.settings, len(setup.train)).total < _WORTH_SECONDS:
        return False
    try:
        compiled = _seconds_a_step(with_xla(setup, True), feed, rate)
    except (QuickdrawError, tf.errors.OpError) as error:
        log(f"XLA cannot compile the step ({str(error).splitlines()[0]}): it is left out")
        return False
    log(f"a step takes {1e3 * plain:.2f} ms, with XLA {1e3 * compiled:.2f}")
    return compiled < _FASTER * plain


def _seconds_a_step(setup: Setup, feed: Feed, rate: Rate) -> float:
    """Return how long a step takes once it is compiled: the best of three calls."""
    train_steps, steps = _made(setup, feed, rate), min(_STEPS, feed.most_steps)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        train_steps(feed.inputs(0, steps), 0, steps, False, 0.0)
        seconds.append((time.perf_counter() - start) / steps)
    return min(seconds[1:])


def _made(setup: Setup, feed: Feed, rate: Rate) -> TrainSteps:
    with setup.devices.strategy.scope():
        train_steps = TrainSteps(setup, make_state(setup), feed, rate)
    train_steps.trace()
    return train_steps
