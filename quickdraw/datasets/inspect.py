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

import dataclasses
import itertools
import sys
import time

from quickdraw import cli, storage
from quickdraw.console import columns, log
from quickdraw.datasets.inspection.findings import number_of
from quickdraw.datasets.inspection.look import look
from quickdraw.datasets.inspection.overview import Overview
from quickdraw.datasets.inspection.page import page
from quickdraw.errors import UsageError
from quickdraw.fields import field

_BAD_SHOWN = 10


def inspect(patterns: str, output: str) -> Overview:
    """Read the records and write the page; return what was found.

    Args:
        patterns: comma-separated files, folders or glob patterns, local or gs://.
        output: the HTML file, local or gs://; replaced if it is there.

    Raises:
        QuickdrawError: no file matches, no record can be used, or the page cannot be written.
    """
    storage.check_output(output)
    start = time.monotonic()
    overview = look(patterns)
    seconds = time.monotonic() - start
    total, rate = overview.total, overview.total / seconds
    log(f"{total:,} drawings in {seconds:.1f} s ({rate:,.0f} drawings/s)")
    with storage.write_whole(output) as file:
        file.write(page(overview))
    return overview


def summary(overview: Overview) -> str:
    """Return tables of classes, image sizes and features, the bad records and the findings."""
    totals, contents = overview.split_totals(), overview.contents
    rows = [("class", *overview.splits), *_rows(overview)]
    rows.append(("all together", *(f"{count:,}" for count in totals.values())))
    sizes = [
        f"{height}x{width}, {number_of(channels, 'channel')}: {number_of(count, 'record')}"
        for (height, width, channels), count in contents.sizes.most_common()
    ]
    features = [
        f"{name} ({kind}): {number_of(count, 'record')}"
        for (name, kind), count in sorted(contents.features.items())
    ]
    parts = [columns(rows), sizes, features]
    if contents.bad.count:
        title = f"bad records: {contents.bad.count:,}, the first of them:"
        parts.append([title, *(f"  {error}" for error in contents.first_bad[:_BAD_SHOWN])])
    marks = {"warning": "! "}
    parts.append([f"{marks.get(found.level, '')}{found.text}" for found in overview.findings])
    return "\n\n".join("\n".join(part) for part in parts)


def _rows(overview: Overview) -> list[tuple[str, ...]]:
    return [
        (overview.name(label), *(f"{count:,}" for count in counts))
        for label, counts in overview.table()
    ]


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of this command."""

    data_pattern: str | None = field(None, "Shards: files, folders or patterns.", path=True)
    output: str = field("inspect.html", "The page, local or gs://.", path=True)


def command(flags: Flags) -> None:
    """Inspect the records, print the summary and name the page."""
    if not flags.data_pattern:
        raise UsageError("a pattern is needed: shards, as files, folders or patterns")
    print(summary(inspect(flags.data_pattern, flags.output)))
    print(f"\npage: {flags.output}")


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    program, *arguments = sys.argv if argv is None else argv
    # A shell expands a pattern that is not quoted to many arguments.
    names = list(itertools.takewhile(lambda argument: not argument.startswith("-"), arguments))
    patterns = [storage.pattern_of(name) if storage.exists(name) else name for name in names]
    pattern = [f"--data_pattern={','.join(patterns)}"] if names else []
    return cli.run(Flags, command, [program, *pattern, *arguments[len(names) :]])


if __name__ == "__main__":
    sys.exit(main())
