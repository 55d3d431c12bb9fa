"""What is in a data set, as tables for people, and the command to run next."""

from __future__ import annotations

import os
import shlex

from quickdraw import storage
from quickdraw.console import columns
from quickdraw.records.dataset_info import DatasetInfo

_SHOWN = 8


def summary(info: DatasetInfo, output_dir: str) -> str:
    """Return tables of splits and classes, what was adjusted or skipped, and the next command."""
    rows: list[tuple[str, ...]] = [("split", "drawings", "shards")]
    rows += [
        (split, f"{content['records']:,}", str(len(content["shards"])))
        for split, content in info.splits.items()
    ]
    classes: list[tuple[str, ...]] = [("class", *info.splits)]
    classes += [
        (label, *(f"{content['per_class'][label]:,}" for content in info.splits.values()))
        for label in info.labels
    ]
    adjusted = [f"adjusted: {count:,} ({what})" for what, count in info.adjusted.items()]
    skipped = [f"skipped: {count:,} ({reason})" for reason, count in info.skipped.items()]
    return "\n".join(
        [
            *columns(rows),
            "",
            *(columns(classes) if info.labels else ["no labels: records for a test alone"]),
            "",
            *adjusted,
            *skipped,
            f"next: {_next_command(info, output_dir)}",
        ]
    )


def warnings(info: DatasetInfo) -> list[str]:
    """Return a line about each thing that somebody may not expect of a data set."""
    lines = []
    of = {split: content["per_class"] for split, content in info.splits.items()}
    records = {split: content["records"] for split, content in info.splits.items()}
    none = [label for label in info.labels if not any(counts[label] for counts in of.values())]
    if none:
        lines.append(f"warning: no drawing is left of {_named(none)}: see what was skipped")
    untrained = [label for label in info.labels if not of["train"][label] and label not in none]
    if records["train"] and untrained:
        lines.append(f"warning: there is no drawing to train on of {_named(untrained)}")
    if len(info.labels) == 1:
        lines.append(
            f"warning: all drawings are of one class, {info.labels[0]!r}: there is nothing to tell "
            "apart. A class is a file or a folder of its own, or stands beside each drawing"
        )
    if info.labels and records["test"] > sum(of["test"].values()):
        lines.append(
            f"the {records['test']:,} drawings without a label are the test set; those with one "
            "are for training and validation"
        )
    return lines


def _named(labels: list[str]) -> str:
    more = f" and {len(labels) - _SHOWN:,} more" if len(labels) > _SHOWN else ""
    return ", ".join(map(repr, labels[:_SHOWN])) + more


def _next_command(info: DatasetInfo, output_dir: str) -> str:
    # Quoted, since some shells refuse a * that matches no file.
    folder = storage.pattern_of(output_dir)
    train, valid, test = (shlex.quote(os.path.join(folder, f"{split}-*")) for split in info.splits)
    if not info.splits["train"]["shards"]:
        return f"python -m quickdraw.inference --input_data_pattern={test} --train_dir=runs/first"
    command = f"python -m quickdraw.train --train_data_pattern={train}"
    if info.splits["valid"]["shards"]:
        command += f" --eval_data_pattern={valid}"
    return f"{command} --train_dir=runs/first"
