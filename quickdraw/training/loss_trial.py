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
_MOST_CLASSES = 40  # to ask a loss about
_FLAT = 1e-4  # of the gradient elsewhere: what clipping leaves
_SAME = ("Cast", "Identity", "Reshape")
_WITH_SOFTMAX = ("SoftmaxCrossEntropyWithLogits", "LogSoftmax")  # the latter where deterministic


def check_loss(loss: BaseLoss, num_classes: int) -> None:
    """Trace the loss, and ask it for some examples' values and gradients.

    Raises:
        QuickdrawError: it fails, or returns what no training can use.
    """
    function = type(loss).calculate_loss
    _check_arguments(loss, function)
    logits, labels = _examples(num_classes)
    count = len(labels)
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
            f"Received for a batch of {count}: {_described(values)}",
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
    steepest = 0.0 if gradient is None else _steepest(gradient)
    nothing = not steepest and (gradient is None or num_classes > 1)  # one class: nothing to learn
    if nothing and not (loss.needs_features or loss.needs_teacher):
        raise mistake(
            function,
            "has no gradient, so nothing can be learned from it: it must be differentiable with "
            "respect to the logits. What compares, rounds, casts to whole numbers, takes an argmax "
            "or calls NumPy is not",
        )
    if num_classes > 1 and not (loss.needs_features or loss.needs_teacher):
        _warn_of_a_wrong_way(function, traced, labels, num_classes, _FLAT * steepest)
        _warn_of_the_others(function, traced, logits, labels)


def _examples(num_classes: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return logits and labels of two examples of each class, or of some where there are many.

    There are not as many as classes, so that no other axis passes for that of the examples.
    """
    some = min(num_classes, _MOST_CLASSES)
    some -= 2 * some == num_classes
    labels = np.linspace(0, num_classes - 1, some).round().repeat(2)
    logits = np.random.default_rng(0).normal(size=(len(labels), num_classes))
    return tf.constant(logits, tf.float32), tf.constant(labels, tf.int32)


def _described(values: object) -> object:
    if values is None or hasattr(values, "shape"):
        return getattr(values, "shape", None)
    return f"a {type(values).__name__}"


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
    flat: float,
) -> None:
    """Warn where the loss does not pull towards the label, or not from where logits are negative.

    Args:
        function: is named.
        calculate: from logits and labels to values.
        labels: int32 `[count]`.
        num_classes: how many logits there are.
        flat: what is as good as no gradient.
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
    elif pull is None or _steepest(pull) <= flat:
        log(
            f"warning: {function.__qualname__} has no gradient where the logit of the label is "
            "negative: logits are any numbers, not probabilities (in Keras: from_logits=True)"
        )


def _warn_of_the_others(
    function: Callable[..., tf.Tensor],
    calculate: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    logits: tf.Tensor,
    labels: tf.Tensor,
) -> None:
    """Warn where the loss of an example depends on the others, as a wrong axis lets it."""
    others = tf.concat([logits[:1], -2 * logits[1:]], axis=0)
    first, again = (calculate(each, labels)[0] for each in (logits, others))
    if abs(first - again) > _FLAT * max(abs(first), 1):
        log(
            f"warning: {function.__qualname__} of a drawing depends on the other drawings of the "
            "batch. Where that is not meant: classes are axis 1, -1, and the batch is axis 0; and "
            "shapes (batch,) and (batch, 1) together make (batch, batch)"
        )


def _steepest(gradient: tf.Tensor | tf.IndexedSlices) -> float:
    """Return the largest magnitude in a gradient; 0 where there are but NaNs."""
    return float(np.nan_to_num(np.abs(tf.convert_to_tensor(gradient).numpy())).max())
