"""Writes a report of a run, or of several: one HTML page that explains what they get wrong.

    python -m quickdraw.report --train_dir=runs/cnn
    python -m quickdraw.report --train_dir=runs/cnn,runs/resnet --output=both.html

The page needs nothing else, neither network nor server: the figures with intervals of 95 %, curves,
the classification report, the confusion matrix whose cells lead to their drawings, the worst
mistakes, labels that are likely wrong, calibration, weak spots, where the model looks, its filters
and feature maps, and, where records keep strokes, how early it knows. Of several runs also which
differences are more than chance, where they disagree, and what they would reach together; the rest
is there for each of them, folded. The figures are meaningful only on drawings that the runs were
not trained on. A JSON file beside the page has all of them, too.

Without --data_pattern the records are those that the training was validated on. Without --output
the page is report.html: of one run in its folder, of several in the current one. Takes an
evaluation and a few seconds for each run, and some 60 bytes of memory for each drawing.
"""

from __future__ import annotations

import dataclasses
import os
import sys

from quickdraw import cli, environment, storage
from quickdraw.evaluation.run_flags import ReadingFlags
from quickdraw.fields import field
from quickdraw.report.words import Language
from quickdraw.runs import record


@dataclasses.dataclass(kw_only=True)
class Flags(ReadingFlags):
    """The flags of this command."""

    train_dir: str = field(
        environment.TRAIN_DIR, "The folder of the run, or several between commas.", path=True
    )
    data_pattern: str | None = field(
        None,
        "Patterns of labelled records. Without it, those that the training was validated on.",
        path=True,
    )
    output: str | None = field(
        None,
        "The page, local or gs://. Without it, report.html in the folder of the run, or here for "
        "several.",
        path=True,
    )
    language: Language = field("en", "Of the page: English or Korean.")


def command(flags: Flags) -> None:
    """Write the page and its JSON file, and print their paths."""
    folders = storage.folders_in(environment.train_dir(flags.train_dir))
    for folder in folders:
        record.read(folder)
    output = flags.output or (
        os.path.join(folders[0], "report.html") if len(folders) == 1 else "report.html"
    )
    cli.load_tensorflow()
    from quickdraw.report import document
    from quickdraw.report.evaluated import evaluate

    document.check_output(output)
    seen = evaluate(folders, flags.data_pattern, flags.on_bad_record)
    print(f"figures: {document.write(seen, output, flags.language)}")
    print(f"page: {output}")


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-report`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
