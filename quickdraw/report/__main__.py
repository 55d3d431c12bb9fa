"""Writes a report of a run, or of several: one HTML page that explains what they get wrong.

    python -m quickdraw.report --train_dir=runs/cnn
    python -m quickdraw.report --train_dir=runs/cnn,runs/resnet --output=both.html

The page needs nothing else, neither network nor server: the figures with intervals of 95 %, curves,
the classification report, the confusion matrix whose cells lead to their drawings, the worst
mistakes, labels that are likely wrong, calibration, weak spots, where the model looks, its filters
and feature maps, and, where records keep strokes, how early it knows. Of several runs also which
differences are more than chance, where they disagree, and what they would reach together; the rest
is there for each of them, folded. Labels that are likely wrong, and every other figure, mean what
they say on drawings that the runs were not trained on. All figures are in a JSON file beside the
page too.

Without --data_pattern the records are those that the training was validated on. Without --output
the page of one run is report.html in its folder, that of several report.html here. Takes an
evaluation and some seconds a run; memory does not grow with the number of drawings but for some 60
bytes each.
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
    """What can be said on the command line."""

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
    """Write the page and its JSON file, and name them."""
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
