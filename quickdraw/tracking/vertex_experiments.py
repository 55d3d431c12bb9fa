"""Vertex AI Experiments: a job that was submitted with --experiment logs its run at its end."""

from __future__ import annotations

import os
from typing import Any

from quickdraw import environment
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.runs import Run, checkpoints
from quickdraw.storage import google_errors


def log_run(run: Run, train_dir: str) -> None:
    """Log the settings of a run and the metrics of its best model; a failure is only a warning."""
    project, region, experiment, name = os.environ[environment.EXPERIMENT].split("/")
    if trial := os.environ.get("CLOUD_ML_TRIAL_ID"):
        name = f"{name}-{trial}"
    metrics = checkpoints.best_metrics(train_dir) if checkpoints.has_best(train_dir) else {}
    try:
        with google_errors.explained("Vertex AI Experiments", google_errors.VERTEX):
            from google.cloud import aiplatform

            aiplatform.init(
                project=project,
                location=region,
                experiment=experiment,
                experiment_tensorboard=False,
                api_transport="rest",
            )
            there = aiplatform.ExperimentRun.get(name, experiment=experiment) is not None
            with aiplatform.start_run(name, resume=there) as entry:
                entry.log_params(_parameters(run))
                entry.log_metrics(metrics)
        log(f"logged to the experiment {experiment} as {name}")
    except (QuickdrawError, ValueError, RuntimeError) as error:
        log(f"warning: the experiment {experiment} does not get this run: {error}")


def _parameters(run: Run) -> dict[str, Any]:
    """Return what made the model, as the numbers and words that an experiment takes."""
    found = {"model": run.model, "label_loss": run.label_loss, **run.settings}
    for params in (run.model_params, run.loss_params):
        found |= params
    return {
        name: value if isinstance(value, int | float | str) else str(value)
        for name, value in found.items()
        if value is not None
    }
