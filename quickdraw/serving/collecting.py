"""Storage of drawings, with consent: guesses as csv, strokes as ndjson for `prepare`.

guesses/SESSION.csv and drawings/SESSION.ndjson in one folder; a session is a random number. Each
line is appended in one write, before the response is sent.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import csv
import errno
import io
import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from quickdraw.console import log
from quickdraw.errors import QuickdrawError

COLUMNS = (
    *("time", "session", "drawing", "word", "seconds", "model", "step"),
    *("guess", "probability", "rank", "ms", "points"),
)
GUESSES, DRAWINGS = "guesses", "drawings"
MOST_OF_A_SESSION = 16 << 20
MOST = 2 << 30
"""The limit of all sessions together, in bytes."""
MOST_SESSIONS = 10_000
"""The limit of their number: a small file, too, takes a block of the disk."""
QUIET_SECONDS = 60.0
"""So long nothing must have been refused until it is said that there is room again."""
_SESSION = re.compile(r"[0-9a-f]{32}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class NotKeptError(QuickdrawError):
    """A drawing that cannot be stored; it is recognised nevertheless."""


class Collector:
    """Stores drawings in the order of their arrival.

    Args:
        folder: a local one. Incomplete last lines, after a crash of the machine, are cut off.

    Raises:
        QuickdrawError: it cannot be written to.
    """

    def __init__(self, folder: str):
        self.folder = folder
        # One thread keeps lines in order, and a slow disk off the event loop.
        self._pool = concurrent.futures.ThreadPoolExecutor(1)
        self._sizes, self._gone = dict[str, int](), dict[str, None]()
        self._refused: float | None = None  # when, while there is no room
        try:
            for kind in (GUESSES, DRAWINGS):
                os.makedirs(os.path.join(folder, kind), exist_ok=True)
                for name in os.listdir(os.path.join(folder, kind)):
                    path = os.path.join(folder, kind, name)
                    session = name.partition(".")[0]
                    self._sizes[session] = self._sizes.get(session, 0) + _mended(path)
        except OSError as error:
            raise QuickdrawError(f"--collect: {error.filename}: {error.strerror}") from None

    async def in_order(self, act: Callable[..., None], *arguments: object) -> None:
        """Call `act` in the writing thread, after all earlier calls; raise what it raises."""
        await asyncio.get_running_loop().run_in_executor(self._pool, act, *arguments)

    def guesses(self, session: str, rows: Iterable[Sequence[object]]) -> None:
        """Append rows of `COLUMNS`.

        Raises:
            NotKeptError: a limit is reached, or the disk is full.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not os.path.exists(self._path(GUESSES, session)):
            writer.writerow(COLUMNS)
        writer.writerows(rows)
        self._append(GUESSES, session, text.getvalue())

    def drawing(self, session: str, line: str) -> None:
        """Append a drawing as a line of JSON.

        Raises:
            NotKeptError: a limit is reached, or the disk is full.
        """
        self._append(DRAWINGS, session, line + "\n")

    def forget(self, session: str) -> None:
        """Delete all data of a session; later data of it is refused."""
        self._gone[checked_session(session)] = None
        if len(self._gone) > MOST_SESSIONS:
            del self._gone[next(iter(self._gone))]
        self._sizes.pop(session, None)
        for kind in (GUESSES, DRAWINGS):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path(kind, session))

    def _path(self, kind: str, session: str) -> str:
        ending = "csv" if kind == GUESSES else "ndjson"
        return os.path.join(self.folder, kind, f"{checked_session(session)}.{ending}")

    def _append(self, kind: str, session: str, text: str) -> None:
        path, data = self._path(kind, session), text.encode()
        if session in self._gone:
            raise NotKeptError("its session was deleted")
        if self._sizes.get(session, 0) + len(data) > MOST_OF_A_SESSION:
            raise NotKeptError(f"a session keeps at most {MOST_OF_A_SESSION >> 20} MB")
        if session not in self._sizes and len(self._sizes) >= MOST_SESSIONS:
            self._refuse(f"{self.folder} has the drawings of {MOST_SESSIONS:,} sessions")
        if sum(self._sizes.values()) + len(data) > MOST:
            self._refuse(f"{self.folder} has reached its {MOST >> 30} GB")
        try:
            _append(path, data)
        except OSError as error:
            full = " (the disk is full)" if error.errno in _FULL else ""
            self._refuse(f"{path}: {error.strerror}{full}")
        self._sizes[session] = self._sizes.get(session, 0) + len(data)
        # A short line may find room in the last block of a full disk, and the next one none.
        if self._refused is not None and time.monotonic() - self._refused > QUIET_SECONDS:
            log(f"drawings are kept again in {self.folder}")
            self._refused = None

    def _refuse(self, what: str) -> None:
        """Log what is wrong, once, and raise NotKeptError."""
        if self._refused is None:
            log(f"warning: drawings are not kept, and guessing goes on: {what}")
        self._refused = time.monotonic()
        raise NotKeptError("the server has no room for drawings now")


def now() -> str:
    """Return the current time in the format of the files."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def checked_session(session: object) -> str:
    """Validate and return a session id, 32 hexadecimal digits.

    Raises:
        QuickdrawError: it is something else.
    """
    if not isinstance(session, str) or not _SESSION.fullmatch(session):
        raise QuickdrawError("session: 32 hexadecimal digits expected")
    return session


def _append(path: str, data: bytes) -> None:
    """Append in one write, which no kill can split; undo a write that a full disk cut short."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        size = os.fstat(file).st_size
        try:
            if os.write(file, data) == len(data):
                return
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        except OSError:
            os.ftruncate(file, size)
            raise
    finally:
        os.close(file)


def _mended(path: str) -> int:
    """Cut off an incomplete last line; return the number of bytes left."""
    with open(path, "rb+") as file:
        data = file.read()
        size = data.rfind(b"\n") + 1
        if size != len(data):
            file.truncate(size)
        return size
