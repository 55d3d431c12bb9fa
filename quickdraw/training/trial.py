"""A student's code in its first steps: what is wrong shows in one line."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from quickdraw.components.base_model import BaseModel
from quickdraw.components.lookup import find
from quickdraw.components.network_digest import answers_of, digest_of
from quickdraw.components.user_code import (
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


def check_built_again(setup: Setup, network: keras.Model) -> str:
    """Check that a model builds the same network each time, as it is built again to be loaded.

    Returns:
        The digest of the network.

    Raises:
        QuickdrawError: it does not.
    """
    create_model = find(setup.run.model, BaseModel).create_model
    shapes, digest = [tuple(weight.shape) for weight in network.weights], digest_of(network)
    if shapes != setup.shapes:
        raise mistake(
            create_model,
            "builds another network each time, so that weights would not fit later: random numbers "
            f"or the time decide about it. Received weights of {setup.shapes}, then of {shapes}",
        )
    if digest != setup.digest or _answers_otherwise(setup, network):
        raise mistake(
            create_model,
            "builds another network each time, of the same weights, so that they would mean "
            "something else later: the time decides about it, or random numbers that are drawn "
            "anew. np.random.… and random.… give the same ones each time, as --seed says",
        )
    return digest


def _answers_otherwise(setup: Setup, network: keras.Model) -> bool:
    if not setup.run.answers or setup.devices.replicas > 1:
        return False
    weights = network.get_weights()
    again = dataclasses.replace(setup.run, answers=answers_of(network))
    network.set_weights(weights)
    return setup.run.builds_another(again)


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
    """Warn if the operation that makes the logits, `[batch, classes]`, is an activation."""
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
                "saved: it must be made, as a layer or by self.add_weight(…), in the __init__ or "
                "build of the layer that uses it, not in its call"
            )
    _tell_unreached(weights, gradients[:count])
    return gradients[:count]


def _tell_unreached(weights: list[keras.Variable], gradients: list[tf.Tensor | None]) -> None:
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
