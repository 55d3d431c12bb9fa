"""The ownership of a run's folder: one run, and one training process."""

from __future__ import annotations

import dataclasses
import itertools
import os
import time
from collections.abc import Callable

from quickdraw import storage
from quickdraw.components.code_digest import changed_pieces
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.runs import record
from quickdraw.runs.record import Run
from quickdraw.storage import lock

# Files besides run.json that a run stopped in its first seconds may leave.
_BEFORE_THE_RUN = {f"{record.FILE_NAME}.tmp", lock.FILE_NAME}

_DATA_HINT = ". The records have changed: --accept_changed_data goes on with them"


def open_folder(
    run: Run, train_dir: str, start_new: bool, accept_changed_data: bool = False
) -> bool:
    """Claim `train_dir` for a run; return whether it resumes an earlier one.

    Args:
        run: the run to train.
        train_dir: its folder; created if missing.
        start_new: move an earlier run aside, to `train_dir-old-1` (or 2, 3, …).
        accept_changed_data: resume although the training records have changed.

    Raises:
        QuickdrawError: the folder has other files, or an incompatible run.
    """
    storage.make_folders(train_dir)
    if holds_run(run, train_dir, start_new, accept_changed_data):
        earlier = record.read(train_dir)
        network, answers = run.network or earlier.network, run.answers
        now = dataclasses.replace(earlier, code=run.code, network=network, answers=answers)
        if earlier.code and earlier != now:  # it has no trained weights yet
            now.save(train_dir)
        return True
    names = set(storage.listdir(train_dir)) - _BEFORE_THE_RUN
    if record.FILE_NAME in names:
        _move_aside(train_dir, names)
    run.save(train_dir)
    return False


def holds_run(run: Run, train_dir: str, start_new: bool, accept_changed_data: bool = False) -> bool:
    """Return or raise what `open_folder` would, without any change."""
    there = storage.listdir(train_dir) if storage.is_folder(train_dir) else []
    names = set(there) - _BEFORE_THE_RUN
    if record.FILE_NAME in names and not start_new:
        earlier = record.read(train_dir)
        if accept_changed_data:
            earlier.data_fingerprint = run.data_fingerprint
        if differences := earlier.differences(run):
            raise QuickdrawError(
                f"{train_dir} holds a run with other settings: {'; '.join(differences)}. Either "
                "use the same settings, or another --train_dir, or --start_new_model to move the "
                "old run aside" + _DATA_HINT * any("data_fingerprint" in one for one in differences)
            )
        changed = changed_pieces(earlier.code, run.code) if earlier.code else []
        if changed and _is_trained(train_dir):
            raise QuickdrawError(
                f"{train_dir} holds a run of other code: {', '.join(changed)} changed since. "
                "Either undo the edit, or use another --train_dir, or --start_new_model to move "
                "the old run aside"
            )
        if earlier.builds_another(run) and _is_trained(train_dir):
            raise QuickdrawError(
                f"{train_dir} holds a run of another network, though {run.model} and its settings "
                "are the same: it goes by something outside, such as a file, a variable of the "
                "environment or the time. Either make that what it was, or use another "
                "--train_dir, or --start_new_model to move the old run aside"
            )
        return True
    if names and record.FILE_NAME not in names:
        raise QuickdrawError(
            f"{train_dir} is not empty and no run of quickdraw (no {record.FILE_NAME}): it is left "
            f"alone. Choose another --train_dir. It holds: {', '.join(sorted(names)[:5])}"
        )
    return False


def _is_trained(train_dir: str) -> bool:
    """Return whether there are weights to resume from."""
    from quickdraw.runs import checkpoints  # imports TensorFlow

    return checkpoints.latest(train_dir) is not None


def check_writable(train_dir: str) -> None:
    """Check, without writing, that a local folder can be created and written to.

    Raises:
        QuickdrawError: it cannot.
    """
    if storage.is_remote(train_dir):
        return
    place = os.path.abspath(train_dir)
    while not os.path.exists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place) or not os.access(place, os.W_OK | os.X_OK):
        raise QuickdrawError(f"{train_dir}: the folder cannot be made or written to ({place})")


def _move_aside(train_dir: str, names: set[str]) -> None:
    """Move files out of the folder, run.json last: until then the folder is still a run."""
    aside = next(
        path
        for number in itertools.count(1)
        if not storage.exists(path := f"{train_dir.rstrip('/')}-old-{number}")
    )
    storage.make_folders(aside)
    for name in sorted(names, key=lambda name: (name == record.FILE_NAME, name)):
        storage.rename(os.path.join(train_dir, name), os.path.join(aside, name))


def wait_for(is_there: Callable[[], object], what: str, poll_seconds: float) -> None:
    """Poll every few seconds until something exists."""
    if not is_there():
        log(f"waiting for {what} (Ctrl-C ends this)")
    while not is_there():
        time.sleep(poll_seconds)
