"""Makes a data set of PNG TFRecords from drawings in any of the usual formats.

    python -m quickdraw.datasets.prepare --source=DRAWINGS --output_dir=data/doodles

DRAWINGS is a file, a folder or a pattern in quotes. --format says what is in it, or a look does:

    bitmaps     <category>.npy of Quick, Draw!, uint8 [n, 784], read row by row; or X.npy and y.npy,
                x_train.npy and y_train.npy …: images with labels, which x_test.npy may lack
    simplified  .ndjson of Quick, Draw!, strokes in 0...255, or a list of such in .json
    raw         .ndjson with times, in screen pixels: simplified on the way as Google does
    binary      <category>.bin of Quick, Draw!
    csv         Kaggle's: drawing, word, perhaps key_id, countrycode, recognized. Without the column
                word the drawings are test records, and key_id is their image_id
    pixels      Kaggle's csv of MNIST and its kin: a column label, or id of test images, and one for
                each pixel; without such a column the ids are the numbers of the rows, from 1 on
    idx         MNIST and its kin, *-images-idx3-ubyte.gz with its labels beside; t10k is the test
    npz         Sketch-RNN's <category>.npz, KMNIST's, Keras' mnist.npz; their test sets stay
    pictures    <category>/*.png, .jpg, .webp, .gif, .bmp, .tif … of up to 25 million pixels; or
                beside them train.csv, with columns of their names and classes, or metadata.jsonl
    tfrecords   the camp's, TensorFlow's stroke tutorial's (ink, shape, class_index), or any with
                --image_key and --label_key, be they packed by gzip or zlib

Real drawings: python -m quickdraw.datasets.download --help (Google, CC BY 4.0).

Makes `train-*`, `valid-*` and `test-*` shards, `dataset.json`, which says what is there, what was
skipped for which reason and which files were not read, and `solution.csv`, the labels of the test
set, which a competition keeps to itself. The drawings are shuffled. A hash of its strokes or pixels
says what split a drawing is in: more drawings move none to another split, and one that is there
twice, be it in another order of strokes or by its key_id, is written once; a blank one is left out.
The same drawings give the same bytes, whatever the number of processes. The same command again does
nothing, unless the files or the flags have changed, and after an interruption it starts anew.

Splits that the source makes are kept: NAME-test.tfrecord-…, eval.…, t10k, and folders train/, test/
and valid/ with files of these formats. Drawings without a label are the whole test set then: each
comes out with its id, in the order of the files, be it blank or there twice.

Images are stored as ink, 255, on 0. Each tells by its border and its area which way round it is;
one that does not is taken as most of its file, and --polarity tells it for all. EXIF is obeyed,
EMNIST is turned upright, and on transparent paper ink is what is opaque. `dataset.json` counts
what was done, under `adjusted`.

Strokes are drawn as Quick, Draw! draws its bitmaps (--image_size, --line_width, --padding), or
with --channels=3 in the brightness of stroke order, time and speed. With --redraw the lines of
pictures are drawn so, too, be they thin, thick, small or photographed. --keep_strokes stores
strokes in the record, too: `ink` and `shape`, as TensorFlow's tutorial does. --keep_metadata adds
what reports divide by, where the source says it: `recognized`, and beside ink `times`.

For more than one machine: pip install '.[beam]' and --runner=DataflowRunner with
--beam_options='--project=P --region=R --temp_location=gs://B/tmp --setup_file=./setup.py'.

Time on two cores: 45,000 bitmaps or 6,500 drawings of strokes a second. Memory: up to 180 MB a
process, whatever the size. Disk: some 430 bytes a drawing, and 70 more on the way.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
from types import ModuleType
from typing import Literal

from quickdraw import cli, storage
from quickdraw.datasets import sources, splits
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.sources.names import read_names
from quickdraw.datasets.sources.unclear_pictures import warn_of_unclear_pictures
from quickdraw.datasets.sources.unclear_strokes import warn_of_unclear_strokes
from quickdraw.datasets.summary import summary
from quickdraw.datasets.writing import writer
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.extras import needs
from quickdraw.fields import field
from quickdraw.records.dataset_info import DatasetInfo


def prepare(  # noqa: PLR0913
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
    """Write drawings in any format as a data set.

    Args:
        source: a file, a folder or a pattern.
        output_dir: folder of the shards, local or gs://.
        recipe: which drawings are taken, and what is made of them.
        processes: how many work at once; as many as there are cores when not given.
        format: one of `sources.FORMATS`; None looks at the files.
        polarity: of images, `dark_on_light` or `light_on_dark`; None looks at each.
        image_key: of TFRecords, the feature with the picture.
        label_key: of TFRecords, the feature with the label; None takes `label` or `class_index`.
            Of csv and ndjson files the column or field; None takes `word`. Of pictures the column
            of the csv file beside them.
        runner: of Apache Beam, such as `DirectRunner`; None works without Beam.
        beam_options: further options of Beam, as on a command line.

    Raises:
        QuickdrawError: a source that cannot be read, or an output folder that holds something else
            or cannot be written to.
    """
    recipe = recipe or Recipe()
    _check_place(source, runner)
    with tempfile.TemporaryDirectory(prefix="quickdraw-") as scratch, storage.writing(scratch):
        opened = sources.open_source(
            source,
            scratch,
            format=format,
            categories=recipe.categories,
            polarity=polarity,
            image_key=image_key,
            label_key=label_key,
        )
        if opened.has_strokes:
            warn_of_unclear_strokes(opened.files, recipe)
        if not recipe.redraw:
            warn_of_unclear_pictures(opened.files, recipe.image_size)
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
    """Raise QuickdrawError if the source cannot be read where the work is done."""
    if storage.is_remote(source) and runner is None:
        raise QuickdrawError(
            f"{source}: drawings are read from a local disk (or by --runner=DataflowRunner). "
            f"Copy them first: gcloud storage cp -r '{source}' FOLDER"
        )
    if runner and not _is_here(runner) and not storage.is_remote(source):
        raise QuickdrawError(f"{source}: {runner} reads from gs://, which other machines can see")


def _beam() -> ModuleType:
    with needs("beam"):
        from quickdraw.datasets.beam import pipeline
    return pipeline


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of this command."""

    source: str | None = field(None, "File, folder or pattern of drawings.", path=True)
    output_dir: str | None = field(None, "Folder for the shards, local or gs://.", path=True)
    format: str | None = field(None, "What the source is, if told.", choices=tuple(sources.FORMATS))
    polarity: str | None = field(
        None,
        "Ink and paper of images; each is looked at if not given.",
        choices=tuple(sources.POLARITIES),
    )
    image_key: str = field("image", "Feature of a TFRecord with the picture.")
    label_key: str | None = field(
        None,
        "Feature of a TFRecord with the label (label or class_index if not given), column of a csv "
        "file or field of ndjson (word if not given), or column of a csv file beside pictures.",
    )
    categories: tuple[str, ...] | None = field(
        None,
        "Classes in label order, such as cat,traffic_light, or a file with one a line; all of "
        "them, in alphabetical order, if not given.",
        path=True,
    )
    per_category: int | None = field(None, "At most that many from the start of each.")
    fraction: float = field(1.0, "Part of the drawings, for trying things out.")
    recognized_only: bool = field(False, "Leaves out what Google did not recognise.")
    balance: bool = field(False, "As many of each class as of the smallest.")
    split: str = field("80/10/10", "Percentages of train, valid and test.")
    image_size: int = field(28, "Height and width of the images, in pixels.")
    line_width: float = field(16.0, "Diameter of the pen; a drawing is 255 wide.")
    padding: float = field(16.0, "Margin about a drawing, in the same unit.")
    channels: int = field(1, "3 draws stroke order, time and speed into channels.")
    redraw: bool = field(
        False,
        "Draws the lines of pictures again as strokes are drawn: in the same box, with the same "
        "pen.",
    )
    keep_strokes: bool = field(False, "Stores ink and shape beside the image.")
    keep_metadata: bool = field(
        False,
        "Stores recognized too, and with --keep_strokes times, the milliseconds of the points, "
        "where the source has them.",
    )
    shard_megabytes: float = field(100.0, "About how large a shard is.")
    gzip: bool = field(False, "Whether to pack the shards.")
    processes: int | None = field(None, "How many work at once; all cores if not given.", 1)
    runner: Literal["DirectRunner", "DataflowRunner"] | None = field(
        None,
        "Apache Beam's runner (pip install '.[beam]'); this machine without Beam if not given.",
    )
    beam_options: str = field("", "Further options for Apache Beam, in quotes.")


def recipe_of(flags: Flags) -> Recipe:
    """Return the recipe that the flags ask for."""
    same = {each.name for each in dataclasses.fields(Recipe)} - {"categories", "percentages"}
    chosen = flags.categories
    return Recipe(
        categories=None if chosen is None else tuple(read_names(chosen)),
        percentages=splits.parse(flags.split),
        **{name: getattr(flags, name) for name in same},
    )


def command(flags: Flags) -> None:
    """Prepare the data set and print what is in it."""
    if not flags.source:
        raise UsageError("--source is needed: a file, folder or pattern of drawings")
    if not flags.output_dir:
        raise UsageError("--output_dir is needed: a folder for the shards, local or gs://")
    info = prepare(
        flags.source,
        flags.output_dir,
        recipe_of(flags),
        processes=flags.processes,
        format=flags.format,
        polarity=flags.polarity,
        image_key=flags.image_key,
        label_key=flags.label_key,
        runner=flags.runner,
        beam_options=flags.beam_options,
    )
    print(summary(info, flags.output_dir))


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-prepare`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
