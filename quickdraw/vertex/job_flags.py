"""The flags of the module that a job runs, checked here as they would be there."""

from __future__ import annotations

import dataclasses
import urllib.parse
from collections.abc import Collection
from typing import TYPE_CHECKING

from absl import flags

from quickdraw import cli, inference, train
from quickdraw import eval as evaluation
from quickdraw.console import log
from quickdraw.errors import UsageError
from quickdraw.vertex import resource_names

if TYPE_CHECKING:
    from quickdraw.training.parts import Parts

_FLAGS: dict[str, type] = {
    "train": train.Flags,
    "tune": train.Flags,
    "eval": evaluation.Flags,
    "inference": inference.Flags,
}
_PATHS = ("_pattern", "_dir", "_file", "_probabilities", "_from", "labels")


def behind(kind: str) -> cli.Elsewhere:
    """Return the flags that belong behind the submitter's `--`: for an unknown kind, train's."""
    kind = kind if kind in _FLAGS else "train"
    names = [field.name for field in dataclasses.fields(_FLAGS[kind])]
    return cli.Elsewhere(names, f"behind --, with the flags of {kind}")


def parse(
    kind: str, model: str | None, passed: list[str], submitter: Collection[str]
) -> flags.FlagValues:
    """Parse the flags of a job.

    Args:
        kind: train, eval, inference or tune.
        model: the value of `--model`, if it was not among those passed.
        passed: flags of the module.
        submitter: names of the submitter's own flags, which belong before the `--`.

    Raises:
        QuickdrawError: an unknown flag, a wrong value, or a path that a job cannot see.
    """
    chosen = flags.FlagValues()
    cli.define_flags(chosen, _FLAGS[kind])
    if model:
        if "model" not in chosen:
            raise UsageError(f"--model: a run has its model; {kind} takes none")
        passed = [f"--model={model}", *passed]
    before = cli.Elsewhere(submitter, "before --, with the flags of submit")
    cli.parse(chosen, [kind, *passed], before)
    for name in chosen:
        if name.endswith(_PATHS) and chosen[name].value != chosen[name].default:
            _check_paths(name, str(chosen[name].value))
    for name in {"mlflow", "submit_to"} & set(chosen):
        _check_address(name, chosen[name].value)
    if kind == "inference" and not chosen.input_data_pattern:
        raise UsageError("-- --input_data_pattern=gs://… is needed")
    return chosen


def _check_paths(name: str, value: str) -> None:
    for part in filter(None, map(str.strip, value.split(","))):
        if not part.startswith("gs://"):
            raise UsageError(
                f"--{name}: a job sees gs:// paths only. Received: {part!r}. Copy the files there: "
                "gcloud storage cp"
            )
        resource_names.gs_path(name, part)


def _check_address(name: str, value: str | None) -> None:
    host = urllib.parse.urlsplit(value or "").hostname or ""
    if host in ("localhost", "::1", "0.0.0.0") or host.startswith("127."):
        raise UsageError(
            f"--{name}: in a job, {host} is the job's own machine: the address of this one, as it "
            f"is seen from outside, expected. Received: {value!r}"
        )


def look_up(kind: str, chosen: flags.FlagValues, gpus: int, workers: int) -> Parts:
    """Look up what the flags of a training name, and check them as `train` will.

    Args:
        kind: train or tune.
        chosen: the flags.
        gpus: how many each machine has.
        workers: how many machines.

    Raises:
        QuickdrawError: what `train` would refuse, here instead of in the job some minutes later; or
            what would be paid for in vain.
    """
    settings = cli.read_flags(chosen, train.Flags)
    if not settings.train_data_pattern:
        raise UsageError(
            "-- --train_data_pattern=gs://… is needed: a job without it would train on the "
            "synthetic sample"
        )
    _check_distribution(settings, gpus, workers)
    if kind == "tune":
        _check_trials(settings)
    elif settings.start_new_model:
        log(
            "warning: --start_new_model: a job that Vertex AI starts again, on another machine for "
            "instance, begins anew instead of going on"
        )
    cli.load_tensorflow()
    from quickdraw.training import parts

    return parts.look_up(settings, gpus * workers)


def _check_distribution(settings: train.Flags, gpus: int, workers: int) -> None:
    kind = settings.distribute
    if kind == "multi_worker" and workers == 1:
        raise UsageError("--distribute=multi_worker needs --workers=2 or more, before the --")
    if (kind == "none" and gpus * workers > 1) or (kind == "mirrored" and workers > 1):
        raise UsageError(
            f"--distribute={kind} would leave some of the {gpus * workers} GPUs idle: leave it out"
        )


def _check_trials(settings: train.Flags) -> None:
    """Check what no trial of a search may be told."""
    if settings.train_dir or settings.start_new_model or settings.dry_run or settings.lr_find:
        raise UsageError(
            "tune: each trial trains, in its own folder of the run: leave --train_dir, "
            "--start_new_model, --dry_run and --lr_find out"
        )
    if not settings.is_validated:
        raise UsageError("tune: trials are compared by validation: --eval_data_pattern is needed")


def given(chosen: flags.FlagValues) -> list[str]:
    """Return the flags that differ from their defaults, including those of a `--config` file."""
    return [
        f"--{name}={','.join(flag.value) if isinstance(flag.value, list) else flag.value}"
        for name in sorted(chosen)
        if (flag := chosen[name]).value != flag.default and name != "config"
    ]
