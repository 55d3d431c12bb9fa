"""The engine: `fit` trains a model on records and leaves a run behind.

from quickdraw.training import Settings, fit
trained = fit(Settings(train_data_pattern="data/sample/train-*", train_dir="runs/mine"))
"""

from typing import TYPE_CHECKING

from quickdraw.training.settings import Settings

if TYPE_CHECKING:
    from quickdraw.training.engine import fit

__all__ = ["Settings", "fit"]


def __getattr__(name: str) -> object:
    # On demand, so that the processes that decode records do not load TensorFlow.
    if name == "fit":
        from quickdraw.training.engine import fit

        return fit
    raise AttributeError(name)
