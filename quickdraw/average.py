"""Averages the weights of a run's checkpoints into a new run.

    python -m quickdraw.train … --train_dir=runs/cnn --schedule=constant --keep_checkpoints=8
    python -m quickdraw.average --train_dir=runs/cnn --output_dir=runs/cnn-average --last=6
    python -m quickdraw.eval --train_dir=runs/cnn-average --run_once

The mean of weights from the end of a training often generalises better than any of them, and costs
nothing when predicting (Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better
Generalization", section 3; Vaswani et al. 2017, "Attention Is All You Need", section 6.1). --last
takes the newest checkpoints, --best those with the highest top-1 on the validation records. A
training keeps --keep_checkpoints of them.

With a constant learning rate this is stochastic weight averaging (SWA): on QD10 the mean of the
last six of CnnModel's eight epochs has 91.4 % (validation), the best of them 90.3 %, the cosine
schedule 91.3 %. A rate that ends at 0 leaves nothing to gain (docs/experiments.md).

BatchNormalization's statistics are measured anew, with the averaged weights, in one pass over the
training drawings as they are, without augmentation. eval and inference take the new run like any
other. Takes a pass over the training drawings and an evaluation: seconds.
"""

from __future__ import annotations

import dataclasses
import sys

from quickdraw import cli, environment
from quickdraw.console import log
from quickdraw.errors import UsageError
from quickdraw.evaluation.run_flags import ReadingFlags
from quickdraw.fields import field


@dataclasses.dataclass(kw_only=True)
class Flags(ReadingFlags):
    """The flags of this command."""

    train_dir: str = field(environment.TRAIN_DIR, "The folder of the run.", path=True)
    output_dir: str | None = field(None, "A new folder, for the run with the mean.", path=True)
    last: int | None = field(
        None,
        "Average so many of the newest checkpoints. Without it and --best, all that were kept.",
        2,
    )
    best: int | None = field(
        None, "Average so many of the checkpoints that were best on the validation records.", 2
    )
    train_data_pattern: str | None = field(
        None,
        "Patterns of records for BatchNormalization. Without it, those of the training.",
        path=True,
    )


def command(flags: Flags) -> None:
    """Average, and say how good the mean is."""
    if not flags.output_dir:
        raise UsageError("--output_dir is needed: a new folder")
    if flags.last and flags.best:
        raise UsageError("either --last or --best")
    cli.load_tensorflow()
    from quickdraw.training.averaging import average

    result = average(
        flags.train_dir,
        flags.output_dir,
        last=flags.last,
        best=flags.best,
        train_data_pattern=flags.train_data_pattern,
        on_bad_record=flags.on_bad_record,
    )
    if result:
        print(f"top-1 {result['top1']:.2%}  top-3 {result['top3']:.2%}  loss {result['loss']:.4f}")
    log(f"done: {flags.output_dir} holds the mean")


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-average`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
