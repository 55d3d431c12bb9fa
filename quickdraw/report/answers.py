"""What a model answers to many drawings: some 60 bytes for each, however many classes."""

from __future__ import annotations

import dataclasses

import numpy as np

from quickdraw.evaluation.metrics import Metrics, ranks_of_labels

GUESSES = 3
_KEPT_LOGITS = 2_000_000
"""Numbers of a sample of logits, for a temperature: 4 MB."""


@dataclasses.dataclass
class Answers:
    """The answers of one model to `n` drawings.

    Attributes:
        metrics: the same figures as `eval` has.
        ranks: int32 `[n]`, the place of the label among the guesses, from 0.
        guesses: int16 `[n, 3]` labels, the likeliest first; fewer where there are fewer classes.
        probabilities: float32 `[n, 3]`, of the guesses.
        own: float32 `[n]`, the probability of the label.
        losses: float32 `[n]`, the run's own loss.
        raw_confidence: float32 `[n]`, the probability of the first guess without the temperature.
        sample: int64 `[m]`, drawings whose logits are kept, evenly over all.
        sampled_logits: float16 `[m, num_classes]`.
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
    """Takes in batches, and makes `Answers` of them.

    Args:
        num_classes: how many classes there are.
        temperature: what logits are divided by.
    """

    def __init__(self, num_classes: int, temperature: float):
        self._metrics = Metrics(num_classes, temperature)
        self._temperature = temperature
        self._columns: list[tuple[np.ndarray, ...]] = []
        self._sample = _EvenSample(max(_KEPT_LOGITS // num_classes, 100))

    def add(self, logits: np.ndarray, labels: np.ndarray, losses: np.ndarray) -> np.ndarray:
        """Take in a batch; return its probabilities, float32 `[batch, num_classes]`.

        Args:
            logits: float32 `[batch, num_classes]`.
            labels: int64 `[batch]`.
            losses: float32 `[batch]`.
        """
        self._metrics.update(logits, labels, losses)
        self._sample.add(logits)
        probabilities = softmax(logits / self._temperature)
        best = first_guesses(logits)
        self._columns.append(
            (
                ranks_of_labels(logits, labels).astype(np.int32),
                best.astype(np.int16),
                np.take_along_axis(probabilities, best, axis=1),
                np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0],
                losses.astype(np.float32),
                softmax(logits).max(axis=1),
            )
        )
        return probabilities

    def answers(self) -> Answers:
        """Return what was taken in."""
        columns = [np.concatenate(parts) for parts in zip(*self._columns, strict=True)]
        sample, logits = self._sample.kept()
        names = ("ranks", "guesses", "probabilities", "own", "losses", "raw_confidence")
        of_all = dict(zip(names, columns, strict=True))
        return Answers(self._metrics, sample=sample, sampled_logits=logits, **of_all)


class _EvenSample:
    """Every k-th row of all that come, with k a power of two, such that at most `most` are kept."""

    def __init__(self, most: int):
        self._most, self._step, self._seen = most, 1, 0
        self._rows: list[np.ndarray] = []
        self._places: list[int] = []

    def add(self, rows: np.ndarray) -> None:
        """Take in float32 `[batch, columns]`."""
        for place in range(-self._seen % self._step, len(rows), self._step):
            self._rows.append(rows[place].astype(np.float16))
            self._places.append(self._seen + place)
        self._seen += len(rows)
        while len(self._rows) > self._most:
            self._step *= 2
            kept = [at for at, place in enumerate(self._places) if place % self._step == 0]
            self._rows = [self._rows[at] for at in kept]
            self._places = [self._places[at] for at in kept]

    def kept(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of the rows, int64 `[m]`, and the rows, float16 `[m, columns]`."""
        return np.array(self._places, np.int64), np.stack(self._rows)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, float32 `[batch, num_classes]`; 0 where logits are no numbers."""
    with np.errstate(invalid="ignore"):
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
    return np.nan_to_num(shares.astype(np.float32), copy=False)


def first_guesses(scores: np.ndarray) -> np.ndarray:
    """Return the labels of the highest scores, in label order where equal: int64 `[batch, 3]`."""
    most = min(GUESSES, scores.shape[1])
    if scores.shape[1] <= 16:
        return np.argsort(-scores, axis=1, kind="stable")[:, :most]
    # Sorting all of 345 classes takes longer than many a model.
    some = np.sort(np.argpartition(-scores, most, axis=1)[:, : most + 1], axis=1)
    order = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)[:, :most]
