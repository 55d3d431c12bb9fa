"""How good predictions are: top-1, top-3, MAP@3, loss, ECE, per class, confusion; in one pass."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from quickdraw.console import log

_BINS = 15
_OF_CLASSES = ("precision", "recall", "f1")


class OfClass(TypedDict):
    """How well one class is recognised, 0…1, and how many examples there are of it."""

    precision: float
    recall: float
    f1: float
    examples: int


MOST_CONFUSED = 500
"""Classes up to which there is a confusion matrix: of 30,000 it would take 7 GB."""


def ranks_of_labels(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the rank of each example's label among its scores, best first, counted from 0.

    Equal scores rank in label order, as `tf.math.top_k` has them.

    Args:
        scores: float `[batch, num_classes]`.
        labels: int `[batch]`.

    Returns:
        int64 `[batch]`.
    """
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    earlier = np.arange(scores.shape[1])[None, :] < labels[:, None]
    # Not `scores > own`: a score that is no number must never count as right.
    return (~(scores <= own) | ((scores == own) & earlier)).sum(axis=1)


def average_precision_at_3(ranks: np.ndarray) -> np.ndarray:
    """Return AP@3 with one right answer: 1, 1/2 or 1/3 for the first three ranks, else 0.

    Its mean is Kaggle's MAP@3 (Quick, Draw! Doodle Recognition Challenge, "Evaluation").

    Args:
        ranks: int `[batch]`, counted from 0.

    Returns:
        float64 `[batch]`.
    """
    return np.where(ranks < 3, 1 / (ranks + 1), 0.0)


def _confidence(logits: np.ndarray) -> np.ndarray:
    """Return the probability of each example's prediction, float64 `[batch]`."""
    with np.errstate(invalid="ignore"):  # logits that are no numbers have none
        shifted = logits - logits.max(axis=1, keepdims=True)
    return 1 / np.exp(shifted).sum(axis=1, dtype=np.float64)


class Metrics:
    """Sums over the examples seen so far.

    Args:
        num_classes: how many classes there are.
        temperature: what logits are divided by to get probabilities; only ECE depends on it.

    Attributes:
        confusion: int64 `[num_classes, num_classes]`, row = label, column = prediction; `[0, 0]`
            where there are more than `MOST_CONFUSED` classes.
    """

    def __init__(self, num_classes: int, temperature: float = 1.0):
        self._temperature = temperature
        side = num_classes if num_classes <= MOST_CONFUSED else 0
        self.confusion = np.zeros((side, side), np.int64)
        # How often each class was there, predicted, and both.
        self._per_class = np.zeros((3, num_classes), np.int64)
        # By bin of confidence: how many predictions, the sum of their confidence, and the right.
        self._bins = np.zeros((3, _BINS))
        self._sums = {"loss": 0.0, "top1": 0.0, "top3": 0.0, "map3": 0.0}

    @property
    def count(self) -> int:
        """How many examples were seen."""
        return int(self._per_class[0].sum())

    def update(self, logits: np.ndarray, labels: np.ndarray, losses: np.ndarray) -> None:
        """Add a batch.

        Args:
            logits: float `[batch, num_classes]`.
            labels: int `[batch]`.
            losses: float `[batch]`.
        """
        ranks = ranks_of_labels(logits, labels)
        predicted = logits.argmax(axis=1)
        for row, of in enumerate((labels, predicted, labels[labels == predicted])):
            self._per_class[row] += np.bincount(of, minlength=self._per_class.shape[1])
        if self.confusion.size:
            np.add.at(self.confusion, (labels, predicted), 1)
        self._sums["loss"] += float(losses.sum(dtype=np.float64))
        self._sums["top1"] += float((ranks == 0).sum())
        self._sums["top3"] += float((ranks < 3).sum())
        self._sums["map3"] += float(average_precision_at_3(ranks).sum())
        confidence = _confidence(logits / self._temperature)
        bins = np.clip(np.ceil(np.nan_to_num(confidence) * _BINS) - 1, 0, _BINS - 1).astype(int)
        for row, of in enumerate((np.ones(len(bins)), confidence, ranks == 0)):
            self._bins[row] += np.bincount(bins, of, _BINS)

    def state(self) -> np.ndarray:
        """Return all sums as one float64 array `[sums]`, to be added up over processes."""
        counts = (self.confusion.ravel(), self._per_class.ravel())
        return np.concatenate([*counts, list(self._sums.values()), self._bins.ravel()])

    def set_state(self, state: np.ndarray) -> None:
        """Take over what `state` returned, float64 `[sums]`, or a sum of such arrays."""
        ends = np.cumsum([self.confusion.size, self._per_class.size, len(self._sums)])
        confusion, per_class, sums, bins = np.split(state, ends)
        self._bins = bins.reshape(self._bins.shape)
        self.confusion = confusion.reshape(self.confusion.shape).astype(np.int64)
        self._per_class = per_class.reshape(self._per_class.shape).astype(np.int64)
        self._sums = dict(zip(self._sums, sums.tolist(), strict=True))

    def result(self) -> dict[str, float]:
        """Return the means loss, top1, top3 and map3, and ece, the expected calibration error.

        ECE is the gap between confidence and share of right predictions, in 15 equal bins of
        confidence, weighted by their examples (Guo et al. 2017, "On Calibration of Modern Neural
        Networks", equation 3).
        """
        _, confidence, right = self._bins
        sums = self._sums | {"ece": float(np.abs(confidence - right).sum())}
        return {name: value / max(self.count, 1) for name, value in sums.items()}

    def reliability(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return how many predictions lie in each of 15 equal bins of confidence, and their means.

        Returns:
            Three arrays, float64 `[15]`: counts; mean confidence; share that is right. The last two
            are 0 in an empty bin.
        """
        counts, confidence, right = self._bins
        some = np.maximum(counts, 1)
        return counts, confidence / some, right / some

    def tell_one_answer(self, names: list[str]) -> None:
        """Warn if one class was the answer to every example, of whatever class."""
        actual, predicted, _ = self._per_class
        if np.count_nonzero(actual) > 1 == np.count_nonzero(predicted):
            log(
                f"warning: the model answers {names[predicted.argmax()]!r} to every drawing. Usual "
                "causes: too few steps (batch normalization needs some hundreds, or momentum=0.9), "
                "a learning rate that is too high, weights or activations that are all 0 or not "
                "numbers, images that are scaled to next to nothing"
            )

    def most_confused(self, names: list[str], most: int = 20) -> list[tuple[str, str, int, float]]:
        """Return (label, prediction, count, share of the label) of the most frequent mistakes."""
        wrong = self.confusion * ~np.eye(len(self.confusion), dtype=bool)
        order = np.argsort(-wrong, axis=None, kind="stable")[:most]
        support = np.maximum(self.confusion.sum(axis=1), 1)
        pairs = zip(*np.unravel_index(order, wrong.shape), strict=True) if wrong.size else ()
        return [
            (names[label], names[guess], int(count), float(count / support[label]))
            for label, guess in pairs
            if (count := wrong[label, guess])
        ]

    def per_class(self, names: list[str]) -> dict[str, OfClass]:
        """Return precision, recall, F1 and number of examples of each class; 0 without any."""
        columns = (*self._precision_recall_f1(), self._per_class[0])
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return {
            name: {"precision": precision, "recall": recall, "f1": f1, "examples": examples}
            for name, (precision, recall, f1, examples) in zip(names, rows, strict=True)
        }

    def means(self) -> dict[str, dict[str, float]]:
        """Return the means of precision, recall and F1 over the classes, as scikit-learn has them.

        Returns:
            `macro`: all classes count the same, but for those that neither occur nor are
            predicted; `weighted`: each counts as often as it occurs.
        """
        actual, predicted, _ = self._per_class
        every = self._precision_recall_f1()
        found = {}
        for name, weights in (("macro", (actual + predicted) > 0), ("weighted", actual)):
            total = max(int(weights.sum()), 1)
            of = [float((each * weights).sum()) / total for each in every]
            found[name] = dict(zip(_OF_CLASSES, of, strict=True))
        return found

    def _precision_recall_f1(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return three arrays, float64 `[num_classes]`."""
        actual, predicted, right = self._per_class
        both = np.maximum(actual + predicted, 1)
        return right / np.maximum(predicted, 1), right / np.maximum(actual, 1), 2 * right / both
