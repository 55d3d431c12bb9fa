"""A lock on a folder. On gs://: an object in it that its holder writes anew twice a minute.

An object store knows no locks that end with their process. So whoever finds a lock watches it: one
that is refreshed is respected, one that is not for `STALE` seconds is taken over, and a Vertex AI
job that starts again takes over its own at once. No two machines' clocks are compared.

Source: Cloud Storage documentation, "Request preconditions" (ifGenerationMatch).
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.storage import objects, paths

FILE_NAME = "lock.json"
REFRESH = 30.0
"""Seconds between two signs of life."""
STALE = 150.0
"""Seconds without one after which a lock is taken over."""
_PATIENCE = 20.0
_refreshing = threading.Lock()


@contextlib.contextmanager
def unrefreshed() -> Iterator[None]:
    """Refresh no lock meanwhile, so that nobody else draws Python's global random numbers.

    Google's client draws them for the boundaries of an upload and the pauses between attempts; the
    initial weights of a network come from the same ones, and shall follow from the seed alone.
    """
    with _refreshing:
        yield


@contextlib.contextmanager
def held(folder: str, work: str = "training") -> Iterator[Callable[[], None]]:
    """Hold the lock on a gs:// folder; see `lock`.

    Raises:
        QuickdrawError: another process holds it, and lives.
    """
    lock, done = _Lock(f"{folder.rstrip('/')}/{FILE_NAME}", work), threading.Event()
    lock.acquire()

    def refresh() -> None:
        while not done.wait(REFRESH) and not lock.lost:
            with _refreshing:
                lock.refresh()

    thread = threading.Thread(target=refresh, daemon=True)
    thread.start()
    try:
        yield lock.check
    finally:
        done.set()
        thread.join()
        lock.release()


class _Lock:
    def __init__(self, path: str, work: str):
        self._path, self._work, self._id = path, work, uuid.uuid4().hex
        self._job = os.environ.get("CLOUD_ML_JOB_ID", "")
        self._generation = 0
        self.lost = False

    def acquire(self) -> None:
        # `replaced` is the generation that our write may replace; 0 means that there must be none.
        # `watched` is the generation found first: another one later means that its holder is alive.
        replaced, watched, end = 0, 0, 0.0
        while not self._write(replaced):
            replaced, (generation, holder) = 0, self._read()
            # Our own job, started again: its former process has ended, so there is no need to wait.
            if generation and self._job and holder.get("job") == self._job:
                replaced = generation
            elif generation and not watched:
                watched, end = generation, time.monotonic() + STALE
                log(f"{self._path}: {_who(holder)} was here. Watching for a sign of life")
            elif generation not in (0, watched):
                raise QuickdrawError(
                    f"another process is {self._work} in {os.path.dirname(self._path)} "
                    f"({_who(holder)}): wait for it, or choose another folder"
                )
            elif generation and time.monotonic() > end:
                log(f"{self._path}: none in {STALE:.0f} s. Taking over")
                replaced = generation
            else:
                time.sleep(REFRESH / 10)

    def refresh(self) -> None:
        try:
            self.lost = not self._write(self._generation)
        except QuickdrawError as error:  # the next time may be better
            log(f"warning: {error}")

    def check(self) -> None:
        if self.lost:
            raise QuickdrawError(
                f"another process has taken over {os.path.dirname(self._path)}, or its "
                f"{FILE_NAME} was deleted: stopped without writing more"
            )

    def release(self) -> None:
        if not self.lost:
            try:
                objects.delete_if(self._path, self._generation, _PATIENCE)
            except QuickdrawError as error:
                log(f"warning: {error}")

    def _write(self, replaced: int) -> bool:
        """Make the lock ours, or still ours, unless another generation is there."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        content = {"id": self._id, "job": self._job, "host": socket.gethostname(), "time": now}
        made = objects.write_if(self._path, json.dumps(content).encode(), replaced, _PATIENCE)
        if made is None:
            # Somebody else's, or ours: a retry fails the precondition where an earlier attempt had
            # succeeded and only its answer was lost.
            found, holder = self._read()
            made = found if holder.get("id") == self._id else None
        self._generation = made or self._generation
        return made is not None

    def _read(self) -> tuple[int, dict[str, str]]:
        generation, content = objects.read_generation(self._path)
        try:
            return generation, dict(json.loads(content))
        except (ValueError, TypeError):
            return generation, {}


def _who(holder: dict[str, str]) -> str:
    job = f"job {holder['job']} on " if holder.get("job") else ""
    return f"{job}{holder.get('host', 'an unknown host')} at {holder.get('time', 'some time')}"


@contextlib.contextmanager
def lock(folder: str, work: str = "training") -> Iterator[Callable[[], None]]:
    """Keep a second process out of a folder; the lock ends with its process, however it ends.

    A local folder is made if it is not there, and is gone again where nothing came into it.

    Args:
        folder: local or gs://.
        work: what is done there, for the message to the second process.

    Yields:
        A function that raises a QuickdrawError once the lock was lost to another process.

    Raises:
        QuickdrawError: another process holds it; or this is Windows without WSL.
    """
    if paths.is_remote(folder):
        with held(folder, work) as check:
            yield check
        return
    try:
        import fcntl
    except ModuleNotFoundError:
        raise QuickdrawError(
            "Windows cannot lock a folder as this package needs it: work in WSL, the Linux that "
            "comes with Windows (wsl --install)"
        ) from None
    is_new = not paths.exists(folder)
    paths.make_folders(folder)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            # The kernel drops it with the process, so a killed training leaves nothing behind.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise QuickdrawError(
                f"another process is {work} in {folder}: wait for it, or choose another folder"
            ) from None
        except OSError as error:  # some network file systems know no locks
            log(
                f"warning: {folder} cannot be locked ({error.strerror}): see that no other process "
                f"is {work} there"
            )
        yield lambda: None  # a local lock cannot be lost
    finally:
        if is_new:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        os.close(handle)


def is_locked(folder: str) -> bool:
    """Return whether a process holds the lock of a folder, as far as that shows at once.

    On gs:// there must have been a sign of life within `STALE` seconds, by Cloud Storage's clock
    and this machine's: enough to tell somebody, not to take a lock over.
    """
    if paths.is_remote(folder):
        seen = objects.written_at(f"{folder.rstrip('/')}/{FILE_NAME}")
        now = datetime.datetime.now(datetime.UTC)
        return seen is not None and (now - seen).total_seconds() < STALE
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    except OSError:  # some network file systems know no locks
        return False
    finally:
        os.close(handle)
