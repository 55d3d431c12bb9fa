"""Optimizers: what makes steps of gradients."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from quickdraw.training.settings import Settings

_CLIP_NORM = 1.0


def make_optimizer(settings: Settings, replicas: int) -> keras.Optimizer:
    """Make the optimizer; the step sets its learning rate, see `schedules`.

    Args:
        settings: which one, and its weight decay.
        replicas: how many devices. The optimizer is given the gradients of the batch divided by
            this number, since Keras clips first and then adds up those of all replicas.
    """
    common: dict[str, Any] = {
        "learning_rate": settings.base_learning_rate,
        "global_clipnorm": _CLIP_NORM / replicas,
    }
    decay = {"weight_decay": settings.weight_decay}
    optimizer = {
        "adam": lambda: keras.optimizers.Adam(**common),
        "adamw": lambda: keras.optimizers.AdamW(**common, **decay),
        "lion": lambda: keras.optimizers.Lion(**common, **decay),
        "muon": lambda: Muon(**common, **decay, adam_weight_decay=settings.weight_decay),
        "sgd": lambda: keras.optimizers.SGD(**common, **decay, momentum=0.9, nesterov=True),
    }[settings.optimizer]()
    # None rather than 0: with 0 Keras would still run one operation for every weight.
    optimizer.weight_decay = settings.weight_decay or None
    # Only kernels decay, not biases, gamma or beta: He et al. 2019, "Bag of Tricks for Image
    # Classification", section 3.1. (Loshchilov & Hutter 2019, who proposed AdamW, decay all.)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    if settings.precision == "float16":
        # Micikevicius et al. 2018, "Mixed Precision Training", section 3.2.
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


class Muon(keras.optimizers.Muon):
    """Keras' Muon (Jordan et al. 2024), for the kernels of convolutions too.

    A kernel `[height, width, in, out]` is orthogonalised as a matrix `[height·width·in, out]`; what
    has fewer than two dimensions is AdamW's.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        return len(variable.shape) < 2

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
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

    def lr_adjust(self, x: Any) -> Any:
        return ops.reshape(super().lr_adjust(ops.reshape(x, (-1, x.shape[-1]))), x.shape)
