"""How a sweep is to go; apart from the study, so that nothing needs Optuna to read it."""

from __future__ import annotations

import dataclasses
from typing import Literal

from quickdraw.fields import field
from quickdraw.tuning.search import EXAMPLE


@dataclasses.dataclass(kw_only=True)
class SweepOptions:
    """What can be said of a sweep, beside the flags of train."""

    study_dir: str | None = field(None, "A folder for the sweep, local.", path=True)
    search: str = field("", f'Which flags to try, e.g. "{EXAMPLE}".')
    trials: int = field(20, "How many trainings, those before included.", 1)
    sampler: Literal["random", "tpe", "grid"] = field("random", "How to choose the next values.")
    prune: bool = field(True, "End a trial that is worse than the median.")
    max_minutes: float | None = field(None, "Start no other trial after so many minutes.", 0)
