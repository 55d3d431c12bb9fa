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
import re
import shlex
import sys

from quickdraw import cli, cluster, environment, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.fields import field
from quickdraw.training.settings import Settings

_SAMPLE = "data/sample"
# Of another kit for these drawings, which is steered by variables.
_VARIABLES = {
    "DRY_RUN": "--dry_run tries the flags on one percent of the drawings",
    "USE_VALID": "--use_valid_as_train trains on the validation records too, "
    "--train_data_pattern='…/valid-*' on them alone",
}


@dataclasses.dataclass(kw_only=True)
class Flags(Settings, cli.Config):
    """The flags of this command."""

    dry_run: bool = field(
        False,
        "Try these flags on one percent of the drawings, say what the training would take, and "
        "leave nothing behind.",
    )
    lr_find: bool = field(
        False,
        "Take 300 steps with a learning rate that rises from 1e-6 to 1, suggest one, and leave "
        "nothing behind.",
    )


def command(flags: Flags) -> None:
    """Train, or try."""
    if flags.dry_run and flags.lr_find:
        raise UsageError("either --dry_run or --lr_find")
    if flags.dry_run and not flags.train_data_pattern:
        raise UsageError(
            "--dry_run needs --train_data_pattern: sample drawings would have to be written"
        )
    name = str(flags.model).rpartition(".")[2]
    flags.train_dir = flags.train_dir or environment.output_folder() or f"runs/{name}"
    _answer_variables()
    environment.set_tf_config()
    cluster.find()  # what is wrong with it shows before TensorFlow is imported
    with _reading_ahead(flags):
        cli.load_tensorflow(lambda: _may_share(flags))
    if not flags.train_data_pattern:
        _make_sample(flags)
    if flags.dry_run:
        from quickdraw.training.dry_run import dry_run

        dry_run(flags)
    elif flags.lr_find:
        from quickdraw.training.lr_find import range_test, table

        print(table(range_test(flags)), flush=True)
    else:
        _train(flags)


def _answer_variables() -> None:
    """Say which flags do what environment variables of another kit did."""
    for name, flags in _VARIABLES.items():
        if os.environ.get(name, "").lower() not in ("", "0", "false", "no", "off"):
            log(f"warning: the environment variable {name} changes nothing here: {flags}")


def _reading_ahead(flags: Flags) -> contextlib.AbstractContextManager[None]:
    """Decode small sets while TensorFlow is being imported, which leaves a core idle."""
    if flags.dry_run or flags.lr_find or not flags.train_data_pattern:
        return contextlib.nullcontext()
    from quickdraw.training.data.read_ahead import reading_ahead

    return reading_ahead(flags)


def _may_share(flags: Flags) -> bool:
    from quickdraw.training.early_look import goes_by_drawing

    return goes_by_drawing(flags)


def _make_sample(flags: Flags) -> None:
    """Make synthetic drawings to train on, once the names of model and loss are known to exist."""
    from quickdraw.components.base_loss import BaseLoss
    from quickdraw.components.base_model import BaseModel
    from quickdraw.components.lookup import component
    from quickdraw.datasets.sample import make_sample
    from quickdraw.training.optimizers import complete

    complete(flags)
    component(flags.model, flags.model_params, BaseModel)
    component(flags.label_loss, flags.loss_params, BaseLoss)
    log(
        "no --train_data_pattern: training on synthetic sample drawings, which a program made. "
        "For drawings by people see 'Real drawings' in README.en.md"
    )
    make_sample(_SAMPLE)
    flags.train_data_pattern = f"{_SAMPLE}/train-*"
    if not flags.is_validated:
        flags.eval_data_pattern = f"{_SAMPLE}/valid-*"


def _train(flags: Flags) -> None:
    from quickdraw.tracking.vertex_experiments import VertexAI
    from quickdraw.training import fit

    train_dir = str(flags.train_dir)
    trained = fit(flags, [VertexAI()])
    lines = "".join(f"\n  {line}" for line in _next_steps(flags))
    log(f"done: {train_dir} holds the model of step {trained.step:,}. Next:{lines}")


def _next_steps(flags: Flags) -> list[str]:
    """Return commands that can be pasted as they are."""
    from quickdraw.records import dataset_info

    train_dir = str(flags.train_dir)
    run = f"--train_dir={shlex.quote(train_dir)}"
    steps = [f"python -m quickdraw.eval --run_once {run}"] if flags.is_validated else []
    # Not by listing: each pattern is listed once.
    first, info = storage.patterns_in(str(flags.train_data_pattern))[0], None
    folder = re.sub(r"\[(.)\]", r"\1", os.path.dirname(first) if "*" in first else first)
    with contextlib.suppress(QuickdrawError):  # the training is done: no reason to fail
        info = dataset_info.load(folder)
    if info and info.splits.get("test", {}).get("shards"):
        test = shlex.quote(os.path.join(storage.pattern_of(folder), "test-*"))
        steps.append(f"python -m quickdraw.inference {run} --input_data_pattern={test}")
    else:
        steps.append("python -m quickdraw.inference --help")
    logs = shlex.quote(os.path.dirname(train_dir.rstrip("/")) or ".")
    return [*steps, f"tensorboard --logdir={logs}"]


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-train`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
