"""A look at the network before TensorFlow starts, as its threads are chosen by it.

It is built in a forked process, in a graph: nothing that a student's code does while it builds
stays here, neither built layers nor what it prints.
"""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable
from typing import NoReturn

import keras
import tensorflow as tf

from quickdraw import cores
from quickdraw.components.base_model import BaseModel
from quickdraw.components.lookup import component
from quickdraw.training.settings import Settings

_SECONDS_TO_BUILD = 20


def goes_by_drawing(settings: Settings) -> bool:
    """Return whether the network that is to be trained computes each output from one drawing.

    False where that cannot be found out.
    """
    if settings.xla or not hasattr(os, "fork"):
        return False
    with warnings.catch_warnings():
        # Python warns of forks beside threads; those there are belong to NumPy.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _exit_if(lambda: cores.goes_by_drawing(_network(settings)))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _network(settings: Settings) -> keras.Model:
    # Looked up here: a student's module may start TensorFlow when it is imported.
    model = component(settings.model, settings.model_params, BaseModel)
    with tf.Graph().as_default():
        return model.build(settings.image_size or 28, 1, 10)


def _exit_if(holds: Callable[[], bool]) -> NoReturn:
    """End this forked process in silence and soon: with 0 if something holds."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_SECONDS_TO_BUILD)
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(1, 2)
        os._exit(0 if holds() else 1)
    finally:  # whatever happens: it must not go on as the parent does
        os._exit(1)
