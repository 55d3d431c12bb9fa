"""Checkpoints in `train_dir/checkpoints`.

A checkpoint is a pair of files, `step-1200.data-…` and `step-1200.index`. It is written under a
temporary name (for gs://, to a local disk), and the index is moved into place last: if there is an
index, the checkpoint is complete.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import tensorflow as tf

from quickdraw import storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.storage import transfer

if TYPE_CHECKING:
    import keras

_FOLDER = "checkpoints"
_UNFINISHED = "unfinished"
# TensorFlow's exceptions for files that are truncated, overwritten or deleted.
_DAMAGED = (tf.errors.OpError, IndexError, ValueError)
_NOT_DAMAGED = (
    tf.errors.PermissionDeniedError,
    tf.errors.UnauthenticatedError,
    tf.errors.UnavailableError,
)


def step_of(path: str) -> int:
    """Return the step of a checkpoint: `…/step-1200` → 1200."""
    return int(path.rpartition("-")[2])


def paths(train_dir: str) -> list[str]:
    """Return the paths of the complete checkpoints of a run, newest first."""
    folder = os.path.join(train_dir, _FOLDER)
    names = storage.listdir(folder) if storage.is_folder(folder) else []
    complete = [
        os.path.join(folder, name.removesuffix(".index"))
        for name in names
        if re.fullmatch(r"step-\d+\.index", name)
    ]
    return sorted(complete, key=step_of, reverse=True)


def latest(train_dir: str) -> str | None:
    """Return the path of the newest complete checkpoint of a run; None without one."""
    return next(iter(paths(train_dir)), None)


class Checkpoints:
    """Saves and restores the state of a training.

    Args:
        train_dir: the folder of the run.
        keep: how many checkpoints to keep.
        parts: the objects to save, by name.
    """

    def __init__(self, train_dir: str, keep: int, **parts: object):
        self._train_dir, self._keep = train_dir, keep
        self._checkpoint = tf.train.Checkpoint(**parts)

    def save(self, step: int) -> None:
        """Write the checkpoint of a step, unless it exists, and delete old ones."""
        folder = os.path.join(self._train_dir, _FOLDER)
        target = os.path.join(folder, f"step-{step}")
        if target in paths(self._train_dir):
            return
        with storage.staging(folder) as local:
            self._checkpoint.write(os.path.join(local, _UNFINISHED))
            names = [name for name in os.listdir(local) if name.startswith(f"{_UNFINISHED}.")]
            # The index last: `paths` takes a checkpoint as complete once its index exists.
            for name in sorted(names, key=lambda name: name.endswith(".index")):
                ending = name.removeprefix(_UNFINISHED)
                storage.move(os.path.join(local, name), f"{target}{ending}")
        # Only now: if the process dies above, the old checkpoints are still there to resume from.
        for path in paths(self._train_dir)[self._keep :]:
            _delete(path)

    def restore(self) -> int:
        """Restore the newest checkpoint that is not damaged; return its step, 0 without one.

        Raises:
            QuickdrawError: a checkpoint is of another model, or all are damaged.
        """
        there = paths(self._train_dir)
        for path in there:
            try:
                with transfer.fetched(f"{path}.") as local:
                    self._checkpoint.read(local[:-1]).assert_existing_objects_matched()
                return step_of(path)
            except _NOT_DAMAGED:  # an older checkpoint would not fit either
                raise
            except (AssertionError, *_DAMAGED) as error:
                if _is_whole(path):
                    raise QuickdrawError(
                        f"{path} does not fit the model: its code has changed since "
                        f"({_first_line(error)}). Either undo the edit, or use another "
                        "--train_dir, or --start_new_model to move the old run aside"
                    ) from None
                log(
                    f"warning: the checkpoint {path} is damaged ({_first_line(error)}): passed over"
                )
        if there:
            raise QuickdrawError(
                f"all checkpoints of {self._train_dir} are damaged: start again with "
                "--start_new_model"
            )
        return 0


def _is_whole(path: str) -> bool:
    """Return whether everything in a checkpoint can be read."""
    try:
        with transfer.fetched(f"{path}.") as local:
            reader = tf.train.load_checkpoint(local[:-1])
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)
    except _DAMAGED:
        return False
    return True


def _delete(path: str) -> None:
    """Delete a checkpoint, its index first, so that a half-deleted one is not taken as complete."""
    folder, name = os.path.split(path)
    files = [file for file in storage.listdir(folder) if file.startswith(f"{name}.")]
    for file in sorted(files, key=lambda file: not file.endswith(".index")):
        storage.delete(os.path.join(folder, file))


def restore_latest(model: keras.Model, train_dir: str) -> int:
    """Load the weights of the newest checkpoint into a model; return its step.

    Raises:
        QuickdrawError: no checkpoint yet, or it is damaged or of another model.
    """
    path = latest(train_dir)
    if path is None:
        raise QuickdrawError(
            f"{train_dir} holds no checkpoint yet: wait for the training to write one"
        )
    try:
        restore(model, path)
    except QuickdrawError:
        if not storage.exists(f"{path}.index"):  # the training just replaced it by a newer one
            return restore_latest(model, train_dir)
        raise
    return step_of(path)


def restore(model: keras.Model, path: str) -> None:
    """Load the weights of a checkpoint into a model.

    Raises:
        QuickdrawError: it is damaged, or of another model.
    """
    try:
        with transfer.fetched(f"{path}.") as local:
            status = tf.train.Checkpoint(model=model).read(local[:-1]).expect_partial()
            status.assert_existing_objects_matched()
    except _NOT_DAMAGED:
        raise
    except (AssertionError, *_DAMAGED) as error:
        raise does_not_fit(path, error) from None


def does_not_fit(path: str, error: Exception) -> QuickdrawError:
    """Return what is said of weights that cannot be loaded into a model."""
    return QuickdrawError(
        f"{path} does not fit the model: its code has changed since, or the file is damaged "
        f"({_first_line(error)})"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else repr(error)
