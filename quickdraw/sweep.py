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
Hyper-Parameter Optimization", section 4); grid takes every combination of values. Needs Optuna:
pip install 'quickdraw[sweep]', or pip install '.[sweep]' in a checkout.

The same command goes on after an interruption, in the middle of a training too; --trials and
--max_minutes may change. It prints a table, and leaves results.csv and results.png in study_dir.
"""

from __future__ import annotations

import sys

from absl import flags

from quickdraw import cli, settings, storage, train
from quickdraw.sweeping import search


def define_flags(values: flags.FlagValues) -> None:
    """Defines the flags of this command; those of train follow `--`."""
    flags.DEFINE_string("study_dir", None, "A folder for the sweep, local.", flag_values=values)
    flags.DEFINE_string(
        "search", "", f'Which flags to try, e.g. "{search.EXAMPLE}".', flag_values=values
    )
    flags.DEFINE_integer(
        "trials", 20, "How many trainings, those before included.", 1, flag_values=values
    )
    flags.DEFINE_enum(
        "sampler",
        "random",
        ["random", "tpe", "grid"],
        "How to choose the next values.",
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "prune", True, "End a trial that is worse than the median.", flag_values=values
    )
    flags.DEFINE_float(
        "max_minutes",
        None,
        "Start no other trial after so many minutes.",
        0.0,
        flag_values=values,
    )
    cli.define_config_flag(values)


def command(values: flags.FlagValues, passed: list[str]) -> None:
    """Sweeps as the flags say; `passed` goes to each training."""
    if not values.study_dir or storage.is_remote(values.study_dir):
        raise cli.UsageError("--study_dir is needed: a local folder, as SQLite locks its files")
    trained = _training(passed)
    space = search.parse(values.search, trained)
    ranges = [name for name, of in space.items() if isinstance(of, search.Range)]
    if values.sampler == "grid" and ranges:
        raise cli.UsageError(
            f"--sampler=grid needs values, A|B|C, not a range, for {', '.join(ranges)}"
        )
    from quickdraw.sweeping.study import Sweep
    from quickdraw.training.folder import lock

    with lock(values.study_dir):
        sweep = Sweep(values, space, trained, passed)
        try:
            sweep.run()
        finally:
            print(sweep.table(), flush=True)


def _training(passed: list[str]) -> flags.FlagValues:
    """The flags of train, checked as train would."""
    trained = flags.FlagValues()
    train.define_flags(trained)
    cli.parse(trained, ["train", *passed])
    settings.from_flags(trained)
    for name in ("train_dir", "start_new_model"):
        if trained[name].present:
            raise cli.UsageError(f"--{name}: each trial has its own folder in --study_dir")
    if trained.dry_run or trained.lr_find:
        raise cli.UsageError("--dry_run and --lr_find train nothing that trials could show")
    if trained.train_data_pattern and not trained.eval_data_pattern:
        raise cli.UsageError("-- --eval_data_pattern=… is needed: trials are compared by it")
    return trained


def main(argv: list[str] | None = None) -> int:
    """The console command `quickdraw-sweep`; returns its exit code."""
    argv = sys.argv if argv is None else argv
    at = argv.index("--") if "--" in argv else len(argv)

    def with_passed(values: flags.FlagValues) -> None:
        command(values, argv[at + 1 :])

    return cli.run(define_flags, with_passed, argv[:at])


if __name__ == "__main__":
    sys.exit(main())
