"""A default run for new users: trained once on the sample doodles, kept in the cache."""

from __future__ import annotations

import os
import subprocess
import sys

from quickdraw import environment, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.runs import record

_EPOCHS = 3
_THERE = (environment.TRAIN_DIR, "runs/quickstart")
"""The folders where `train` without flags and scripts/quickstart.sh put their runs."""


def train_dirs(given: str | None) -> list[str]:
    """Return the folders of the runs to serve.

    Args:
        given: the value of `--train_dir`; None takes an existing run of `train` without flags or
            of the quick start, or else the sample's, which is trained first if necessary.

    Raises:
        QuickdrawError: the training on the sample failed.
    """
    if given is not None:
        return storage.folders_in(given)
    for folder in _THERE:
        if os.path.isfile(os.path.join(folder, "best.json")):
            log(f"no --train_dir: {folder} is served, which is there")
            return [folder]
    return [sample_run()]


def sample_run() -> str:
    """Return the folder of a CnnModel of the sample doodles; train it if necessary.

    Training takes a minute, in separate processes with TensorFlow, and can be interrupted.

    Raises:
        QuickdrawError: the training failed.
    """
    folder = os.path.join(environment.cache_folder(), "sample")
    data, run = os.path.join(folder, "data"), os.path.join(folder, "sample")
    if _is_trained(run):
        log("no --train_dir: the model of the sample doodles is served; --train_dir names yours")
        return run
    log(
        "no --train_dir: a model of the sample doodles is trained first, once, in about a minute. "
        f"It is kept in {run}; --train_dir=runs/NAME serves yours"
    )
    _call("quickdraw.datasets.sample", f"--output_dir={data}")
    _call(
        "quickdraw.train",
        *("--model=CnnModel", f"--num_epochs={_EPOCHS}", f"--train_dir={run}"),
        f"--train_data_pattern={data}/train-*",
        f"--eval_data_pattern={data}/valid-*",
    )
    return run


def _is_trained(run: str) -> bool:
    try:
        return record.read(run).finished_step is not None
    except QuickdrawError:
        return False


def _call(module: str, *flags: str) -> None:
    """Run a command, its output shown."""
    if subprocess.run([sys.executable, "-m", module, *flags], check=False).returncode:
        raise QuickdrawError(
            f"python -m {module} failed, see above: there is no model to serve. "
            "--train_dir=runs/NAME serves a run that is there"
        )
