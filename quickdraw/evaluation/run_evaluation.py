"""Evaluates a run on labelled records: once, or each checkpoint as a training writes it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from quickdraw import storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.evaluation.evaluate import BATCH, make_evaluate
from quickdraw.evaluation.metrics import Metrics
from quickdraw.evaluation.prefetch import prefetch
from quickdraw.readers import BaseReader, QuickDrawFeatureReader
from quickdraw.records.shards import BadRecords, OnBadRecord, Shards
from quickdraw.runs import calibration, checkpoints, factory, record
from quickdraw.runs.folder import wait_for
from quickdraw.runs.paper import watched
from quickdraw.runs.record import Run
from quickdraw.runs.trained import TrainedModel

FILE_NAME = "eval.json"


def open_labelled(run: Run, reader: BaseReader, given: str | None) -> Shards:
    """Open the records to evaluate on: those given, or those that the training was validated on.

    Raises:
        UsageError: there are neither.
        QuickdrawError: see `factory.open_records`.
    """
    if given:
        shards = factory.open_records(run, reader, given)
    elif (validated := factory.open_validation(run, reader)) is not None:
        shards = validated
    else:
        raise UsageError(
            "--eval_data_pattern is needed: the training was not validated on any records"
        )
    own = run.settings["eval_data_pattern"]
    if run.settings.get("use_valid_as_train") and shards.patterns == own:
        log(
            "warning: the model was trained on these records too (--use_valid_as_train): figures "
            "mean nothing"
        )
    elif shards.part is None and (both := _trained_on(run, shards.files)):
        log(
            f"warning: the model was trained on {both[0]}"
            f"{f' and {len(both) - 1} more of these files' * (len(both) > 1)} too: figures will be "
            "better than on drawings that it has not seen"
        )
    return shards


def describe(shards: Shards) -> dict[str, object]:
    """Return which records these are, as eval.json says it."""
    part = {"valid_share": shards.part.share} if shards.part else {}
    return {"eval_data_pattern": shards.patterns, **part}


def _trained_on(run: Run, files: list[str]) -> list[str]:
    """Return those of the files that the run was trained on, as far as these are still there."""
    with contextlib.suppress(QuickdrawError):
        known = set(map(os.path.abspath, storage.expand(run.settings["train_data_pattern"])))
        return [path for path in files if os.path.abspath(path) in known]
    return []


class RunEvaluation:
    """Evaluates a trained model, as it is then, and leaves eval.json in its folder.

    Args:
        trained: the model.
        train_dir: the folder of its run.
        patterns: of labelled records; those that the training was validated on where None.
        on_bad_record: "error" stops at the first bad record, "skip" counts it and goes on.

    Raises:
        QuickdrawError: no such records, or they do not suit the run.
    """

    def __init__(
        self,
        trained: TrainedModel,
        train_dir: str,
        patterns: str | None = None,
        on_bad_record: OnBadRecord = "error",
    ):
        run = trained.run
        self.trained, self._train_dir, self._on_bad_record = trained, train_dir, on_bad_record
        self._reader = factory.reader_for(run, QuickDrawFeatureReader, on_bad_record)
        self._shards = open_labelled(run, self._reader, patterns)
        self._unseen_by = [run]  # until they are looked at once
        self._evaluate = make_evaluate(trained.model, factory.create_loss(run), len(run.labels))

    def run(self) -> Metrics:
        """Evaluate the model and write eval.json."""
        bad = BadRecords(self._on_bad_record)
        batches = self._reader.some(self._shards, BATCH, bad)
        batches = prefetch(watched(self._unseen_by, self._shards.patterns, batches))
        metrics = self._evaluate(batches, self.trained.temperature)
        bad.report()
        metrics.tell_one_answer(self.trained.labels)
        self._unseen_by = []
        content: dict[str, object] = {
            "step": self.trained.step,
            **describe(self._shards),
            "labels": self.trained.labels,
            "examples": metrics.count,
            **metrics.result(),
            "means": metrics.means(),
            "per_class": metrics.per_class(self.trained.labels),
        }
        record.read_again(self._train_dir, self.trained.run)  # or its folder would come back
        storage.write_json(os.path.join(self._train_dir, FILE_NAME), content)
        return metrics

    def follow(self, poll_seconds: float) -> Iterator[Metrics]:
        """Evaluate each new checkpoint, until the training has ended.

        Raises:
            QuickdrawError: the run was deleted, or another has taken its place.
        """
        train_dir, trained = self._train_dir, self.trained
        while True:
            yield self.run()
            done = trained.step

            def newer(done: int = done) -> bool:
                record.read_again(train_dir, trained.run)
                path = checkpoints.latest(train_dir)
                return path is not None and checkpoints.step_of(path) > done

            finished = record.read_again(train_dir, trained.run).finished_step
            if finished is not None and done >= finished and not newer():
                log(f"the training has ended at step {finished:,}")
                return
            wait_for(newer, f"a checkpoint after step {done:,} in {train_dir}", poll_seconds)
            trained.step = checkpoints.restore_latest(trained.model, train_dir)
            trained.temperature = calibration.load(train_dir, trained.step)
