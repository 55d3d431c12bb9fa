"""Makes a data set of PNG TFRecords from drawings in any of the usual formats.

    python -m quickdraw.datasets.prepare --source=DRAWINGS --output_dir=data/doodles

DRAWINGS is a file, a folder or a pattern in quotes. What is in it is seen by looking, or told by
--format:

    bitmaps     <category>.npy of Quick, Draw!, uint8 [n, 784]; read row by row, never loaded
    simplified  .ndjson of Quick, Draw!, strokes in 0...255
    raw         .ndjson with times, in screen pixels: simplified on the way as Google does
    binary      <category>.bin of Quick, Draw!
    csv         Kaggle's: drawing, word, perhaps key_id, countrycode, recognized. Without the column
                word the drawings are test records, and key_id is their image_id
    idx         MNIST and its kin, *-images-idx3-ubyte.gz with its labels beside; t10k is the test
    pictures    <category>/*.png or .jpg of any size; --polarity if it is not to be looked for
    tfrecords   the camp's, TensorFlow's stroke tutorial's (ink, shape, class_index), or any with
                --image_key and --label_key

Real drawings: python -m quickdraw.datasets.download --help (Google, CC BY 4.0).

Makes `train-*`, `valid-*` and `test-*` shards, `dataset.json`, which says what is there and what
was skipped for which reason, and `solution.csv`, the labels of the test set, which a competition
keeps to itself. The drawings are shuffled. A hash of its strokes or pixels says what split a
drawing is in: more drawings move none to another split, and one that is there twice, be it in
another order of strokes, is written once. The same drawings give the same bytes, whatever the
number of processes. The same command again does nothing, and after an interruption it starts anew.

Strokes are drawn as Quick, Draw! draws its bitmaps (--image_size, --line_width, --padding), or
with --channels=3 in the brightness of stroke order, time and speed. --keep_strokes stores them in
the record too: `ink` and `shape`, as TensorFlow's tutorial does.

For more than one machine: pip install '.[beam]' and --runner=DataflowRunner with
--beam_options='--project=P --region=R --temp_location=gs://B/tmp --setup_file=./setup.py'.

Time on two cores: 45,000 bitmaps or 6,500 drawings of strokes a second. Memory: up to 180 MB a
process, whatever the size. Disk: some 430 bytes a drawing, and 52 more on the way.
"""

from __future__ import annotations

import os
import sys
import tempfile
from types import ModuleType

from absl import flags

from quickdraw import cli, storage
from quickdraw.datasets import sources, splits, writer
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.sources.names import read_names
from quickdraw.datasets.summary import summary
from quickdraw.errors import QuickdrawError
from quickdraw.formats.dataset_info import DatasetInfo


def prepare(
    source: str,
    output_dir: str,
    recipe: Recipe | None = None,
    *,
    processes: int | None = None,
    format: str | None = None,
    polarity: str | None = None,
    image_key: str = "image",
    label_key: str | None = None,
    runner: str | None = None,
    beam_options: str = "",
) -> DatasetInfo:
    """Writes drawings in any format as a data set.

    Args:
        source: a file, a folder or a pattern.
        output_dir: folder of the shards, local or gs://.
        recipe: which drawings are taken, and what is made of them.
        processes: how many work at once; as many as there are cores when not given.
        format: one of `sources.FORMATS`; None looks at the files.
        polarity: of pictures, `dark_on_light` or `light_on_dark`; None looks at them.
        image_key: of TFRecords, the feature with the picture.
        label_key: of TFRecords, the feature with the label; None takes `label` or `class_index`.
        runner: of Apache Beam, such as `DirectRunner`; None works without Beam.
        beam_options: further options of Beam, as on a command line.

    Raises:
        QuickdrawError: a source that cannot be read, or an output folder that holds something else
            or cannot be written to.
    """
    recipe = recipe or Recipe()
    _check_place(source, runner)
    with tempfile.TemporaryDirectory(prefix="quickdraw-") as scratch:
        opened = sources.open_source(
            source,
            scratch,
            format=format,
            categories=recipe.categories,
            polarity=polarity,
            image_key=image_key,
            label_key=label_key,
        )
        where = f"{opened.format} in {os.path.normpath(source)}"
        if runner is None:
            return writer.write(opened, output_dir, recipe, description=where, processes=processes)
        if any(file.path.startswith(scratch) for file in opened.files) and not _is_here(runner):
            raise QuickdrawError(f"{source}: {runner} reads files that are not packed: gunzip them")
        return _beam().write(
            opened, output_dir, recipe, description=where, runner=runner, options=beam_options
        )


def _is_here(runner: str) -> bool:
    return runner == "DirectRunner"


def _check_place(source: str, runner: str | None) -> None:
    """Raises QuickdrawError where the source lies too far from those who read it."""
    if storage.is_remote(source) and runner is None:
        raise QuickdrawError(
            f"{source}: drawings are read from a local disk (or by --runner=DataflowRunner). "
            f"Copy them first: gcloud storage cp -r '{source}' FOLDER"
        )
    if runner and not _is_here(runner) and not storage.is_remote(source):
        raise QuickdrawError(f"{source}: {runner} reads from gs://, which other machines can see")


def _beam() -> ModuleType:
    try:
        from quickdraw.datasets import beam
    except ImportError as error:
        raise QuickdrawError(
            f"--runner needs Apache Beam: pip install '.[beam]' ({error})"
        ) from None
    return beam


def define_flags(values: flags.FlagValues) -> None:
    """Defines this entry point's flags."""
    _define_source_flags(values)
    _define_choice_flags(values)
    _define_drawing_flags(values)
    text, number = flags.DEFINE_string, flags.DEFINE_integer
    text("output_dir", None, "Folder for the shards, local or gs://.", flag_values=values)
    flags.DEFINE_float("shard_megabytes", 100.0, "About how large a shard is.", flag_values=values)
    flags.DEFINE_bool("gzip", False, "Whether to pack the shards.", flag_values=values)
    number("processes", None, "How many work at once; all cores if not given.", flag_values=values)
    flags.DEFINE_enum(
        "runner",
        None,
        ["DirectRunner", "DataflowRunner"],
        "Apache Beam's runner (pip install '.[beam]'); this machine without Beam if not given.",
        flag_values=values,
    )
    text("beam_options", "", "Further options for Apache Beam, in quotes.", flag_values=values)
    cli.define_config_flag(values)


def _define_source_flags(values: flags.FlagValues) -> None:
    text = flags.DEFINE_string
    text("source", None, "File, folder or pattern of drawings.", flag_values=values)
    flags.DEFINE_enum(
        "format", None, list(sources.FORMATS), "What the source is, if told.", flag_values=values
    )
    flags.DEFINE_enum(
        "polarity",
        None,
        list(sources.POLARITIES),
        "Ink and paper of pictures; looked for if not given.",
        flag_values=values,
    )
    text("image_key", "image", "Feature of a TFRecord with the picture.", flag_values=values)
    text(
        "label_key",
        None,
        "Feature of a TFRecord with the label; label or class_index if not given.",
        flag_values=values,
    )


def _define_choice_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_list(
        "categories",
        None,
        "Classes in label order, such as cat,traffic_light, or a file with one a line; all of "
        "them, in alphabetical order, if not given.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "per_category", None, "At most that many from the start of each.", flag_values=values
    )
    flags.DEFINE_float(
        "fraction", 1.0, "Part of the drawings, for trying things out.", flag_values=values
    )
    flags.DEFINE_bool(
        "recognized_only", False, "Leaves out what Google did not recognise.", flag_values=values
    )
    flags.DEFINE_bool(
        "balance", False, "As many of each class as of the smallest.", flag_values=values
    )
    flags.DEFINE_string(
        "split", "80/10/10", "Percentages of train, valid and test.", flag_values=values
    )


def _define_drawing_flags(values: flags.FlagValues) -> None:
    number, real = flags.DEFINE_integer, flags.DEFINE_float
    number("image_size", 28, "Height and width of the images, in pixels.", flag_values=values)
    real("line_width", 16.0, "Diameter of the pen; a drawing is 255 wide.", flag_values=values)
    real("padding", 16.0, "Margin about a drawing, in the same unit.", flag_values=values)
    number("channels", 1, "3 draws stroke order, time and speed into channels.", flag_values=values)
    flags.DEFINE_bool(
        "keep_strokes", False, "Stores ink and shape beside the image.", flag_values=values
    )


def recipe_of(values: flags.FlagValues) -> Recipe:
    """What the flags ask for."""
    chosen = values.categories
    return Recipe(
        categories=None if chosen is None else tuple(read_names(chosen)),
        per_category=values.per_category,
        fraction=values.fraction,
        recognized_only=values.recognized_only,
        balance=values.balance,
        percentages=splits.parse(values.split),
        image_size=values.image_size,
        line_width=values.line_width,
        padding=values.padding,
        channels=values.channels,
        keep_strokes=values.keep_strokes,
        shard_megabytes=values.shard_megabytes,
        gzip=values.gzip,
    )


def command(values: flags.FlagValues) -> None:
    """Prepares the data set and prints what is in it."""
    for name in ("source", "output_dir"):
        if not values[name].value:
            raise cli.UsageError(f"--{name} is needed: {values[name].help}")
    if values.processes is not None and values.processes < 1:
        raise QuickdrawError(f"processes must be at least 1. Received: {values.processes}")
    info = prepare(
        values.source,
        values.output_dir,
        recipe_of(values),
        processes=values.processes,
        format=values.format,
        polarity=values.polarity,
        image_key=values.image_key,
        label_key=values.label_key,
        runner=values.runner,
        beam_options=values.beam_options,
    )
    print(summary(info, values.output_dir))


def main(argv: list[str] | None = None) -> int:
    """Runs the entry point; returns its exit code."""
    return cli.run(define_flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
