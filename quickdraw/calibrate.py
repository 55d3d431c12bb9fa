"""Calibrates the probabilities of a run on labelled records.

    python -m quickdraw.calibrate --train_dir=runs/cnn

Networks are surer than they are right. This fits one temperature to the drawings that the training
was validated on, prints the expected calibration error (ECE, 15 bins) before and after, and writes
train_dir/calibration.json. From then on `quickdraw.runs.load`, eval and inference divide the
logits by it. A prediction of one run stays the same, its probability changes; ensembles, which take
the mean of probabilities, change too. The temperature is that of one step: after more training run
the command again. Takes as long as an evaluation: seconds.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Literal

from quickdraw import cli
from quickdraw.evaluation.run_flags import RunFlags
from quickdraw.fields import field


@dataclasses.dataclass(kw_only=True)
class Flags(RunFlags):
    """The flags of this command."""

    checkpoint: Literal["best", "latest"] = field("best", "Which model to calibrate.")


def command(flags: Flags) -> None:
    """Fit the temperature and print what it changes."""
    cli.load_tensorflow()
    from quickdraw import runs
    from quickdraw.evaluation.calibrating import calibrate

    trained = runs.load(flags.train_dir, flags.checkpoint)
    made = calibrate(trained, flags.train_dir, flags.eval_data_pattern, flags.on_bad_record)
    print(f"step {trained.step:,}, {made.examples:,} drawings: temperature {made.temperature:.4f}")
    for name, of in (("before", made.before), ("after", made.after)):
        print(f"{name:6}  ECE {of['ece']:.4f}  negative log-likelihood {of['nll']:.4f}")


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-calibrate`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
