"""Temperature scaling: a divisor of the logits that makes confidence match accuracy.

Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.
"""

from __future__ import annotations

import os

import numpy as np

from quickdraw import storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError

_FILE = "calibration.json"
_HALVINGS = 50


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the cross-entropy of each example.

    Args:
        logits: float `[n, num_classes]`.
        labels: int `[n]`.

    Returns:
        `[n]`, of the logits' dtype.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    own = np.take_along_axis(shifted, labels[:, None], axis=1)[:, 0]
    return np.log(np.exp(shifted).sum(axis=1)) - own


def fit(logits: np.ndarray, labels: np.ndarray) -> float:
    """Find the temperature between 1/100 and 100 with the least negative log-likelihood.

    It is convex in 1/T, and its derivative, the mean of (expected logit under softmax(logits/T)) -
    (logit of the label), changes sign at the minimum, which is found by bisection.

    Args:
        logits: float `[n, num_classes]`.
        labels: int `[n]`.

    Raises:
        QuickdrawError: all predictions are right, so that the optimum is at a temperature of 0.
    """
    logits = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    own = np.take_along_axis(logits, labels[:, None], axis=1).mean()
    if own == 0:
        raise QuickdrawError(
            f"no temperature can be fitted where all of {len(labels):,} predictions are right"
        )
    low, high = np.log(1 / 100), np.log(100.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        weights = np.exp(logits / np.exp(middle))
        expected = ((weights * logits).sum(axis=1) / weights.sum(axis=1)).mean()
        low, high = (low, middle) if expected < own else (middle, high)
    return float(np.exp((low + high) / 2))


def save(train_dir: str, step: int, temperature: float, **figures: object) -> None:
    """Write calibration.json: the temperature of the model of a step, and figures about it."""
    content = {"step": step, "temperature": temperature, **figures}
    storage.write_json(os.path.join(train_dir, _FILE), content)


def load(train_dir: str, step: int) -> float:
    """Return the temperature of the model of a step; 1 if none was fitted to it.

    Raises:
        QuickdrawError: the file is damaged.
    """
    path = os.path.join(train_dir, _FILE)
    if not storage.exists(path):
        return 1.0
    content = storage.read_json(path)
    try:
        fitted, temperature = int(content["step"]), float(content["temperature"])
    except (KeyError, TypeError, ValueError):
        temperature = 0.0
    if not temperature > 0:
        raise QuickdrawError(f"{path}: damaged. Fit it again with python -m quickdraw.calibrate")
    if fitted != step:
        log(
            f"warning: {path} is of step {fitted:,}, the model of step {step:,}: its temperature "
            "is left out. Fit it again with python -m quickdraw.calibrate"
        )
        return 1.0
    return temperature
