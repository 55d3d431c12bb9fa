"""The best model of a run, in `train_dir/best.keras`, and its figures in `best.json`."""

from __future__ import annotations

import functools
import os
import warnings
import zipfile
from typing import TYPE_CHECKING

from quickdraw import storage
from quickdraw.components.user_code import failure, place_of, reason
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.runs.checkpoints import does_not_fit
from quickdraw.storage import transfer

if TYPE_CHECKING:
    import keras

_FILE = "best.keras"
_WEIGHTS = "best.weights.h5"
_METRICS = "best.json"
_OR_LATEST = ". --checkpoint=latest takes the last checkpoint instead"


def exists(train_dir: str) -> bool:
    """Return whether a run has a best model."""
    return storage.exists(os.path.join(train_dir, _METRICS))


def metrics_of(train_dir: str) -> dict[str, float]:
    """Read best.json: the step of the best model, and its validation metrics.

    Raises:
        QuickdrawError: it holds something else.
    """
    path = os.path.join(train_dir, _METRICS)
    found = storage.read_json(path)
    if not isinstance(found, dict) or type(found.get("step")) is not int:
        raise QuickdrawError(f"{path}: damaged: the step of the best model expected{_OR_LATEST}")
    return found


def save(model: keras.Model, train_dir: str, step: int, metrics: dict[str, float]) -> None:
    """Keep a model as the best one: best.keras, and its metrics in best.json.

    If Keras cannot serialise the model, such as one with a layer without `get_config`, only its
    weights are saved, in best.weights.h5, which is enough to load the run.
    """
    with storage.staging(train_dir) as local:
        for name, write in ((_FILE, model.save), (_WEIGHTS, model.save_weights)):
            temporary = os.path.join(local, f"tmp.{name}")
            try:
                with storage.writing(os.path.join(train_dir, name), temporary):
                    write(temporary)
                break
            except OSError:
                raise
            except Exception as error:  # custom layers may raise anything
                if name == _WEIGHTS:
                    raise failure("saving", error, *(place_of(error) or (name, None))) from error
                _tell_weights_alone(reason(error))
        storage.move(temporary, os.path.join(train_dir, name))
    # After the model: `exists` checks for this file.
    storage.write_json(os.path.join(train_dir, _METRICS), {"step": step, **metrics})


@functools.cache
def _tell_weights_alone(why: str) -> None:
    log(f"note: {_WEIGHTS} holds the weights alone, as Keras cannot write the model: {why}")


def restore(model: keras.Model, train_dir: str) -> int:
    """Load the weights of the best model into a model; return its step.

    Raises:
        QuickdrawError: the file is gone, damaged or of another model.
    """
    path = os.path.join(train_dir, _FILE)
    weights = os.path.join(train_dir, _WEIGHTS)
    if storage.exists(weights):
        path = weights
    elif not storage.exists(path):
        raise QuickdrawError(f"{path} is gone{_OR_LATEST}")
    try:
        with transfer.fetched(path) as local, warnings.catch_warnings():
            # Keras only warns about layers missing from the file, and leaves them untrained.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(local)
    except (ValueError, OSError, KeyError, UserWarning, zipfile.BadZipFile) as error:
        raise does_not_fit(path, error) from None
    return int(metrics_of(train_dir)["step"])
