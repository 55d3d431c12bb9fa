"""A student's code, tried before there is a run: what is wrong shows in one line."""

from __future__ import annotations

import inspect

import tensorflow as tf

from quickdraw.components.base_loss import BaseLoss
from quickdraw.components.base_model import BaseModel
from quickdraw.components.code_digest import edited_files
from quickdraw.components.lookup import check_recorded, component, is_elsewhere
from quickdraw.components.user_code import explained
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.training.settings import Settings


def model_and_loss(settings: Settings) -> tuple[BaseModel, BaseLoss]:
    """Make what the settings name, and warn where eval will not find just this.

    Raises:
        QuickdrawError: no such class or parameter, or an instance that no record can stand for.
    """
    model = component(settings.model, settings.model_params, BaseModel)
    loss = component(settings.label_loss, settings.loss_params, BaseLoss)
    for made, base in ((model, BaseModel), (loss, BaseLoss)):
        check_recorded(made, base)
        _warn_of_what_is_not_found(type(made))
    return model, loss


def _warn_of_what_is_not_found(kind: type) -> None:
    if place := is_elsewhere(kind):
        log(
            f"warning: {kind.__name__} is defined in {place}: eval, inference and other programs "
            "will not find it. Write it into a file of the folder in which they are started, and "
            "import it from there"
        )
    for file in edited_files(kind):
        log(
            f"warning: {file} was edited after it was imported: what is trained is the code from "
            "before. Start the notebook or program again to train the new one"
        )


def check_loss(loss: BaseLoss, num_classes: int) -> None:
    """Ask the loss for two examples' values: a mistake shows here, not in a compiled step."""
    asked = ["features"] * loss.needs_features + ["teacher_logits"] * loss.needs_teacher
    try:
        for keywords in ([], asked):
            inspect.signature(loss.calculate_loss).bind(0, 0, **dict.fromkeys(keywords))
    except TypeError as error:
        expected = ", ".join(["logits", "labels", *(f"{name}=None" for name in asked)])
        raise QuickdrawError(
            f"{type(loss).__name__}: calculate_loss(self, {expected}) expected: {error}"
        ) from None
    with explained(type(loss).calculate_loss):
        values = loss.calculate_loss(tf.zeros((2, num_classes)), tf.zeros((2,), tf.int32))
    if getattr(values, "shape", None) != (2,):
        raise QuickdrawError(
            f"{type(loss).__name__}.calculate_loss must return one value an example, of shape "
            f"(batch,). Received for a batch of 2: {getattr(values, 'shape', values)}"
        )
