"""The network that a student's model builds, looked at before there is a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from quickdraw.components.base_model import BaseModel
from quickdraw.components.inputs import noise_for, unwrapped
from quickdraw.components.preprocessing import NORMALISE
from quickdraw.components.user_code import explained, mistake
from quickdraw.console import log
from quickdraw.errors import QuickdrawError

_SHAPING = (
    *("Cast", "Concatenate", "ExpandDims", "Flatten", "GetItem", "Reshape", "Resizing"),
    *("Squeeze", "Stack"),
)
_SHIFTS = ("Add", "Subtract")  # by a number
_DRAWINGS = 3
_NEAR = 0.02  # beyond what bfloat16 and other kernels for other sizes change
_MOMENTUM = "what PyTorch calls 0.1 is 0.9 in Keras"
_FAR = 50  # no network moves images of 0 to 1 by more
_TINY = 0.01  # no network scales images of 0 to 1 by less


def check_network(model: BaseModel, network: keras.Model) -> None:
    """Look at the network that a model built and that is to be trained; warn of unused layers.

    Raises:
        QuickdrawError: it cannot be trained, or not here.
    """
    function = type(model).create_model
    if tf.config.functions_run_eagerly():
        raise QuickdrawError(
            "tf.config.run_functions_eagerly(True) was called, and training needs compiled steps: "
            "leave it out, or call it with False"
        )
    if not network.trainable_variables:
        raise mistake(function, "makes nothing to train: no weights, or frozen ones only")
    coarse = [each.path for each in network.trainable_variables if "float16" in each.dtype]
    if coarse:
        raise mistake(
            function,
            "makes weights in half precision, for which steps are too small. Leave dtype out and "
            "use --precision, or write dtype='mixed_bfloat16', which keeps weights in float32. "
            f"Received: {', '.join(coarse)}",
        )
    first = [
        layer.name
        for layer in network._flatten_layers()
        if getattr(layer, "data_format", None) == "channels_first"
    ]
    if first and not tf.config.list_logical_devices("GPU"):
        raise mistake(
            function,
            "uses channels_first, which can be trained on a GPU only; images are channels_last, "
            "[batch, height, width, channels]: leave data_format out. "
            f"Received: {', '.join(first)}",
        )
    if scaled := _scaled_again(network):
        log(
            f"warning: {function.__qualname__} scales the images as if they were 0 to 255, and "
            f"they are 0 to 1 already: leave {', '.join(scaled)} out, or hardly anything is learned"
        )
    _check_modes(function, network)
    _check_answers(function, network)
    if unused := _unused(network):
        log(
            f"warning: {function.__qualname__} makes layers whose output nothing uses: "
            f"{', '.join(unused)}. They are left out"
        )


def _check_modes(function: Callable[..., keras.KerasTensor], network: keras.Model) -> None:
    """Warn where layers would not differ between training and prediction as they were meant to.

    Raises:
        QuickdrawError: statistics of a batch normalization that never change.
    """
    for layer in network._flatten_layers():
        momentum = getattr(layer, "momentum", 0.5)
        if not isinstance(layer, keras.layers.BatchNormalization) or 0.5 <= momentum < 1:
            continue
        meant = f"It is the share of the old statistics that is kept: {_MOMENTUM}"
        if momentum >= 1:
            raise mistake(
                function,
                f"makes {layer.name} with momentum={momentum:g}, so that its statistics never "
                f"change, and predictions mean nothing. {meant}",
            )
        log(
            f"warning: {function.__qualname__} makes {layer.name} with momentum={momentum:g}, and "
            f"predictions depend on its last few batches. {meant}"
        )
    always = [
        each.name
        for each in network.operations
        if any(node.arguments.kwargs.get("training") for node in each._inbound_nodes)
        and inspect.signature(each.call).parameters["training"].default is not True
    ]
    if always:
        log(
            f"warning: {function.__qualname__} calls {', '.join(always)} with training=True, which "
            "Keras passes over in prediction: layers are in the mode that the whole model is in"
        )


def _check_answers(function: Callable[..., keras.KerasTensor], network: keras.Model) -> None:
    """Warn where a drawing gets another answer the next time, or beside other drawings."""
    drawings = noise_for(network, _DRAWINGS)
    first = {name: array[:1] for name, array in drawings.items()}
    with explained(function):
        together, again, alone = (
            np.asarray(network(unwrapped(given), training=False), np.float32)[0]
            for given in (drawings, drawings, first)
        )
    near = _NEAR * (1 + np.abs(together).max())
    if np.abs(together - again).max() > near:
        log(
            f"warning: {function.__qualname__} answers at random, when it predicts, too: a layer "
            "that adds noise must do so in training only, def call(self, x, training=False)"
        )
    elif np.abs(together - alone).max() > near:
        log(
            f"warning: {function.__qualname__} answers otherwise where other drawings are in the "
            "batch: a mean, a maximum or a norm over axis 0, the batch, is not what predicts one "
            "drawing"
        )


def warn_of_single_drawings(network: keras.Model, drawings: int) -> None:
    """Warn where a batch normalization has one drawing a step to learn from."""
    kinds = keras.layers.BatchNormalization
    if drawings == 1 and any(isinstance(each, kinds) for each in network._flatten_layers()):
        log(
            "warning: with one drawing a step, BatchNormalization subtracts each drawing's own "
            "mean, and predictions are worse than training: a larger --batch_size"
        )


def _scaled_again(network: keras.Model) -> list[str]:
    """Return the names of the operations on the images, as they come, that are for 0 to 255."""
    found = []
    following = [layer for layer in network.layers if layer.name == NORMALISE]
    while following:
        for node in following.pop()._outbound_nodes:
            operation = node.operation
            if isinstance(operation, keras.Sequential) and operation.layers:
                operation = operation.layers[0]
            kind, arguments = type(operation).__name__, node.arguments.args
            numbers = _numbers(arguments)
            if kind in _SHIFTS and numbers and max(map(abs, numbers)) > _FAR:
                found.append(operation.name)
            elif kind in _SHAPING or (kind in _SHIFTS and numbers):
                following.append(operation)
            elif _factor(operation, arguments) < _TINY:
                found.append(operation.name)
    return list(dict.fromkeys(found))


def _numbers(arguments: tuple[object, ...]) -> list[float]:
    """Return the constants among the arguments of an operation: of an array, the mean."""
    constants = (int, float, np.ndarray, tf.Tensor)
    return [float(np.mean(each)) for each in arguments if isinstance(each, constants)]


def _factor(operation: keras.Operation, arguments: tuple[object, ...]) -> float:
    """Return what an operation multiplies its input with, as far as it is known."""
    numbers = _numbers(arguments)
    kind = type(operation).__name__
    if kind == "Rescaling":
        return float(np.max(np.abs(operation.scale)))
    if kind in ("Divide", "TrueDivide") and numbers and numbers[0]:
        return abs(1 / numbers[0])
    return abs(numbers[0]) if kind == "Multiply" and numbers and numbers[0] else 1.0


def _unused(network: keras.Model) -> list[str]:
    """Return the names of the layers with weights that follow from the inputs, but lead nowhere."""
    used = {id(operation) for operation in network.operations}
    following = [each._keras_history.operation for each in network.inputs]
    seen: dict[int, keras.Operation] = {}
    while following:
        operation = following.pop()
        if id(operation) not in seen:
            seen[id(operation)] = operation
            following += [node.operation for node in operation._outbound_nodes]
    return [each.name for key, each in seen.items() if key not in used and hasattr(each, "weights")]
