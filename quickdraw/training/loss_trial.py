"""A student's loss, tried before there is a run: what is wrong shows in one line."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from quickdraw.components.base_loss import BaseLoss
from quickdraw.components.user_code import explained, mistake
from quickdraw.console import log

_SURE = 8.0  # logits of a network that is sure of its answer
_SAME = ("Cast", "Identity", "Reshape")
_WITH_SOFTMAX = ("SoftmaxCrossEntropyWithLogits", "LogSoftmax")  # the latter where deterministic


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
    folder = os.getcwd()
    before = {name: id(value) for name, value in vars(loss).items()}
    with explained(function), tf.GradientTape() as tape:
        # Of any number of examples, as an evaluation has.
        traced = tf.function(loss.calculate_loss).get_concrete_function(
            tf.TensorSpec((None, num_classes)), tf.TensorSpec((None,), tf.int32)
        )
        tape.watch(logits)
        values = traced(logits, labels)
        if os.getcwd() != folder:
            raise mistake(
                function, "changes the current folder, and so what the flags name: leave that out"
            )
    after = {name: id(value) for name, value in vars(loss).items()}
    if changed := [name for name, value in after.items() if before.get(name) != value]:
        raise mistake(
            function,
            f"sets self.{changed[0]}: its Python runs once, when the step is compiled, and what it "
            "counted or kept would never change again. Calculate from logits and labels alone",
        )
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
    _warn_of_a_second_softmax(function, traced.graph)
    with explained(function):
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
    if num_classes > 1 and not (loss.needs_features or loss.needs_teacher):
        _warn_of_a_wrong_way(function, traced, labels, num_classes)


def _check_arguments(loss: BaseLoss, function: Callable[..., tf.Tensor]) -> None:
    asked = ["features"] * loss.needs_features + ["teacher_logits"] * loss.needs_teacher
    try:
        for keywords in ([], asked):
            inspect.signature(function).bind(loss, 0, 0, **dict.fromkeys(keywords))
    except TypeError as error:
        expected = ", ".join(["logits", "labels", *(f"{name}=None" for name in asked)])
        raise mistake(
            function, f"has other arguments: calculate_loss(self, {expected}) expected: {error}"
        ) from None


def _warn_of_a_second_softmax(function: Callable[..., tf.Tensor], graph: tf.Graph) -> None:
    """Warn where a cross-entropy, which applies the softmax itself, is given probabilities."""
    for operation in graph.get_operations():
        if not operation.type.endswith(_WITH_SOFTMAX):
            continue
        given = operation.inputs[0].op
        while given.type in _SAME:
            given = given.inputs[0].op
        if given.type in ("Softmax", "Sigmoid"):
            log(
                f"warning: {function.__qualname__} gives probabilities to a cross-entropy that "
                f"applies the softmax itself: give it the logits as they are, without {given.type} "
                "before. With it much less is learned"
            )


def _warn_of_a_wrong_way(
    function: Callable[..., tf.Tensor],
    calculate: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    labels: tf.Tensor,
    num_classes: int,
) -> None:
    """Warn where the loss does not pull towards the label, or not from where logits are negative.

    Args:
        function: is named.
        calculate: from logits and labels to values.
        labels: int32 `[count]`.
        num_classes: how many logits there are.
    """
    label, other = (tf.one_hot((labels + shift) % num_classes, num_classes) for shift in (0, 1))
    with tf.GradientTape() as tape:
        tape.watch(negative := other - 3 * label)
        far_off = calculate(negative, labels)
    pull = tape.gradient(far_off, negative)
    right, wrong = (calculate(_SURE * each, labels) for each in (label, other))
    if tf.reduce_mean(right) >= tf.reduce_mean(wrong):
        log(
            f"warning: {function.__qualname__} is no smaller for right answers than for wrong "
            "ones, and training makes it small: is its sign the right way round?"
        )
    elif pull is None or not tf.reduce_any(tf.convert_to_tensor(pull) != 0):
        log(
            f"warning: {function.__qualname__} has no gradient where the logit of the label is "
            "negative: logits are any numbers, not probabilities (in Keras: from_logits=True)"
        )
