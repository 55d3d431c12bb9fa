"""Vertex AI: reports trials to hyperparameter tuning, and logs runs to Experiments."""

from __future__ import annotations

import os

from quickdraw import environment
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.runs import Run, best_model
from quickdraw.storage import google_errors
from quickdraw.tracking.parameters import parameters
from quickdraw.tracking.tracker import Ending, Report, Tracker


class VertexAI(Tracker):
    """Reports to Vertex AI from a job submitted as a trial or with --experiment."""

    def begin(self, run: Run, train_dir: str, step: int) -> None:
        """Remember the folder of the run."""
        self._run, self._train_dir = run, train_dir

    def report(self, report: Report) -> None:
        """Report the metric of the trial."""
        if report.evaluation:
            environment.report_trial(report.step, report.evaluation.result())

    def end(self, ending: Ending) -> None:
        """Log the run, if the training finished."""
        if ending == "finished" and environment.EXPERIMENT in os.environ:
            log_run(self._run, self._train_dir)


def log_run(run: Run, train_dir: str) -> None:
    """Log the settings of a run and the metrics of its best model; a failure is only a warning."""
    project, region, experiment, name = os.environ[environment.EXPERIMENT].split("/")
    if trial := os.environ.get("CLOUD_ML_TRIAL_ID"):
        name = f"{name}-{trial}"
    metrics = best_model.metrics_of(train_dir) if best_model.exists(train_dir) else {}
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
                entry.log_params(parameters(run))
                entry.log_metrics(metrics)
        log(f"logged to the experiment {experiment} as {name}")
    except (QuickdrawError, ValueError, RuntimeError) as error:
        log(f"warning: the experiment {experiment} does not get this run: {error}")
