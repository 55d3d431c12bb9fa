"""Fits a run's temperature to labelled records."""

from __future__ import annotations

import dataclasses

import numpy as np

from quickdraw.components.inputs import unwrapped
from quickdraw.evaluation.evaluate import BATCH
from quickdraw.evaluation.metrics import Metrics
from quickdraw.evaluation.run_evaluation import describe, open_labelled
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records.shards import BadRecords, OnBadRecord, Shards
from quickdraw.runs import calibration, factory
from quickdraw.runs.paper import watched
from quickdraw.runs.trained import TrainedModel


@dataclasses.dataclass
class Calibration:
    """What was fitted.

    Attributes:
        temperature: what the logits are divided by.
        examples: how many drawings it was fitted to.
        before: `ece` and `nll` (negative log-likelihood) with a temperature of 1.
        after: the same with the one that was fitted.
    """

    temperature: float
    examples: int
    before: dict[str, float]
    after: dict[str, float]


def calibrate(
    trained: TrainedModel,
    train_dir: str,
    patterns: str | None = None,
    on_bad_record: OnBadRecord = "error",
) -> Calibration:
    """Fit a temperature to a trained model, and write it to its run's calibration.json.

    Args:
        trained: the model.
        train_dir: the folder of its run.
        patterns: of labelled records; those that the training was validated on where None.
        on_bad_record: "error" stops at the first bad record, "skip" counts it and goes on.

    Raises:
        QuickdrawError: no such records, or all predictions are right.
    """
    reader = factory.reader_for(trained.run, QuickDrawFeatureReader, on_bad_record)
    shards = open_labelled(trained.run, reader, patterns)
    logits, labels = _logits(trained, reader, shards)
    fitted = calibration.fit(logits, labels)
    before, after = (_figures(logits, labels, at) for at in (1.0, fitted))
    made = Calibration(fitted, len(labels), before, after)
    calibration.save(
        train_dir,
        trained.step,
        fitted,
        **describe(shards),
        examples=made.examples,
        before=before,
        after=after,
    )
    return made


def _logits(
    trained: TrainedModel, reader: QuickDrawFeatureReader, shards: Shards
) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, float32 `[n, num_classes]`, and labels, int64 `[n]`."""
    bad = BadRecords(reader.on_bad_record)
    batches = watched([trained.run], shards.patterns, reader.some(shards, BATCH, bad))
    parts = [(trained.logits(unwrapped(inputs)), labels) for inputs, labels in batches]
    bad.report()
    logits, labels = zip(*parts, strict=True)
    return np.concatenate(logits), np.concatenate(labels)


def _figures(logits: np.ndarray, labels: np.ndarray, fitted: float) -> dict[str, float]:
    metrics = Metrics(logits.shape[1], fitted)
    metrics.update(logits, labels, calibration.negative_log_likelihood(logits / fitted, labels))
    result = metrics.result()
    return {"ece": result["ece"], "nll": result["loss"]}
