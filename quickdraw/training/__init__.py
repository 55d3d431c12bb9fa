"""The engine: `fit` trains a model on records and leaves a run behind.

from quickdraw.training import Settings, fit
trained = fit(Settings(train_data_pattern="data/sample/train-*", train_dir="runs/mine"))
"""

from quickdraw.settings import Settings
from quickdraw.training.engine import fit

__all__ = ["Settings", "fit"]
