"""Trains a doodle recogniser.

    python -m quickdraw.train
    python -m quickdraw.train --train_data_pattern='data/qd10/train-*' \\
        --eval_data_pattern='data/qd10/valid-*' --model=CnnModel --train_dir=runs/cnn

The first line needs nothing: it makes synthetic sample drawings and trains softmax regression on
them in some seconds. The second trains a small convolutional network on 28,000 real drawings in
under a minute on two cores. Run the same command again to go on after an interruption.

It leaves in train_dir: run.json (everything that made the model), checkpoints/, best.keras (the
best model on the validation records), metrics.csv, and TensorBoard events (tensorboard
--logdir=runs).

Before a night's run, --dry_run proves the same flags in seconds and says how long the run would
take; --lr_find tries learning rates and suggests one. Neither writes to train_dir.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys

from absl import flags

from quickdraw import cli, settings, vertex_job
from quickdraw.progress import log

_SAMPLE = "data/sample"


def define_flags(values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    settings.define_flags(values)
    flags.DEFINE_boolean(
        "dry_run",
        False,
        "Try these flags on one percent of the drawings, say what the training would take, and "
        "leave nothing behind.",
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "lr_find",
        False,
        "Take 300 steps with a learning rate that rises from 1e-6 to 1, suggest one, and leave "
        "nothing behind.",
        flag_values=values,
    )
    cli.define_config_flag(values)


def command(values: flags.FlagValues) -> None:
    """Trains, or tries, as the flags say."""
    if values.dry_run and values.lr_find:
        raise cli.UsageError("either --dry_run or --lr_find")
    chosen = settings.from_flags(values)
    name = str(chosen.model).rpartition(".")[2]
    train_dir = chosen.train_dir or vertex_job.output_folder() or f"runs/{name}"
    chosen = dataclasses.replace(chosen, train_dir=train_dir)
    if not chosen.train_data_pattern:
        if values.dry_run:
            raise cli.UsageError(
                "--dry_run needs --train_data_pattern: sample drawings would have to be written"
            )
        chosen = _with_sample_data(chosen)

    vertex_job.set_tf_config()
    _load_tensorflow(chosen, values.dry_run or values.lr_find)
    if values.dry_run:
        from quickdraw.training.dry_run import dry_run

        dry_run(chosen)
    elif values.lr_find:
        from quickdraw.training.range_test import range_test, table

        print(table(range_test(chosen)), flush=True)
    else:
        _train(chosen)


def _load_tensorflow(chosen: settings.Settings, tries: bool) -> None:
    from quickdraw.training.read_ahead import reading_ahead

    with contextlib.nullcontext() if tries else reading_ahead(chosen):
        cli.load_tensorflow()


def _train(chosen: settings.Settings) -> None:
    from quickdraw.training import fit

    trained, train_dir = fit(chosen), str(chosen.train_dir)
    if vertex_job.EXPERIMENT in os.environ:
        from quickdraw.vertex import experiment

        experiment.log_run(trained.run, train_dir)
    log(
        f"done: {train_dir} holds the model of step {trained.step:,}. Next:\n"
        f"  python -m quickdraw.eval --run_once --train_dir={train_dir}\n"
        f"  python -m quickdraw.inference --train_dir={train_dir} "
        "--input_data_pattern=…/test-*\n"
        f"  tensorboard --logdir={os.path.dirname(train_dir.rstrip('/')) or '.'}"
    )


def _with_sample_data(chosen: settings.Settings) -> settings.Settings:
    from quickdraw.datasets.sample import make_sample

    log(
        "no --train_data_pattern: training on synthetic sample drawings, which a program made. "
        "For drawings by people see 'Real drawings' in README.en.md"
    )
    make_sample(_SAMPLE)
    return dataclasses.replace(
        chosen,
        train_data_pattern=f"{_SAMPLE}/train-*",
        eval_data_pattern=chosen.eval_data_pattern or f"{_SAMPLE}/valid-*",
    )


def main(argv: list[str] | None = None) -> int:
    """The console command `quickdraw-train`; returns its exit code."""
    return cli.run(define_flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
