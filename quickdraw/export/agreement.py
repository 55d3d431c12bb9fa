"""The comparison of an exported file, in its own runtime, with Keras."""

from __future__ import annotations

import dataclasses
import os
import time

import numpy as np

from quickdraw.components.inputs import preprocessed, specs
from quickdraw.console import log
from quickdraw.datasets.doodles.draw import CATEGORIES, draw
from quickdraw.drawings.rendering import Rendering
from quickdraw.errors import QuickdrawError
from quickdraw.evaluation.run_evaluation import open_labelled
from quickdraw.export.graph import Predicting
from quickdraw.readers import BaseReader, QuickDrawFeatureReader
from quickdraw.records import ink
from quickdraw.records.shards import BadRecords
from quickdraw.runs.ensemble import Ensemble

LIMIT = 1e-4
"""The largest allowed difference in any probability."""
INT8_LIMIT = 0.99
"""The smallest allowed share of equal predictions, for int8 weights."""
_DRAWINGS = 300
_TIMED = 100


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How an exported file compares with Keras.

    Attributes:
        drawings: the number of drawings.
        same_top1: the share of drawings with the same prediction.
        largest_difference: the largest difference in any probability.
        milliseconds: the median latency of one drawing in one thread.
    """

    drawings: int
    same_top1: float
    largest_difference: float
    milliseconds: float

    def check(self, path: str, quantized: bool) -> None:
        """Raise QuickdrawError if an export does not agree with the trained model."""
        agrees = self.largest_difference <= LIMIT
        if quantized:
            agrees = self.same_top1 >= INT8_LIMIT
        if not agrees:
            bound = f"the same prediction on {INT8_LIMIT:.0%}" if quantized else f"{LIMIT:g}"
            name = os.path.basename(path)
            raise QuickdrawError(
                f"{name}: loaded again, it does not predict what Keras does: {bound} expected. "
                f"Received: probabilities differ by up to {self.largest_difference:.2g}, "
                f"{self.same_top1:.1%} of {self.drawings} predictions are the same. It was deleted"
            )


def compare(predict: Predicting, arrays: dict[str, np.ndarray], wanted: np.ndarray) -> Agreement:
    """Compare the predictions of a loaded file with those of Keras.

    Args:
        predict: from inputs by name to probabilities, float32 `[batch, num_classes]`.
        arrays: the drawings, by input.
        wanted: what Keras predicts, float32 `[drawings, num_classes]`.
    """
    got = predict(arrays)
    one = {name: array[:1] for name, array in arrays.items()}
    seconds = []
    for _ in range(_TIMED):
        start = time.perf_counter()
        predict(one)
        seconds.append(time.perf_counter() - start)
    same = (got.argmax(axis=1) == wanted.argmax(axis=1)).mean()
    # NaN must not pass as a small difference.
    difference = float(np.abs(got - wanted).max()) if np.isfinite(got).all() else float("inf")
    return Agreement(len(wanted), float(same), difference, float(np.median(seconds)) * 1e3)


def drawings(
    ensemble: Ensemble, rendering: Rendering, count: int = _DRAWINGS
) -> dict[str, np.ndarray]:
    """Return drawings for the comparison: validation records, or else synthetic ones.

    Returns:
        By input: `image`, uint8 `[count, size, size, channels]`; `ink`, int16 `[count, max_points,
        3]`.
    """
    try:
        return _validation(ensemble, count)
    except QuickdrawError as error:
        log(f"note: exports are compared on made-up doodles, not on validation records: {error}")
        return _doodles(ensemble, rendering, count)


def _validation(ensemble: Ensemble, count: int) -> dict[str, np.ndarray]:
    reader = ensemble.reader(QuickDrawFeatureReader, "skip")
    shards = open_labelled(ensemble.run, reader, None)
    bad = BadRecords("skip")
    parts: list[dict[str, np.ndarray]] = []
    for arrays, _ in reader.read(shards, count, bad):
        parts.append(arrays)
        if sum(len(next(iter(part.values()))) for part in parts) >= count:
            break
    if not parts:
        raise QuickdrawError(f"{shards.patterns}: no usable record")
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]}


def _doodles(ensemble: Ensemble, rendering: Rendering, count: int) -> dict[str, np.ndarray]:
    run = ensemble.run
    rng = np.random.default_rng(0)
    every = [draw(CATEGORIES[number % len(CATEGORIES)], rng) for number in range(count)]
    made = {}
    for name in specs(ensemble.inputs, run.image_size, run.channels, ensemble.max_points):
        if name == "image":
            made[name] = np.stack([rendering.image(s, run.image_size, run.channels) for s in every])
        else:
            padded = [ink.padded(ink.ink_of(strokes), ensemble.max_points) for strokes in every]
            made[name] = np.stack(padded)
    return made


def warn_of_preprocessing(ensemble: Ensemble, rendering: Rendering) -> None:
    """Warn if a reader's `preprocess` changes images, since it is not part of an export."""
    if "image" not in ensemble.inputs:
        return
    size = ensemble.run.image_size
    images = _doodles(ensemble, rendering, 10)["image"]
    reader = BaseReader(image_size=size)
    if not np.array_equal(preprocessed(reader.preprocess, images, size), images):
        log(
            "warning: preprocess in quickdraw/readers.py changes images. It is not in an exported "
            "file: whoever feeds that must do the same to every image first"
        )
