"""Checkpoints in `train_dir/checkpoints`, and the best model in `train_dir/best.keras`."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from quickdraw import storage
from quickdraw.errors import QuickdrawError
from quickdraw.progress import log

if TYPE_CHECKING:
    import keras

_FOLDER = "checkpoints"
_BEST = "best.keras"
_BEST_METRICS = "best.json"
_DAMAGED = (tf.errors.DataLossError, tf.errors.OutOfRangeError, tf.errors.NotFoundError)


def step_of(path: str) -> int:
    """The step at which a checkpoint was written: `…/step-1200` → 1200."""
    return int(path.rpartition("-")[2])


def latest(train_dir: str) -> str | None:
    """The newest complete checkpoint of a run, None where there is none yet."""
    return tf.train.latest_checkpoint(os.path.join(train_dir, _FOLDER))


class Checkpoints:
    """Saves and restores a training.

    Args:
        train_dir: the folder of the run.
        keep: how many checkpoints to keep.
        parts: what a checkpoint holds.
    """

    def __init__(self, train_dir: str, keep: int, **parts: Any):
        self._checkpoint = tf.train.Checkpoint(**parts)
        self._manager = tf.train.CheckpointManager(
            self._checkpoint,
            os.path.join(train_dir, _FOLDER),
            max_to_keep=keep,
            checkpoint_name="step",
        )

    def save(self, step: int) -> None:
        """Writes a checkpoint of this step, unless there is one already."""
        newest = self._manager.latest_checkpoint
        if newest is None or step_of(newest) != step:
            self._manager.save(checkpoint_number=step)

    def restore(self) -> int:
        """Restores the newest checkpoint that is not damaged; returns its step, 0 without one.

        Raises:
            QuickdrawError: every checkpoint is damaged.
        """
        paths = list(reversed(self._manager.checkpoints))
        for path in paths:
            try:
                self._checkpoint.restore(path).assert_existing_objects_matched()
                return step_of(path)
            except _DAMAGED as error:
                log(
                    f"warning: the checkpoint {path} is damaged ({_first_line(error)}): passed over"
                )
        if paths:
            raise QuickdrawError(
                f"all checkpoints of {os.path.dirname(paths[0])} are damaged: start again with "
                "--start_new_model"
            )
        return 0


def restore_latest(model: keras.Model, train_dir: str) -> int:
    """Gives a model the weights of the newest checkpoint; returns its step.

    Raises:
        QuickdrawError: no checkpoint yet, a damaged one, or one of another model.
    """
    path = latest(train_dir)
    if path is None:
        raise QuickdrawError(
            f"{train_dir} holds no checkpoint yet: wait for the training to write one"
        )
    try:
        status = tf.train.Checkpoint(model=model).restore(path).expect_partial()
        status.assert_existing_objects_matched()
    except (ValueError, AssertionError, *_DAMAGED) as error:
        raise _does_not_fit(path, error) from None
    return step_of(path)


def has_best(train_dir: str) -> bool:
    """Whether a best model was kept."""
    return storage.exists(os.path.join(train_dir, _BEST_METRICS))


def save_best(model: keras.Model, train_dir: str, step: int, metrics: dict[str, float]) -> None:
    """Keeps a model as the best one: best.keras, and its metrics in best.json."""
    path = os.path.join(train_dir, _BEST)
    temporary = os.path.join(train_dir, "best.tmp.keras")
    model.save(temporary)
    storage.rename(temporary, path)
    storage.write_json(os.path.join(train_dir, _BEST_METRICS), {"step": step, **metrics})


def restore_best(model: keras.Model, train_dir: str) -> int:
    """Gives a model the weights of the best one; returns its step.

    Raises:
        QuickdrawError: the file is damaged or of another model.
    """
    path = os.path.join(train_dir, _BEST)
    try:
        with warnings.catch_warnings():
            # Keras only warns of layers that the file does not have, and leaves them untrained.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        raise _does_not_fit(path, error) from None
    return storage.read_json(os.path.join(train_dir, _BEST_METRICS))["step"]


def _does_not_fit(path: str, error: Exception) -> QuickdrawError:
    return QuickdrawError(
        f"{path} does not fit the model: its code has changed since, or the file is damaged "
        f"({_first_line(error)})"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else repr(error)
