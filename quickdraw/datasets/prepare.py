"""Makes a data set of PNG TFRecords from Quick, Draw!'s numpy bitmaps.

    python -m quickdraw.datasets.prepare --source=DIR_OF_NPY --output_dir=data/doodles

The source is a folder of `<category>.npy` files, such as those of the Quick, Draw! Dataset (Google,
CC BY 4.0; some 100 MB a category):

    gcloud storage cp 'gs://quickdraw_dataset/full/numpy_bitmap/cat.npy' DIR_OF_NPY

Makes `train-*`, `valid-*` and `test-*` shards of at most 100 MB, `dataset.json`, which says what is
there, and `solution.csv`, the labels of the test set, which a competition keeps to itself. The
drawings are shuffled. What split a drawing is in depends on its pixels alone; a drawing that is
there twice is written once. The same command again does nothing, and after an interruption it
starts anew.

Time: some 30,000 drawings/s on two cores, which is 40 s for ten whole categories (1.2 million
drawings) and half an hour for all 345 (50 million). Disk: 430 bytes a drawing.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

from absl import flags

from quickdraw import cli
from quickdraw.dataset_info import DatasetInfo
from quickdraw.datasets import sources, splits, writer
from quickdraw.errors import QuickdrawError


def prepare(
    source: str,
    output_dir: str,
    *,
    categories: Sequence[str] | None = None,
    per_category: int | None = None,
    image_size: int = 28,
    split: splits.Percentages = splits.DEFAULT,
) -> DatasetInfo:
    """Writes the drawings of a folder of `<category>.npy` files as a data set.

    Args:
        source: the folder.
        output_dir: folder of the shards, local or gs://.
        categories: names of the classes in label order; all files, in alphabetical order, when not
            given.
        per_category: at most that many from the start of each file.
        image_size: height and width of the images, in pixels.
        split: percentages of train, valid and test.

    Raises:
        QuickdrawError: a source that cannot be read, an output folder that holds something else or
            cannot be written to, or a number out of range.
    """
    for name, number in (("per_category", per_category), ("image_size", image_size)):
        if number is not None and number < 1:
            raise QuickdrawError(f"{name} must be at least 1. Received: {number}")
    drawings = sources.open_source(source, categories, per_category)
    return writer.write(
        drawings,
        output_dir,
        source=f"numpy bitmaps in {os.path.normpath(source)}",
        image_size=image_size,
        percentages=split,
    )


def summary(info: DatasetInfo, output_dir: str) -> str:
    """Tables of the splits and classes, what was skipped, and the command to run next."""
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
    skipped = [f"skipped: {count:,} ({reason})" for reason, count in info.skipped.items()]
    return "\n".join(
        [
            *_table(rows),
            "",
            *_table(classes),
            "",
            *skipped,
            f"next: {_next_command(info, output_dir)}",
        ]
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
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
    command = f"python -m quickdraw.train --train_data_pattern={train}"
    if info.splits["valid"]["shards"]:
        command += f" --eval_data_pattern={valid}"
    return f"{command} --train_dir=runs/first"


def define_flags(values: flags.FlagValues) -> None:
    """Defines this entry point's flags."""
    text, number = flags.DEFINE_string, flags.DEFINE_integer
    text("source", None, "Folder of <category>.npy files.", flag_values=values)
    text("output_dir", None, "Folder for the shards, local or gs://.", flag_values=values)
    flags.DEFINE_list(
        "categories",
        None,
        "Classes in label order, such as cat,traffic_light; all of them when not given.",
        flag_values=values,
    )
    number("per_category", None, "At most that many of each category.", flag_values=values)
    number("image_size", 28, "Height and width of the images, in pixels.", flag_values=values)
    text("split", "80/10/10", "Percentages of train, valid and test.", flag_values=values)
    cli.define_config_flag(values)


def command(values: flags.FlagValues) -> None:
    """Prepares the data set and prints what is in it."""
    for name in ("source", "output_dir"):
        if not values[name].value:
            raise cli.UsageError(f"--{name} is needed: {values[name].help}")
    info = prepare(
        values.source,
        values.output_dir,
        categories=values.categories,
        per_category=values.per_category,
        image_size=values.image_size,
        split=splits.parse(values.split),
    )
    print(summary(info, values.output_dir))


def main(argv: list[str] | None = None) -> int:
    """Runs the entry point; returns its exit code."""
    return cli.run(define_flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
