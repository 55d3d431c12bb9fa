"""The flags of the module that a job runs, checked here as they would be there."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from absl import flags

from quickdraw import cli, inference, train
from quickdraw import eval as evaluation
from quickdraw.components.lookup import component
from quickdraw.errors import UsageError

_FLAGS: dict[str, type] = {
    "train": train.Flags,
    "tune": train.Flags,
    "eval": evaluation.Flags,
    "inference": inference.Flags,
}
_PATHS = ("_pattern", "_dir", "_file", "_probabilities", "_from", "labels")


def behind(kind: str) -> cli.Elsewhere:
    """Return the flags that belong behind the submitter's `--`, for such a kind of job."""
    if kind not in _FLAGS:
        return cli.Elsewhere()
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
        QuickdrawError: an unknown flag, a wrong value, a path that a job cannot see, or no such
            model or loss.
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
    if kind == "inference" and not chosen.input_data_pattern:
        raise UsageError("-- --input_data_pattern=gs://… is needed")
    if kind in ("train", "tune"):
        _check_classes(chosen)
    return chosen


def _check_paths(name: str, value: str) -> None:
    for part in filter(None, map(str.strip, value.split(","))):
        if not part.startswith("gs://"):
            raise UsageError(
                f"--{name}: a job sees gs:// paths only. Received: {part!r}. Copy the files there: "
                "gcloud storage cp"
            )


def _check_classes(chosen: flags.FlagValues) -> None:
    """Raise an error for a mistyped model here, not in the job some minutes later."""
    settings = cli.read_flags(chosen, train.Flags)
    cli.load_tensorflow()
    from quickdraw.components.base_loss import BaseLoss
    from quickdraw.components.base_model import BaseModel
    from quickdraw.training.optimizers import complete

    complete(settings)
    component(settings.model, settings.model_params, BaseModel)
    component(settings.label_loss, settings.loss_params, BaseLoss)


def given(chosen: flags.FlagValues) -> list[str]:
    """Return the flags that differ from their defaults, including those of a `--config` file."""
    return [
        f"--{name}={flag.value}"
        for name in sorted(chosen)
        if (flag := chosen[name]).value != flag.default and name != "config"
    ]
