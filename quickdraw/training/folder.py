"""The folder of a run: whose it is, and that only one process trains in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from quickdraw import runs, storage
from quickdraw.errors import QuickdrawError

# What a folder may hold besides run.json when a run was stopped in its first moments.
_BEFORE_THE_RUN = {".lock", f"{runs.FILE_NAME}.tmp"}


def open_folder(run: runs.Run, train_dir: str, start_new: bool) -> bool:
    """Makes `train_dir` the folder of this run; returns whether it goes on with an earlier one.

    Args:
        run: what is to be trained.
        train_dir: where; made if it is not there.
        start_new: move an earlier run aside, to `train_dir-old-1` (or 2, 3, …).

    Raises:
        QuickdrawError: the folder holds something else, or a run that differs in what matters.
    """
    storage.make_folders(train_dir)
    names = set(storage.listdir(train_dir)) - _BEFORE_THE_RUN
    if runs.FILE_NAME in names and not start_new:
        earlier = runs.read(train_dir)
        if differences := earlier.differences(run):
            raise QuickdrawError(
                f"{train_dir} holds a run with other settings: {'; '.join(differences)}. Either "
                "use the same settings, or another --train_dir, or --start_new_model to move the "
                "old run aside"
            )
        return True
    if runs.FILE_NAME in names:
        aside = next(
            path
            for number in range(1, 10**6)
            if not storage.exists(path := f"{train_dir.rstrip('/')}-old-{number}")
        )
        storage.rename(train_dir, aside)
        storage.make_folders(train_dir)
    elif names:
        raise QuickdrawError(
            f"{train_dir} is not empty and no run of quickdraw (no {runs.FILE_NAME}): it is left "
            f"alone. Choose another --train_dir. It holds: {', '.join(sorted(names)[:5])}"
        )
    run.save(train_dir)
    return False


@contextlib.contextmanager
def lock(train_dir: str) -> Iterator[None]:
    """Keeps a second process out of `train_dir`; the lock ends with its process, however it ends.

    Raises:
        QuickdrawError: another process is training there.
    """
    if storage.is_remote(train_dir):  # an object store has no locks
        yield
        return
    import fcntl

    storage.make_folders(train_dir)
    with open(os.path.join(train_dir, ".lock"), "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise QuickdrawError(
                f"another process is training in {train_dir}: wait for it, or choose another "
                "--train_dir"
            ) from None
        yield
