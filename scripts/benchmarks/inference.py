"""Inference: from test records to a CSV file."""

from __future__ import annotations

import os

from benchmarks import limits, machine
from benchmarks.contest import Candidate, Contest, Goal, Options, call

OURS = "quickdraw.inference, {}"
KERAS = "keras predict, tf.data map, {}"
BATCH_SIZE = 2048
PRECISIONS = machine.fast_precisions()


def contest(options: Options) -> Contest:
    """Trains a model of each precision that is fast here, and lets all predict with it."""
    candidates = [each for precision in PRECISIONS for each in _candidates(options, precision)]
    goals = [_goal(OURS.format(precision), KERAS.format(precision)) for precision in PRECISIONS]
    return Contest("Inference", [*candidates, limits.candidate(options)], goals)


def _candidates(options: Options, precision: str) -> list[Candidate]:
    train_dir = os.path.join(options.scratch, precision)
    records = {"train": options.pattern("train"), "valid": options.pattern("valid")}
    call("benchmarks.ours:make_run", {**records, "train_dir": train_dir, "precision": precision})
    where = {
        "train_dir": train_dir,
        "warm_up": options.pattern("test"),
        "pattern": os.path.join(options.large, "test-*"),
        "batch_size": BATCH_SIZE,
    }
    keras = "benchmarks.opponents.keras_fit:predict"
    return [
        Candidate(OURS.format(precision), "benchmarks.ours:predict", where),
        Candidate(KERAS.format(precision), keras, where, "keras"),
    ]


def _goal(ours: str, theirs: str) -> Goal:
    return Goal(
        f"{ours}, against {theirs}",
        2,
        lambda value: value(ours, "inference") / value(theirs, "inference"),
    )
