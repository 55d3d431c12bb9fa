"""Everything in a train_dir: what made the run, its checkpoints, figures and trained model.

import quickdraw.runs
trained = quickdraw.runs.load("runs/CnnModel")
trained.predict(images)          # [{"cat": 0.93, "dog": 0.05, ...}, ...]
"""

from typing import TYPE_CHECKING, Any

from quickdraw.runs.record import FILE_NAME, Run, read

if TYPE_CHECKING:
    from quickdraw.runs.trained import TrainedModel, load

__all__ = ["FILE_NAME", "Run", "TrainedModel", "load", "read"]


def __getattr__(name: str) -> Any:
    # On demand: who only reads run.json needs neither NumPy nor readers.
    if name in ("TrainedModel", "load"):
        from quickdraw.runs import trained

        return getattr(trained, name)
    raise AttributeError(name)
