"""Predictions for test records, as files that a leaderboard takes."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from quickdraw import storage
from quickdraw.components.inputs import Batch
from quickdraw.console import Progress, log
from quickdraw.errors import UsageError
from quickdraw.evaluation.balance import balanced
from quickdraw.evaluation.image_ids import ImageIds
from quickdraw.evaluation.prefetch import in_parallel, prefetch
from quickdraw.readers import QuickDrawTestFeatureReader
from quickdraw.records import labels
from quickdraw.records.shards import BadRecords, OnBadRecord, Shards
from quickdraw.runs.ensemble import Ensemble
from quickdraw.runs.paper import watched

_SCORE = "{:.6g}".format


def predict(  # noqa: PLR0913
    ensemble: Ensemble,
    input_data_pattern: str,
    output_file: str,
    *,
    top_k: int = 1,
    balance_classes: bool = False,
    output_probabilities: str | None = None,
    batch_size: int = 2048,
    on_bad_record: OnBadRecord = "error",
) -> int:
    """Write the predictions for test records; return how many there are.

    Args:
        ensemble: one trained model or several.
        input_data_pattern: comma-separated patterns of the test records.
        output_file: the CSV file; it appears complete or not at all.
        top_k: 1 for `image_id,label`, more for `key_id,word` with that many words. Labels are those
            of the records' dataset.json, or else of the run; a table of their names is written
            beside the file, see `labels.beside`.
        balance_classes: predict each class equally often; see `balance.balanced`.
        output_probabilities: a CSV file for every class' probability, or None.
        batch_size: drawings a step.
        on_bad_record: "error" stops at the first bad record, "skip" counts it and goes on.

    Raises:
        QuickdrawError: see `BaseReader.batches`; `top_k` above the number of classes; or labels
            asked for, and the records' list lacks a class of the run.
    """
    names = ensemble.labels
    if top_k > len(names):
        raise UsageError(f"--top_k must be at most {len(names)}, the number of classes")
    for path in filter(None, (output_file, output_probabilities)):
        storage.refuse_records(path)
    reader = ensemble.reader(QuickDrawTestFeatureReader, on_bad_record)
    shards, bad = ensemble.open_records(reader, input_data_pattern), BadRecords(on_bad_record)
    numbers, list_of_labels = ([], []) if top_k > 1 else _numbering(ensemble, shards)
    count, every_id = 0, ImageIds()
    with _csv(output_file) as predictions, _csv(output_probabilities) as every:
        predictions([("image_id", "label") if top_k == 1 else ("key_id", "word")])
        every([("image_id", *names)])
        batches = reader.some(shards, batch_size, bad)
        runs = [model.run for model in ensemble.models]
        scored = _scored(ensemble, prefetch(watched(runs, shards.patterns, batches)))
        for ids, scores in _balanced(scored) if balance_classes else scored:
            image_ids = [image_id.decode() for image_id in ids]
            every_id.add(image_ids)
            predictions(zip(image_ids, _answers(scores, top_k, names, numbers), strict=True))
            every(
                (image_id, *(f"{score:.6g}" for score in row))
                for image_id, row in zip(image_ids, scores, strict=True)
            )
            count += len(ids)
    _write_names(output_file, list_of_labels)
    bad.report()
    every_id.report(output_file)
    return count


def _scored(
    ensemble: Ensemble, batches: Iterable[Batch]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (ids, probabilities) of each batch of (inputs, ids)."""
    progress = Progress("predicting", None, "images")
    count = 0
    # Two batches at a time: TensorFlow shares one out to the cores, and waits for the core that is
    # busy reading.
    for ids, scores in in_parallel(
        lambda batch: (batch[1], ensemble.probabilities(batch[0])), batches
    ):
        yield ids, scores
        count += len(ids)
        progress.update(count)
    progress.close()


def _balanced(
    scored: Iterable[tuple[np.ndarray, np.ndarray]],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield all ids and balanced probabilities at once."""
    ids, scores = zip(*scored, strict=True)
    yield np.concatenate(ids), balanced(np.concatenate(scores))


def _numbering(ensemble: Ensemble, shards: Shards) -> tuple[list[int], list[str]]:
    """Return the label to write for each class of the ensemble, and the names of all labels.

    Test records come with a solution, whose labels are those of the dataset.json beside them.

    Raises:
        QuickdrawError: that has a list without some class of the ensemble.
    """
    names, theirs = ensemble.labels, shards.info.labels
    if not ensemble.named:
        return list(range(len(names))), []
    if not theirs or labels.same(names, theirs):
        return list(range(len(names))), names
    numbers = labels.numbers_in(names, theirs)
    if numbers is None:
        raise labels.differ(f"the dataset.json of {shards.patterns}", theirs, "the run", names)
    log(
        f"warning: the labels of {shards.patterns} are another list than those of the run: "
        "predictions are numbered as there, by the names of the classes"
    )
    return numbers, theirs


def _answers(
    scores: np.ndarray, top_k: int, names: list[str], numbers: list[int]
) -> list[int] | list[str]:
    """Return the prediction for each drawing: its label, or its likeliest words."""
    if top_k == 1:
        return np.array(numbers)[scores.argmax(axis=1)].tolist()
    words = [name.replace(" ", "_") for name in names]
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
    return [" ".join(words[label] for label in row) for row in best]


def _write_names(predictions: str, names: list[str]) -> None:
    """Write the names of the labels beside the predictions; none may stay there from before."""
    if os.path.exists(predictions) and not os.path.isfile(predictions):
        return  # a pipe or a device
    if names:
        labels.write(labels.beside(predictions), names)
    else:
        storage.delete(labels.beside(predictions))


@contextlib.contextmanager
def _csv(path: str | None) -> Iterator[Callable[[Iterable[Iterable[object]]], object]]:
    """Yield a function that writes rows; it does nothing where there is no file to write."""
    if path is None:
        yield lambda rows: None
        return
    with storage.write_whole(path) as file:
        yield csv.writer(file, lineterminator="\n").writerows
