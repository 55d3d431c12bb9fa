"""A model's predictions on many drawings, in some 40 bytes each, however many classes.

Also a sample of logits and one of features, of bounded size.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from quickdraw.evaluation.metrics import Metrics, ranks_of_labels
from quickdraw.report.features import unit

GUESSES = 3
_KEPT_LOGITS = 2_000_000
"""The size of the sample of logits, for a temperature, in numbers: 4 MB."""
_KEPT_FEATURES = 4_000_000
"""The size of the sample of features, for neighbours, in numbers: 8 MB, or 31,250 drawings
of 128 features."""
_COLUMNS = ("ranks", "guesses", "probabilities", "own", "losses", "raw_confidence")
"""The fields of `Answers` with a value for every drawing."""


@dataclasses.dataclass
class Answers:
    """The predictions of one model on `n` drawings.

    Attributes:
        metrics: as `eval` computes them.
        ranks: int32 `[n]`, the rank of the label among the classes, from 0.
        guesses: int16 `[n, 3]` labels, the likeliest first; fewer where there are fewer classes.
        probabilities: float32 `[n, 3]`, of the guesses.
        own: float32 `[n]`, the probability of the label.
        losses: float32 `[n]`, by the run's own loss.
        raw_confidence: float32 `[n]`, the probability of the first guess without the temperature.
        sample: int64 `[m]`, drawings whose logits are kept, evenly spaced.
        sampled_logits: float16 `[m, num_classes]`.
        featured: int64 `[k]`, drawings whose features are kept, evenly spaced, ascending.
        features: float16 `[k, features]`, with an L2 norm of 1.
    """

    metrics: Metrics
    ranks: np.ndarray
    guesses: np.ndarray
    probabilities: np.ndarray
    own: np.ndarray
    losses: np.ndarray
    raw_confidence: np.ndarray
    sample: np.ndarray
    sampled_logits: np.ndarray
    featured: np.ndarray
    features: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The first guess, int16 `[n]`."""
        return self.guesses[:, 0]

    @property
    def confidence(self) -> np.ndarray:
        """The probability of the first guess, float32 `[n]`."""
        return self.probabilities[:, 0]

    @property
    def right(self) -> np.ndarray:
        """Whether the first guess is the label, bool `[n]`."""
        return self.ranks == 0


class AnswersCollector:
    """Collects batches of predictions into `Answers`.

    Args:
        num_classes: the number of classes.
        temperature: the divisor of the logits.
    """

    def __init__(self, num_classes: int, temperature: float):
        self._metrics = Metrics(num_classes, temperature)
        self._temperature = temperature
        self._columns = tuple(_Rows() for _ in _COLUMNS)
        self._sample = _EvenSample(_KEPT_LOGITS)
        self._features = _EvenSample(_KEPT_FEATURES)

    def add(
        self,
        logits: np.ndarray,
        labels: np.ndarray,
        losses: np.ndarray,
        features: np.ndarray | None = None,
    ) -> np.ndarray:
        """Add a batch; return its probabilities, float32 `[batch, num_classes]`.

        Args:
            logits: float32 `[batch, num_classes]`.
            labels: int64 `[batch]`.
            losses: float32 `[batch]`.
            features: float32 `[batch, features]`; None keeps none.
        """
        self._metrics.update(logits, labels, losses)
        self._sample.add(logits)
        if features is not None:
            self._features.add(unit(features))
        probabilities = softmax(logits / self._temperature)
        best = first_guesses(logits)
        of_batch = (
            ranks_of_labels(logits, labels).astype(np.int32),
            best.astype(np.int16),
            np.take_along_axis(probabilities, best, axis=1),
            np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0],
            losses.astype(np.float32),
            softmax(logits).max(axis=1),
        )
        for column, rows in zip(self._columns, of_batch, strict=True):
            column.add(rows)
        return probabilities

    def answers(self) -> Answers:
        """Return the answers to all batches."""
        of_all = {name: each.rows for name, each in zip(_COLUMNS, self._columns, strict=True)}
        sample, logits = self._sample.kept()
        featured, features = self._features.kept()
        return Answers(
            self._metrics,
            sample=sample,
            sampled_logits=logits,
            featured=featured,
            features=features,
            **of_all,
        )


class _Rows:
    """A growing array of rows: concatenating parts would need twice the memory."""

    def __init__(self) -> None:
        self._array, self._count = np.zeros(0), 0

    @property
    def rows(self) -> np.ndarray:
        """All rows, `[n, …]`."""
        return self._array[: self._count]

    def add(self, rows: np.ndarray) -> None:
        """Append `[batch, …]`."""
        count = self._count + len(rows)
        if count > len(self._array):
            larger = np.empty((count + count // 4, *rows.shape[1:]), rows.dtype)
            if self._count:
                larger[: self._count] = self.rows
            self._array = larger
        self._array[self._count : count] = rows
        self._count = count

    def keep(self, which: np.ndarray) -> None:
        """Drop all rows but those in a mask, bool `[n]`."""
        kept = self.rows[which]
        self._count = len(kept)
        self.rows[:] = kept


class _EvenSample:
    """Every k-th row of a stream, k a power of two: a bounded size, but at least 100 rows."""

    def __init__(self, numbers: int):
        self._numbers, self._step, self._seen = numbers, 1, 0
        self._places, self._rows = _Rows(), _Rows()

    def add(self, rows: np.ndarray) -> None:
        """Add rows, float32 `[batch, columns]`."""
        kept = np.arange(-self._seen % self._step, len(rows), self._step)
        self._places.add(self._seen + kept)
        self._rows.add(rows[kept].astype(np.float16))
        self._seen += len(rows)
        most = max(self._numbers // rows.shape[1], 100)
        while len(self._places.rows) > most:
            self._step *= 2
            even = self._places.rows % self._step == 0
            self._places.keep(even)
            self._rows.keep(even)

    def kept(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the indices of the rows, int64 `[m]`, and the rows, float16 `[m, columns]`."""
        if not self._seen:
            return np.zeros(0, np.int64), np.zeros((0, 0), np.float16)
        return self._places.rows, self._rows.rows


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, float32 `[batch, num_classes]`; 0 for logits that are NaN."""
    with np.errstate(invalid="ignore"):
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
    return np.nan_to_num(shares.astype(np.float32), copy=False)


def first_guesses(scores: np.ndarray) -> np.ndarray:
    """Return the labels of the highest scores, in label order where equal: int64 `[batch, 3]`."""
    most = min(GUESSES, scores.shape[1])
    if scores.shape[1] <= 16:
        return np.argsort(-scores, axis=1, kind="stable")[:, :most]
    # Sorting 345 classes takes longer than some models do.
    some = np.sort(np.argpartition(-scores, most, axis=1)[:, : most + 1], axis=1)
    order = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)[:, :most]
