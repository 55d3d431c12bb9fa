"""Searches for the best flags of train, on this machine.

    python -m quickdraw.sweep --study_dir=sweeps/lr --trials=20 \\
        --search="base_learning_rate=log:1e-4..3e-2, model_params.dropout=0..0.5, \\
        optimizer=adamw|muon" -- --train_data_pattern='data/qd10/train-*' \\
        --eval_data_pattern='data/qd10/valid-*' --model=MlpModel

Each trial is a training with its own train_dir and log in study_dir, one after the other; what
follows `--` is the same for all. It counts by its best top-1 on the validation records. A trial
that fails is recorded with its error, and the sweep goes on. One whose top-1 is below the median of
those before it, after as many evaluations, is ended early (pruned), from the sixth on.

LOW..HIGH is a range, log:LOW..HIGH one on a logarithmic scale, A|B|C are values. --sampler=random
draws at random; tpe learns from the trials before (Bergstra et al. 2011, "Algorithms for
Hyper-Parameter Optimization", section 4); grid takes every combination of values. Needs Optuna and
Matplotlib: pip install 'quickdraw[sweep]', or pip install '.[sweep]' in a checkout.

The same command goes on after an interruption, in the middle of a training too; --trials and
--max_minutes may change. It prints a table, and leaves in study_dir results.csv and results.png:
for each flag, the top-1 of the completed trials against its values.
"""

from __future__ import annotations

import dataclasses
import sys

from absl.flags import FlagValues

from quickdraw import cli, storage, train
from quickdraw.errors import UsageError
from quickdraw.storage.lock import lock
from quickdraw.tuning.options import SweepOptions
from quickdraw.tuning.search import Range, parse


@dataclasses.dataclass(kw_only=True)
class Flags(SweepOptions, cli.Config):
    """What can be said on the command line; the flags of train follow `--`."""


def command(flags: Flags, passed: list[str]) -> None:
    """Sweep, and print the trials.

    Args:
        flags: those of this command.
        passed: the flags of train that each training gets.
    """
    if not flags.study_dir or storage.is_remote(flags.study_dir):
        raise UsageError("--study_dir is needed: a local folder, as SQLite locks its files")
    train_flags = _train_flags(passed)
    space = parse(flags.search, train_flags)
    ranges = [name for name, domain in space.items() if isinstance(domain, Range)]
    if flags.sampler == "grid" and ranges:
        raise UsageError(
            f"--sampler=grid needs values, A|B|C, not a range, for {', '.join(ranges)}"
        )
    from quickdraw.tuning.study import Sweep

    with lock(flags.study_dir):
        sweep = Sweep(flags, space, train_flags, passed)
        try:
            sweep.run()
        finally:
            print(sweep.table(), flush=True)


def _train_flags(passed: list[str]) -> FlagValues:
    """Return the flags of train, checked as train would."""
    values = FlagValues()
    cli.define_flags(values, train.Flags)
    own = [field.name for field in dataclasses.fields(Flags)]
    before = cli.Elsewhere(own, "before --, with the flags of sweep")
    cli.parse(values, ["train", *passed], before)
    flags = cli.read_flags(values, train.Flags)
    for name in ("train_dir", "start_new_model"):
        if values[name].present:
            raise UsageError(f"--{name}: each trial has its own folder in --study_dir")
    if flags.dry_run or flags.lr_find:
        raise UsageError("--dry_run and --lr_find train nothing that trials could show")
    if flags.train_data_pattern and not flags.is_validated:
        raise UsageError("-- --eval_data_pattern=… is needed: trials are compared by it")
    return values


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-sweep`; return its exit code."""
    argv = sys.argv if argv is None else argv
    at = argv.index("--") if "--" in argv else len(argv)

    def with_passed(flags: Flags) -> None:
        command(flags, argv[at + 1 :])

    names = [field.name for field in dataclasses.fields(train.Flags)]
    behind = cli.Elsewhere(names, "behind --, with the flags of train")
    return cli.run(Flags, with_passed, argv[:at], behind)


if __name__ == "__main__":
    sys.exit(main())
