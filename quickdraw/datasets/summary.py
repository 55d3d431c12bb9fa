"""What is in a data set, as tables for people, and the command to run next."""

from __future__ import annotations

import os
import shlex

from quickdraw.records.dataset_info import DatasetInfo


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


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table, its first column left-aligned, the others right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [first.ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        )
        for first, *cells in rows
    ]


def _next_command(info: DatasetInfo, output_dir: str) -> str:
    # Quoted, since some shells refuse a * that matches no file.
    train, valid = (shlex.quote(os.path.join(output_dir, f"{s}-*")) for s in ("train", "valid"))
    if not info.splits["train"]["shards"]:
        test = shlex.quote(os.path.join(output_dir, "test-*"))
        return f"python -m quickdraw.inference --input_data_pattern={test} --train_dir=runs/first"
    command = f"python -m quickdraw.train --train_data_pattern={train}"
    if info.splits["valid"]["shards"]:
        command += f" --eval_data_pattern={valid}"
    return f"{command} --train_dir=runs/first"
