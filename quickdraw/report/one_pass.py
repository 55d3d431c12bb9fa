"""One pass over the records through all models."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from quickdraw.console import Progress
from quickdraw.evaluation.prefetch import prefetch
from quickdraw.records.shards import BadRecords, Shards
from quickdraw.report.answers import AnswersCollector
from quickdraw.report.beside import NotingReader
from quickdraw.report.features import with_features
from quickdraw.runs import factory
from quickdraw.runs.ensemble import Ensemble
from quickdraw.runs.paper import watched

BATCH = 128
"""The batch size. Activations dominate the memory: 1,024, as in an evaluation, would take 0.3 GB
more for a ResNetModel."""


def show_all(
    ensemble: Ensemble,
    reader: NotingReader,
    shards: Shards,
    collectors: list[AnswersCollector],
    both: AnswersCollector | None,
) -> Iterator[np.ndarray]:
    """Run all drawings through all models; yield the labels of each batch, int64 `[batch]`.

    Args:
        ensemble: the models.
        reader: collects the metadata of the drawings.
        shards: the records.
        collectors: of each model's predictions.
        both: of the ensemble's predictions, if there are several models.

    Raises:
        QuickdrawError: a bad record, unless they are skipped; or no usable record.
    """
    losses = [factory.create_loss(model.run).calculate_loss for model in ensemble.models]
    sights = [with_features(model.model) for model in ensemble.models]
    bad = BadRecords(reader.on_bad_record)
    progress, done = Progress("evaluating", None, "drawings"), 0
    batches = reader.read(shards, BATCH, bad, reader.goes_to)
    runs = [model.run for model in ensemble.models]
    for arrays, labels in prefetch(watched(runs, shards.patterns, batches)):
        total: np.ndarray | int = 0
        numbers = tf.constant(labels, tf.int32)
        for which, (see, collector, loss) in enumerate(
            zip(sights, collectors, losses, strict=True)
        ):
            logits, features = see(ensemble.inputs_of(which, arrays))
            logits = logits[:, ensemble.places[which]]
            of_batch = tf.cast(loss(tf.constant(logits), numbers), tf.float32).numpy()
            total = total + collector.add(logits, labels, of_batch, features)
        if both:
            # Logarithms of the mean probabilities serve as logits: their softmax is that mean.
            mean = np.log(np.maximum(total / len(collectors), 1e-30))
            own = np.take_along_axis(mean, labels[:, None], axis=1)[:, 0]
            both.add(mean, labels, -own)
        yield labels
        done += len(labels)
        progress.update(done)
    progress.close()
    bad.report()
    if not done:
        raise shards.nothing_usable()
