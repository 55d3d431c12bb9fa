"""A student's code, tried before there is a run: what is wrong shows in one line."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from quickdraw.components.base_loss import BaseLoss
from quickdraw.components.base_model import BaseModel
from quickdraw.components.lookup import find
from quickdraw.components.user_code import (
    explained,
    failure,
    in_one_line,
    mistake,
    place_of,
    reason,
    start_of,
)
from quickdraw.console import log
from quickdraw.errors import QuickdrawError

if TYPE_CHECKING:
    from quickdraw.training.setup import Setup


def check_loss(loss: BaseLoss, num_classes: int) -> None:
    """Trace the loss, and ask it for some examples' values and gradients.

    Raises:
        QuickdrawError: it fails, or returns what no training can use.
    """
    function = type(loss).calculate_loss
    _check_arguments(loss, function)
    count = 6 if num_classes != 6 else 7  # so that no other axis passes for that of the examples
    logits = tf.constant(np.random.default_rng(0).normal(size=(count, num_classes)), tf.float32)
    labels = tf.range(count, dtype=tf.int32) % num_classes
    with explained(function), tf.GradientTape() as tape:
        # Of any number of examples, as an evaluation has.
        traced = tf.function(loss.calculate_loss).get_concrete_function(
            tf.TensorSpec((None, num_classes)), tf.TensorSpec((None,), tf.int32)
        )
        tape.watch(logits)
        values = traced(logits, labels)
    if getattr(values, "shape", None) != (count,):
        mean = ", so without a mean over them" if getattr(values, "shape", None) == () else ""
        raise mistake(
            function,
            f"must return one value an example, of shape (batch,){mean}. "
            f"Received for a batch of {count}: {getattr(values, 'shape', values)}",
        )
    if own := [variable.name for variable in traced.graph.trainable_variables]:
        raise mistake(
            function,
            f"uses variables that no training changes and no checkpoint keeps: {', '.join(own)}. "
            "Numbers, or variables that build(classifier) returns, expected",
        )
    gradient = tape.gradient(values, logits) if values.dtype.is_floating else None
    nothing = gradient is None
    if gradient is not None and num_classes > 1:  # of one class there is nothing to learn
        nothing = not tf.reduce_any(tf.convert_to_tensor(gradient) != 0)
    if nothing and not (loss.needs_features or loss.needs_teacher):
        raise mistake(
            function,
            "has no gradient, so nothing can be learned from it: it must be differentiable with "
            "respect to the logits. What compares, rounds, casts to whole numbers, takes an argmax "
            "or calls NumPy is not",
        )


def _check_arguments(loss: BaseLoss, function: Callable) -> None:
    asked = ["features"] * loss.needs_features + ["teacher_logits"] * loss.needs_teacher
    try:
        for keywords in ([], asked):
            inspect.signature(function).bind(loss, 0, 0, **dict.fromkeys(keywords))
    except TypeError as error:
        expected = ", ".join(["logits", "labels", *(f"{name}=None" for name in asked)])
        raise mistake(
            function, f"has other arguments: calculate_loss(self, {expected}) expected: {error}"
        ) from None


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
    if unused := _unused(network):
        log(
            f"warning: {function.__qualname__} makes layers whose output nothing uses: "
            f"{', '.join(unused)}. They are left out"
        )


def check_built_again(setup: Setup, network: keras.Model) -> None:
    """Check that a model builds the same network each time: it is built again to be loaded.

    Raises:
        QuickdrawError: it does not.
    """
    shapes = [tuple(weight.shape) for weight in network.weights]
    if shapes != setup.shapes:
        raise mistake(
            find(setup.run.model, BaseModel).create_model,
            "builds another network each time, so that weights would not fit later: random numbers "
            f"or the time decide about it. Received weights of {setup.shapes}, then of {shapes}",
        )


@contextlib.contextmanager
def explained_step(setup: Setup) -> Iterator[None]:
    """Tell what fails in tracing or taking a step in one line.

    Raises:
        QuickdrawError: the memory does not suffice; or somebody's own code fails.
    """
    try:
        yield
    except QuickdrawError as error:
        raise in_one_line(error) from None
    except tf.errors.ResourceExhaustedError as error:
        raise QuickdrawError(
            f"the memory does not suffice for a batch of {setup.settings.batch_size}: a smaller "
            "--batch_size, or --accumulate_steps=2 (or more), which takes it in parts "
            f"({reason(error)})"
        ) from error
    except Exception as error:
        place = place_of(error)
        if "." in setup.run.model and not place:
            place = start_of(find(setup.run.model, BaseModel).create_model)
        if not place or (setup.devices.workers > 1 and isinstance(error, tf.errors.OpError)):
            raise
        raise failure("a training step", error, *place) from error


def check_logits(logits: tf.Tensor) -> None:
    """Warn if the operation that makes the logits, in a graph, is an activation."""
    operation = logits.op
    while operation.type in ("Cast", "Identity", "Reshape"):
        operation = operation.inputs[0].op
    kind = operation.type.lower()
    if operation.type in ("RealDiv", "DivNoNan"):  # a softmax by hand divides by its sum
        numerator, denominator = operation.inputs
        summed = denominator.op.inputs[0].name if denominator.op.type == "Sum" else None
        kind = "softmax" if summed == numerator.name else kind
    if kind in ("softmax", "sigmoid", "relu", "tanh"):
        log(
            f"warning: the model ends in a {kind}: create_model must return logits, any numbers, "
            "as loss and predictions apply the softmax themselves. Leave the last layer's "
            "activation out: with it much less is learned"
        )


def checked_gradients(
    tape: tf.GradientTape, loss: tf.Tensor, model: keras.Model, others: list[tf.Variable]
) -> list[tf.Tensor | None]:
    """Return the gradients of a model's weights; warn of those that the loss does not reach.

    Args:
        tape: recorded the loss.
        loss: a scalar.
        model: is trained.
        others: variables that are taken care of, beside the model's.

    Raises:
        QuickdrawError: no weight is reached, or one that Keras does not know.
    """
    weights, unknown = model.trainable_variables, []
    if not tf.distribute.has_strategy():  # which would show each replica another variable
        known = {id(each) for each in (*others, *(each.value for each in model.variables))}
        unknown = [each for each in tape.watched_variables() if id(each) not in known]
    gradients = tape.gradient(loss, [*weights, *unknown])
    count = len(weights)
    for variable, gradient in zip(unknown, gradients[count:], strict=True):
        if gradient is not None:  # not a teacher's
            raise QuickdrawError(
                f"a layer uses the variable {variable.name}, which would be neither trained nor "
                "saved: Keras must make it, self.add_weight(…) in the layer's __init__ or build"
            )
    _tell_unreached(weights, gradients[:count])
    return gradients[:count]


def _tell_unreached(weights: list[keras.Variable], gradients: list[Any]) -> None:
    left = [
        weight.path for weight, gradient in zip(weights, gradients, strict=True) if gradient is None
    ]
    if len(left) == len(weights):
        raise QuickdrawError(
            "the loss has no gradient with respect to any weight: it does not depend on them, or "
            "something between them cannot be differentiated (stop_gradient, argmax, rounding)"
        )
    if left:
        log(
            f"warning: the loss does not depend on {len(left)} of {len(weights)} weights, which "
            f"stay as they are: {', '.join(left)}"
        )


def _unused(network: keras.Model) -> list[str]:
    """Return the names of the layers with weights that follow from the inputs, but lead nowhere."""
    used = {id(operation) for operation in network.operations}
    following = [each._keras_history.operation for each in network.inputs]
    seen: dict[int, Any] = {}
    while following:
        operation = following.pop()
        if id(operation) not in seen:
            seen[id(operation)] = operation
            following += [node.operation for node in operation._outbound_nodes]
    return [each.name for key, each in seen.items() if key not in used and hasattr(each, "weights")]
