"""Optimizer and learning rate."""

from __future__ import annotations

import keras

_WARM_UP_SHARE = 0.05
_CLIP_NORM = 1.0


def make_optimizer(
    base_learning_rate: float, steps: int, replicas: int, loss_scaling: bool
) -> keras.Optimizer:
    """Adam with linear warm-up and cosine decay to 0 (Loshchilov & Hutter 2017, "SGDR").

    Args:
        base_learning_rate: the highest, reached after 5 % of the steps.
        steps: the length of the training.
        replicas: the gradients it is given are those of the batch over this number, since Keras
            adds up those of all replicas after clipping.
        loss_scaling: for float16 (Micikevicius et al. 2018, "Mixed Precision Training", section
            3.2).
    """
    warm_up = max(1, round(_WARM_UP_SHARE * steps))
    learning_rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=base_learning_rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=_CLIP_NORM / replicas)
    return keras.optimizers.LossScaleOptimizer(optimizer) if loss_scaling else optimizer
