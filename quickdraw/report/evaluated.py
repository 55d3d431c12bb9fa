"""The evaluation of runs on records in one pass, and its results."""

from __future__ import annotations

import dataclasses
import logging
import os
import weakref
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from quickdraw import runs
from quickdraw.errors import UsageError
from quickdraw.evaluation.run_evaluation import open_labelled
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records.shards import BadRecords, OnBadRecord, Shards
from quickdraw.report.answers import Answers, AnswersCollector, softmax
from quickdraw.report.beside import Beside, NotingReader
from quickdraw.report.one_pass import BATCH, show_all
from quickdraw.report.shown import Shown, read_shown
from quickdraw.runs.ensemble import Ensemble
from quickdraw.runs.trained import TrainedModel


@dataclasses.dataclass
class Evaluated:
    """Runs, the drawings that they were evaluated on, and their predictions.

    Attributes:
        names: of the runs.
        folders: their train_dirs; None if unknown.
        ensemble: the trained models.
        shards: the records.
        labels: names of the classes, in label order.
        truth: int64 `[n]`, the label of each drawing.
        beside: the metadata of the drawings.
        answers: the predictions of each run.
        together: the predictions of all runs as an ensemble; of a single run, its own.
        best: the index of the run with the highest top-1.
    """

    names: list[str]
    folders: list[str | None]
    ensemble: Ensemble
    shards: Shards
    labels: list[str]
    truth: np.ndarray
    beside: Beside
    answers: list[Answers]
    together: Answers
    _shown: dict[int, Shown] = dataclasses.field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def best(self) -> int:
        return int(np.argmax([each.metrics.result()["top1"] for each in self.answers]))

    @property
    def trained(self) -> TrainedModel:
        """The model of the best run."""
        return self.ensemble.models[self.best]

    def alone(self, which: int) -> Evaluated:
        """Return the evaluation of one of the runs alone."""
        return dataclasses.replace(
            self,
            names=[self.names[which]],
            folders=[self.folders[which]],
            ensemble=self.ensemble.alone(which),
            answers=[self.answers[which]],
            together=self.answers[which],
        )

    @property
    def source(self) -> str:
        """The records, in words."""
        part = self.shards.part
        return self.shards.patterns + (f" ({part.share:g})" if part else "")

    def fetch(self, drawings: Sequence[int] | np.ndarray) -> None:
        """Read some drawings, int `[m]`, again in one pass, and cache them for `shown`."""
        missing = {int(each) for each in drawings} - self._shown.keys()
        if missing:
            places = {int(self.beside.places[each]): each for each in missing}
            self._shown |= read_shown(self.shards, places)

    def shown(self, drawings: Sequence[int] | np.ndarray) -> list[Shown]:
        """Return some drawings, int `[m]`, for display."""
        self.fetch(drawings)
        return [self._shown[int(each)] for each in drawings]

    def inputs(self, drawings: Sequence[int] | np.ndarray) -> dict[str, np.ndarray]:
        """Return some drawings as model inputs, in the order given.

        Returns:
            By input: `image`, uint8 `[m, size, size, channels]`; `ink`, int16 `[m, max_points, 3]`.
        """
        parts = list(self.batches(drawings))
        _, order = np.unique(drawings, return_inverse=True)
        return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}

    def batches(self, drawings: Sequence[int] | np.ndarray) -> Iterator[dict[str, np.ndarray]]:
        """Yield the inputs of drawings, int `[m]`, each once, in the order of the records.

        Yields:
            Batches as `inputs` returns them: uint8 `[few, size, size, channels]`, and so on.
        """
        wanted = set(self.beside.places[np.asarray(drawings, int)].tolist())
        reader, bad = self.ensemble.reader(QuickDrawFeatureReader, "skip"), BadRecords("skip")
        for arrays, _ in reader.read(self.shards, BATCH, bad, wanted.__contains__):
            yield arrays


OneOrSeveral = TrainedModel | str | Sequence[TrainedModel | str]
"""Trained models, or the train_dirs of runs."""
Asked = OneOrSeveral | Evaluated
"""The argument of a figure: models to evaluate, or an evaluation."""


def evaluate(
    trained: OneOrSeveral,
    data: str | None = None,
    on_bad_record: OnBadRecord = "error",
    folders: Sequence[str | None] | None = None,
) -> Evaluated:
    """Evaluate trained models on labelled records, in one pass.

    Memory: some 60 bytes a drawing and run, and at most 12 MB of logits and features a run. No
    drawing is kept: `Evaluated.shown` reads the few for display again.

    Args:
        trained: a `TrainedModel`, the train_dir of one, or a list of such.
        data: comma-separated patterns of records; None for the validation records of the
            training.
        on_bad_record: "error" stops at the first bad record, "skip" counts it and goes on.
        folders: the train_dirs, if models are given.

    Raises:
        QuickdrawError: no such run or records, or they do not match.
    """
    # Three batch sizes are intended: full batches, the last one, and single drawings.
    tf.get_logger().addFilter(_is_no_retracing)
    every = [trained] if isinstance(trained, TrainedModel | str) else trained
    if folders is None:
        folders = [each if isinstance(each, str) else None for each in every]
    models = [runs.load(each) if isinstance(each, str) else each for each in every]
    ensemble = Ensemble(models)
    if data is None:
        _check_same_validation(models)
    reader = ensemble.reader(NotingReader, on_bad_record)
    # With the classes of the first model, even if another one reads for all.
    run = dataclasses.replace(ensemble.run, labels=ensemble.labels, named=ensemble.named)
    shards = open_labelled(run, reader, data)
    collectors = [AnswersCollector(len(ensemble.labels), each.temperature) for each in models]
    both = AnswersCollector(len(ensemble.labels), 1.0) if len(models) > 1 else None
    truths = list(show_all(ensemble, reader, shards, collectors, both))
    answers = [each.answers() for each in collectors]
    return Evaluated(
        _names(folders, models),
        list(folders),
        ensemble,
        shards,
        ensemble.labels,
        np.concatenate(truths),
        reader.noted(),
        answers,
        both.answers() if both else answers[0],
    )


def _is_no_retracing(line: logging.LogRecord) -> bool:
    return "tf.function retracing" not in line.getMessage()


def _names(folders: Sequence[str | None], models: list[TrainedModel]) -> list[str]:
    """Return a short name for each run; the whole path if two would be the same."""
    paths = [
        (folder or model.run.model).rstrip("/")
        for folder, model in zip(folders, models, strict=True)
    ]
    short = [os.path.basename(path) for path in paths]
    if len(set(short)) == len(short):
        return short
    return paths if len(set(paths)) == len(paths) else [f"{i} {p}" for i, p in enumerate(paths)]


def _check_same_validation(models: list[TrainedModel]) -> None:
    every = {
        tuple(
            model.run.settings.get(name)
            for name in ("eval_data_pattern", "valid_share")
            + (("train_data_pattern",) if not model.run.settings.get("eval_data_pattern") else ())
        )
        for model in models
    }
    if len(every) > 1:
        found = ", ".join(sorted(str(each[0] or each[1:]) for each in every))
        raise UsageError(
            "--data_pattern is needed: the runs were validated on different records. "
            f"Received: {found}"
        )


_Key = tuple[str | None, int, float]
_known: weakref.WeakKeyDictionary[TrainedModel, dict[_Key, Evaluated]] = weakref.WeakKeyDictionary()


def evaluated(trained: Asked, data: str | None = None) -> Evaluated:
    """Return the result of `evaluate`, cached for the latest model and records.

    Args:
        trained: as for `evaluate`; an `Evaluated` is returned as it is.
        data: as for `evaluate`.
    """
    if isinstance(trained, Evaluated):
        return trained
    if not isinstance(trained, TrainedModel):
        return evaluate(trained, data)
    known = _known.setdefault(trained, {})
    key = (data, trained.step, trained.temperature)
    if key not in known:
        known.clear()
        known[key] = evaluate(trained, data)
    return known[key]


__all__ = ["Evaluated", "evaluate", "evaluated", "softmax"]
