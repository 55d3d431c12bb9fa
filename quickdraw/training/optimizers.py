"""Optimizers: what makes steps of gradients."""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from quickdraw import fields
from quickdraw.components.code_digest import digests_of
from quickdraw.components.lookup import find_class
from quickdraw.components.user_code import explained
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.training.settings import TUNED, Settings

if TYPE_CHECKING:
    import tensorflow as tf

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
_CLIP_NORM = 1.0
# What optimizers of Keras take, and flags of the training decide.
_FLAGS = {
    "learning_rate": "--base_learning_rate",
    "weight_decay": "--weight_decay",
    "use_ema": "--ema_decay",
    "ema_momentum": "--ema_decay",
    "ema_overwrite_frequency": "--ema_decay",
    "gradient_accumulation_steps": "--accumulate_steps",
}
_HIDDEN = {*_FLAGS, "self", "name", "loss_scale_factor"}
# Keras takes any number: with others nothing is learned, or the loss grows.
_KEPT, _LIMITS = {"low": 0.0, "high": 0.999999}, {"above": 0.0}
_BOUNDS: dict[str, dict[str, float]] = {
    **dict.fromkeys(("beta_1", "beta_2", "momentum", "rho"), _KEPT),
    **dict.fromkeys(("clipnorm", "clipvalue", "epsilon", "global_clipnorm"), _LIMITS),
}


def make_optimizer(settings: Settings, replicas: int) -> keras.Optimizer:
    """Make the optimizer; the step sets its learning rate, see `schedules`.

    Args:
        settings: which one, its parameters and its weight decay, as `complete` returns them.
        replicas: how many devices. The optimizer is given the gradients of the batch divided by
            this number, since Keras clips first and then adds up those of all replicas.

    Raises:
        QuickdrawError: no such optimizer or parameter, or a class of one's own that fails.
    """
    kind, params = _chosen(settings)
    with explained(kind.__init__):
        optimizer = kind(**params)
        optimizer.learning_rate = settings.base_learning_rate
        # Set here rather than given to the class, as one of a student's own need not take them.
        if not params.keys() & set(_CLIPS) and not any(getattr(optimizer, clip) for clip in _CLIPS):
            optimizer.global_clipnorm = _CLIP_NORM
        for clip in _CLIPS:
            if limit := getattr(optimizer, clip):
                setattr(optimizer, clip, limit / replicas)
        # None rather than 0: with 0 Keras would still run one operation for every weight.
        optimizer.weight_decay = settings.weight_decay or None
        # Only kernels decay, not biases, gamma or beta: He et al. 2019, "Bag of Tricks for Image
        # Classification", section 3.1. (Loshchilov & Hutter 2019, who proposed AdamW, decay all.)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    if settings.precision == "float16":
        # Micikevicius et al. 2018, "Mixed Precision Training", section 3.2.
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def complete(settings: Settings) -> Settings:
    """Look up the optimizer; return the settings with its own learning rate, if none is given.

    Raises:
        QuickdrawError: no such optimizer or parameter; or no learning rate anywhere.
    """
    kind, _ = _chosen(settings)
    if settings.base_learning_rate is not None:
        return settings
    rate = _parameters(kind).get("learning_rate")
    if not isinstance(rate, float):
        raise QuickdrawError(
            f"--base_learning_rate is needed: {kind.__name__} has no number as its default"
        )
    return dataclasses.replace(settings, base_learning_rate=rate)


def log_optimizer(settings: Settings) -> None:
    """Say what is used in place of the defaults of a class, which are not those of the flags."""
    if settings.optimizer in TUNED:
        return
    kind, _ = _chosen(settings)
    decay = _parameters(kind).get("weight_decay")
    instead = f", not {decay:g}" if isinstance(decay, float) and not settings.weight_decay else ""
    log(
        f"optimizer {kind.__name__}: --base_learning_rate={settings.base_learning_rate:g}, "
        f"--weight_decay={settings.weight_decay:g}{instead}"
    )


def try_optimizer(settings: Settings, model: keras.Model) -> None:
    """Take a step with a student's own optimizer: a mistake shows here, not in a compiled step.

    Args:
        settings: which one.
        model: is changed.

    Raises:
        QuickdrawError: it fails.
    """
    if "." not in settings.optimizer:
        return
    optimizer = make_optimizer(dataclasses.replace(settings, precision="float32"), 1)
    weights = model.trainable_variables
    with explained(type(optimizer).update_step):
        optimizer.build(weights)
        optimizer.apply([ops.zeros_like(weight) for weight in weights])


def code_of_optimizer(settings: Settings) -> dict[str, str]:
    """Return digests of the code of a student's own optimizer; none of Keras'."""
    kind, _ = _chosen(settings)
    return digests_of(kind)


def _chosen(settings: Settings) -> tuple[type[keras.Optimizer], dict[str, object]]:
    """Return the class, and the parameters that it is made with."""
    tuned: dict[str, tuple[type[keras.Optimizer], dict[str, object]]] = {
        "adam": (keras.optimizers.Adam, {}),
        "adamw": (keras.optimizers.AdamW, {}),
        "lion": (keras.optimizers.Lion, {}),
        "muon": (Muon, {"adam_weight_decay": settings.weight_decay}),
        "sgd": (keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    }
    if settings.optimizer in TUNED:
        kind, params = tuned[settings.optimizer]
    else:
        kind = find_class(settings.optimizer, keras.optimizers.Optimizer, ("keras.optimizers",))
        params = {}
    assert not isinstance(settings.optimizer_params, str)  # Settings has parsed it
    given = dict(settings.optimizer_params)
    if settings.momentum is not None:
        if "momentum" in given:
            raise QuickdrawError("momentum stands in --optimizer_params and in --momentum")
        given["momentum"] = settings.momentum
    known = _parameters(kind)
    params = {**params, **{name: _checked(kind, name, given[name], known) for name in given}}
    if "learning_rate" in known and settings.base_learning_rate is not None:
        params["learning_rate"] = settings.base_learning_rate
    return kind, params


def _parameters(kind: type) -> dict[str, object]:
    """Return the parameters of a class with their defaults; its bases' where it passes them on."""
    found: dict[str, object] = {}
    for each in kind.__mro__:
        if "__init__" not in vars(each):
            continue
        parameters = list(inspect.signature(vars(each)["__init__"]).parameters.values())
        rest = [one for one in parameters if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
        for one in parameters:
            if one not in rest:
                found.setdefault(one.name, one.default)
        if not any(one.kind is one.VAR_KEYWORD for one in rest):
            break
    return found


def _checked(kind: type, name: str, value: object, known: dict[str, object]) -> object:
    """Return the value of a parameter, of the type of its default.

    Raises:
        QuickdrawError: the optimizer has no such parameter, or one of another type or range.
    """
    where = f"--optimizer_params: {kind.__name__}"
    if name in _FLAGS:
        raise QuickdrawError(f"{where}: {name} is the flag {_FLAGS[name]} here")
    if name not in known or name in _HIDDEN:
        nearest = did_you_mean(name, known.keys() - _HIDDEN)
        raise QuickdrawError(f"{where} has no parameter {name!r}{nearest}")
    default = known[name]
    hint: object = Any
    if isinstance(default, bool | float):
        hint = type(default)
    elif isinstance(default, int):
        hint = int | float
    value = fields.convert(value, hint, f"{where}.{name}")
    fields.check_bounds(value, _BOUNDS.get(name, {}), f"{where}.{name}")
    return value


class Muon(keras.optimizers.Muon):
    """Keras' Muon (Jordan et al. 2024), for the kernels of convolutions too.

    A kernel `[height, width, in, out]` is orthogonalised as a matrix `[height·width·in, out]`; what
    has fewer than two dimensions is AdamW's.
    """

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) < 2

    def zeropower_via_newtonschulz5(self, x: tf.Tensor, steps: int) -> tf.Tensor:
        # Each iteration multiplies the matrix by a polynomial of its Gram matrix. All of these
        # commute, so only the Gram matrix is iterated on, which is small: 2.6 -> 1.0 ms a step of
        # CnnModel.
        matrix = ops.reshape(x, (-1, x.shape[-1]))
        tall = matrix.shape[0] > matrix.shape[1]
        transposed = ops.transpose(matrix)
        gram = transposed @ matrix if tall else matrix @ transposed
        squared_norm = ops.trace(gram) + 1e-14
        gram = gram / squared_norm
        identity = ops.eye(gram.shape[0], dtype=gram.dtype)
        product = identity * ops.rsqrt(squared_norm)
        for _ in range(steps):
            factor = self.muon_a * identity + self.muon_b * gram + self.muon_c * gram @ gram
            product = product @ factor
            gram = factor @ gram @ factor
        return ops.reshape(matrix @ product if tall else product @ matrix, x.shape)

    def lr_adjust(self, x: tf.Tensor) -> tf.Tensor:
        return ops.reshape(super().lr_adjust(ops.reshape(x, (-1, x.shape[-1]))), x.shape)
