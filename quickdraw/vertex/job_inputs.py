"""What a job will read, looked for before it is submitted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from absl.flags import FlagValues

from quickdraw import runs, storage
from quickdraw.console import log
from quickdraw.vertex.spec import Job

if TYPE_CHECKING:
    from quickdraw.training.parts import Parts


def can_be_looked_for() -> bool:
    """Return whether somebody is logged in to Cloud Storage here, and say so where nobody is."""
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        if "STORAGE_EMULATOR_HOST" not in os.environ:
            google.auth.default()
        return True
    except DefaultCredentialsError:
        log(
            "not logged in here: whether records and runs are on gs:// was not looked up (gcloud "
            "auth application-default login)"
        )
        return False


def look_for_records(parts: Parts) -> None:
    """Open the records of a training, and look whether its settings suit them.

    Raises:
        QuickdrawError: there are none, or what they or the runs beside them are refuses the job.
    """
    from quickdraw.readers import QuickDrawFeatureReader
    from quickdraw.training.objective import class_weights
    from quickdraw.training.parts import open_records

    settings = parts.settings
    names = open_records(parts)[1].info.labels
    if settings.eval_data_pattern:
        reader = QuickDrawFeatureReader(inputs=parts.model.inputs)
        reader.open(settings.eval_data_pattern, names or None, "the training records")
    if names:
        class_weights(settings.class_weights, names, np.arange(len(names)))
        parts.augmentation.of_classes(names)
    if settings.init_from:
        runs.read(settings.init_from)


def look_for_runs(job: Job, chosen: FlagValues) -> list[str]:
    """Read the runs that a job evaluates or predicts with; return their models and losses.

    Raises:
        QuickdrawError: there are none, they are of another model, or no record matches.
    """
    found = [runs.read(folder) for folder in job.folders.split(",")]
    if job.kind == "eval":
        found[0].check_names(job.folders, chosen.model, chosen.label_loss)
    name = "eval_data_pattern" if job.kind == "eval" else "input_data_pattern"
    if patterns := chosen[name].value:
        storage.expand(str(patterns))
    return [name for run in found for name in (run.model, run.label_loss)]
