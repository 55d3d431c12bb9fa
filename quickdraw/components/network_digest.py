"""A network as a digest: is what a model builds now what it built when it was trained?

Its code alone does not say where that goes by a file, a variable of the environment or the time;
nor does Keras' description say what a layer of somebody's own looks up in its `call`.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import warnings
from typing import Any

import keras
import numpy as np

from quickdraw.components.inputs import noise_for, unwrapped
from quickdraw.components.user_code import is_users

# Names are counted on within a process; seeds are drawn where none is given; types follow from the
# precision, and modules from where the code lies. Of functions, `code_digest` tells.
_NO_MATTER = {"name", "seed", "dtype", "module", "registered_name", "code", "build_config"}
_LAYER_NAMES = ("keras_history", "input_layers", "output_layers")


def digest_of(network: keras.Model) -> str:
    """Return a digest of layers, settings, constants and connections, but not of the weights.

    Another version of Keras may describe the same network in another way.

    Returns:
        16 hexadecimal digits; "" where Keras cannot describe the network.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Lambda layers: nothing is loaded from this
            config = network.get_config()
    except Exception:  # layers of somebody's own may raise anything
        return ""
    text = json.dumps(_plain(config, {}), default=lambda thing: type(thing).__name__)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def answers_of(network: keras.Model) -> list[float]:
    """Return what a network answers to a fixed drawing with fixed weights, which are put into it.

    Returns:
        The logits; [] where nobody's own code takes part, or they are no numbers, or others the
        second time.
    """
    if not any(_runs_own_code(layer) for layer in network._flatten_layers()):
        return []
    random, drawing = np.random.default_rng(0), noise_for(network, 1)
    for weight in network.weights:
        if keras.backend.is_float_dtype(weight.dtype):
            weight.assign(_fixed(random, tuple(weight.shape)))
    first, second = (
        np.asarray(network(unwrapped(drawing), training=False), np.float64)[0] for _ in range(2)
    )
    return first.tolist() if np.isfinite(first).all() and np.allclose(first, second) else []


def _runs_own_code(layer: keras.Layer) -> bool:
    called = (
        type(layer).call,
        getattr(layer, "activation", None),
        getattr(layer, "function", None),
    )
    codes = [getattr(inspect.unwrap(each), "__code__", None) for each in called if callable(each)]
    return any(code and is_users(code.co_filename) for code in codes)


def _fixed(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return weights that neither fade nor explode from layer to layer."""
    if len(shape) < 2:  # biases, and statistics, which must not be negative
        return random.uniform(0.5, 1.5, shape)
    return random.normal(0, np.prod(shape[:-1]) ** -0.5, shape)


def _plain(part: Any, numbers: dict[str, int]) -> Any:
    """Return a part of a description without what does not matter, and layers by number."""
    if isinstance(part, dict):
        if "input_layers" in part:
            numbers = {layer["name"]: number for number, layer in enumerate(part["layers"])}
        return {
            str(key): _numbered(value, numbers) if key in _LAYER_NAMES else _plain(value, numbers)
            for key, value in part.items()
            if key not in _NO_MATTER and not str(key).endswith("_initializer")
        }
    if isinstance(part, list | tuple):
        return [_plain(each, numbers) for each in part]
    return part.tolist() if isinstance(part, np.ndarray | np.generic) else part


def _numbered(part: Any, numbers: dict[str, int]) -> Any:
    if isinstance(part, dict):
        return {str(key): _numbered(each, numbers) for key, each in part.items()}
    if isinstance(part, list | tuple):
        return [_numbered(each, numbers) for each in part]
    return numbers.get(part, part) if isinstance(part, str) else part
