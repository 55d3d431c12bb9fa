"""Calibration (reliability diagrams), and selective prediction (accuracy against coverage)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from quickdraw.errors import QuickdrawError
from quickdraw.report.answers import Answers, softmax
from quickdraw.report.evaluated import Asked, evaluated
from quickdraw.report.figure import Figure
from quickdraw.report.intervals import excess_by_bin
from quickdraw.report.plotting import Plot, plot
from quickdraw.runs import calibration

_BINS = 15
_POINTS = 50


@dataclasses.dataclass
class Bins:
    """Predictions in 15 equal bins of confidence.

    Attributes:
        temperature: the divisor of the logits.
        counts: the number of drawings in each bin.
        confidence: the mean confidence in each bin; 0 if empty.
        right: the accuracy in each bin.
        ece: expected calibration error (Guo et al. 2017, equation 3).
    """

    temperature: float
    counts: list[int]
    confidence: list[float]
    right: list[float]
    ece: float


@dataclasses.dataclass
class Reliability(Figure):
    """Reliability diagrams.

    Attributes:
        before: with a temperature of 1.
        after: with the run's own temperature, or else one fitted to these drawings; None if none
            can be fitted.
        fitted_here: whether the temperature was fitted here.
    """

    macro: ClassVar[str] = "reliability"
    before: Bins
    after: Bins | None
    fitted_here: bool


def reliability(trained: Asked, data: str | None = None) -> Reliability:
    """Return reliability diagrams: accuracy by confidence.

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.
    """
    seen = evaluated(trained, data)
    answers, temperature = seen.answers[seen.best], seen.trained.temperature
    before = _bins(answers.raw_confidence, answers.right, 1.0)
    if temperature != 1:
        return Reliability(before, _bins(answers.confidence, answers.right, temperature), False)
    return Reliability(before, _fitted(answers, seen.truth), True)


def _fitted(answers: Answers, truth: np.ndarray) -> Bins | None:
    logits = answers.sampled_logits.astype(np.float32)
    try:
        temperature = calibration.fit(logits, truth[answers.sample])
    except QuickdrawError:
        return None
    confidence = softmax(logits / temperature).max(axis=1)
    return _bins(confidence, answers.right[answers.sample], temperature)


def _bins(confidence: np.ndarray, right: np.ndarray, temperature: float) -> Bins:
    bins, excess = excess_by_bin(confidence, right)
    counts = np.bincount(bins, minlength=_BINS)
    some = np.maximum(counts, 1)
    return Bins(
        temperature,
        counts.tolist(),
        (np.bincount(bins, confidence, _BINS) / some).tolist(),
        (np.bincount(bins, right, _BINS) / some).tolist(),
        float(np.abs(np.bincount(bins, excess, _BINS)).sum() / len(confidence)),
    )


@dataclasses.dataclass
class Coverage(Figure):
    """The accuracy if the model answers only above a confidence.

    Attributes:
        coverage: shares of drawings that are answered.
        accuracy: of the answers at each coverage.
        threshold: the lowest confidence that is answered, at each coverage.
        answered_at: by accuracy, the largest coverage that reaches it; None if none does.
    """

    macro: ClassVar[str] = "coverage"
    coverage: list[float]
    accuracy: list[float]
    threshold: list[float]
    answered_at: dict[str, float | None]

    def plot(self, t: Callable[..., str]) -> Plot:
        """Return the curve for the template; `t` translates."""
        lowest = min(0.9, min(self.accuracy))
        lines = [(t("accuracy"), self.coverage, self.accuracy)]
        return plot(lines, (0, 1), (lowest - 0.02, 1.0), percent=True)


def coverage(trained: Asked, data: str | None = None) -> Coverage:
    """Return the risk-coverage curve, as accuracy.

    Source: El-Yaniv & Wiener 2010, "On the Foundations of Noise-free Selective Classification".

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.
    """
    seen = evaluated(trained, data)
    answers = seen.answers[seen.best]
    order = np.argsort(-answers.confidence, kind="stable")
    accuracy = np.cumsum(answers.right[order]) / np.arange(1, len(order) + 1)
    ends = np.unique(np.ceil(np.linspace(0, 1, _POINTS + 1)[1:] * len(order)).astype(int)) - 1
    reached = {}
    for wanted in (0.95, 0.98, 0.99):
        enough = np.flatnonzero(accuracy >= wanted)
        reached[f"{wanted:g}"] = float((enough[-1] + 1) / len(order)) if len(enough) else None
    return Coverage(
        ((ends + 1) / len(order)).tolist(),
        accuracy[ends].tolist(),
        answers.confidence[order][ends].tolist(),
        reached,
    )
