"""Inference: from test records to a CSV file."""

from __future__ import annotations

import os

from benchmarks import limits
from benchmarks.contest import Candidate, Contest, Goal, Options, call

OURS = "quickdraw.inference"
KERAS = "keras predict, tf.data map"
BATCH_SIZE = 1024


def contest(options: Options) -> Contest:
    """Trains a model that all predict with, and lets them."""
    train_dir = os.path.join(options.scratch, "run")
    records = {"train": options.pattern("train"), "valid": options.pattern("valid")}
    call("benchmarks.ours:make_run", records | {"train_dir": train_dir})
    where = {
        "train_dir": train_dir,
        "warm_up": options.pattern("test"),
        "pattern": os.path.join(options.large, "test-*"),
        "batch_size": BATCH_SIZE,
    }
    return Contest(
        "Inference",
        [
            Candidate(OURS, "benchmarks.ours:predict", where),
            Candidate(KERAS, "benchmarks.opponents.keras_fit:predict", where, "keras"),
            limits.candidate(options),
        ],
        [
            Goal(
                f"records to CSV, against {KERAS}",
                2,
                lambda value: value(OURS, "inference") / value(KERAS, "inference"),
            )
        ],
    )
