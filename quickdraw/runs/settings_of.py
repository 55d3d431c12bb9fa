"""The settings of a run as a flat dictionary, and the differences between two runs."""

from __future__ import annotations

import json

from quickdraw.runs.record import Run

_WHERE = ("train_dir", "start_new_model", "train_data_pattern", "eval_data_pattern")


def differing_settings(run: Run, other: Run) -> dict[str, object]:
    """Return the settings of a run that differ in another run, by name."""
    mine, theirs = _all_settings(run), _all_settings(other)
    return {name: mine.get(name) for name in mine | theirs if mine.get(name) != theirs.get(name)}


def _all_settings(run: Run) -> dict[str, object]:
    settings: dict[str, object] = {}
    for name, value in run.settings.items():
        if isinstance(value, dict):
            settings |= {f"{name}.{key}": of for key, of in value.items()}
        elif name not in _WHERE:
            settings[name] = value
    params = {f"model.{name}": value for name, value in run.model_params.items()}
    params |= {f"loss.{name}": value for name, value in run.loss_params.items()}
    return {"model": run.model, "loss": run.label_loss, **params, **settings}


def plain_text(value: object) -> str:
    """Return a setting in the syntax of the command line."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False).removesuffix(".0")
