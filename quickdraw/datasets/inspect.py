"""Looks at a data set of PNG TFRecords: what is in it, and what is wrong with it.

    python -m quickdraw.datasets.inspect 'data/doodles/*.tfrecords' --output=inspect.html

The pattern may name several files, folders and splits (quoted or not; --data_pattern=… does the
same). Shards need a name that starts with their split, such as `train-00000-of-00004.tfrecords`;
class names come from the `dataset.json` beside them. Test records without labels are fine.

Prints drawings per class and split, image sizes, features, bad records (file, number, reason) and
drawings that are there twice, within a split or across splits. Writes one HTML page that needs
nothing else, neither network nor script, for a large screen or a phone, by day or by night: the
mean doodle and a sheet of drawings of each class, ink and size, the classes that look most alike,
and drawings that are suspicious: empty, a dot, or far too much ink, with file and record number.

Time: some 50,000 drawings/s on one core. Memory: some 35 bytes a drawing to find duplicates, and
60 kB a class. Page: some 15 kB a class.
"""

from __future__ import annotations

import itertools
import os
import sys
import time

from absl import flags

from quickdraw import cli, storage
from quickdraw.datasets.inspection.findings import number_of
from quickdraw.datasets.inspection.page import page
from quickdraw.datasets.inspection.report import Report, look
from quickdraw.datasets.summary import columns
from quickdraw.errors import QuickdrawError
from quickdraw.progress import log


def inspect(patterns: str, output: str) -> Report:
    """Reads the records and writes the page.

    Args:
        patterns: comma-separated files, folders or glob patterns, local or gs://.
        output: the HTML file, local or gs://; replaced if it is there.

    Raises:
        QuickdrawError: no file matches, no record can be used, or the page cannot be written.
    """
    _check_output(output)
    start = time.monotonic()
    report = look(patterns)
    seconds = time.monotonic() - start
    log(f"{report.total:,} drawings in {seconds:.1f} s ({report.total / seconds:,.0f} drawings/s)")
    with storage.write_whole(output) as file:
        file.write(page(report))
    return report


def _check_output(output: str) -> None:
    """A page that cannot be written is an error now, not after all has been read."""
    if storage.is_folder(output):
        raise QuickdrawError(f"{output}: the name of a file expected, it is a folder")
    storage.make_folders(os.path.dirname(output) or ".")


def summary(report: Report) -> str:
    """Tables of the classes, image sizes and features, the bad records and the findings."""
    totals = report.split_totals()
    rows = [("class", *report.splits), *_rows(report)]
    rows.append(("all together", *(f"{count:,}" for count in totals.values())))
    sizes = [
        f"{height}x{width}, {number_of(channels, 'channel')}: {number_of(count, 'record')}"
        for (height, width, channels), count in report.records.sizes.most_common()
    ]
    features = [
        f"{name} ({kind}): {number_of(count, 'record')}"
        for (name, kind), count in sorted(report.records.features.items())
    ]
    parts = [columns(rows), sizes, features]
    if report.records.bad:
        shown = report.records.first_bad[:10]
        parts.append(
            [
                f"bad records: {report.records.bad:,}, the first of them:",
                *(f"  {error}" for error in shown),
            ]
        )
    parts.append([f"{'! ' * (found.level == 'warning')}{found.text}" for found in report.findings])
    return "\n\n".join("\n".join(part) for part in parts)


def _rows(report: Report) -> list[tuple[str, ...]]:
    return [
        (report.name(label), *(f"{count:,}" for count in counts))
        for label, counts in report.table()
    ]


def define_flags(values: flags.FlagValues) -> None:
    """Defines this entry point's flags."""
    text = flags.DEFINE_string
    text("data_pattern", None, "Shards: files, folders or patterns.", flag_values=values)
    text("output", "inspect.html", "The page, local or gs://.", flag_values=values)
    cli.define_config_flag(values)


def command(values: flags.FlagValues) -> None:
    """Inspects the records, prints the summary and names the page."""
    if not values.data_pattern:
        raise cli.UsageError(f"a pattern is needed: {values['data_pattern'].help}")
    print(summary(inspect(values.data_pattern, values.output)))
    print(f"\npage: {values.output}")


def main(argv: list[str] | None = None) -> int:
    """Runs the entry point; returns its exit code."""
    program, *arguments = sys.argv if argv is None else argv
    # A shell expands a pattern that is not quoted to many arguments.
    names = list(itertools.takewhile(lambda argument: not argument.startswith("-"), arguments))
    pattern = [f"--data_pattern={','.join(names)}"] if names else []
    return cli.run(define_flags, command, [program, *pattern, *arguments[len(names) :]])


if __name__ == "__main__":
    sys.exit(main())
