"""From records to the step: the first epoch, and later ones."""

from __future__ import annotations

import os

from benchmarks import limits
from benchmarks.contest import Candidate, Contest, Goal, Options

OURS = "quickdraw"
USUAL = "tf.data, map"
CACHED = "tf.data, map, cache"
LOADER = "PyTorch DataLoader, Pillow"
MEMORY = "PyTorch, tensor in memory"


def contest(options: Options) -> Contest:
    """Images a second that are delivered, shuffled and in batches; no model."""
    where = {
        "pattern": os.path.join(options.large, "train-*"),
        "batch_size": options.batch_size,
    }
    package = "benchmarks.opponents"
    return Contest(
        "Input",
        [
            Candidate(OURS, "benchmarks.ours:epochs", where),
            Candidate(USUAL, f"{package}.tfdata:epochs", where | {"cache": False}, "tfdata"),
            Candidate(CACHED, f"{package}.tfdata:epochs", where | {"cache": True}, "tfdata"),
            Candidate(LOADER, f"{package}.pytorch:epochs_with_loader", where, "torch"),
            Candidate(MEMORY, f"{package}.pytorch:epochs_in_memory", where, "torch"),
            limits.candidate(options),
        ],
        [
            Goal(
                f"first epoch from PNG records, against {USUAL}",
                3,
                lambda value: value(OURS, "first epoch") / value(USUAL, "first epoch"),
            ),
            Goal(
                f"later epochs, against {USUAL}",
                100,
                lambda value: value(OURS, "later epochs") / value(USUAL, "later epochs"),
            ),
        ],
    )
