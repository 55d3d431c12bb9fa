"""Drawings that are kept, of those who agreed: guesses as csv, strokes as ndjson for `prepare`.

guesses/SESSION.csv and drawings/SESSION.ndjson in one folder; a session is a random number. Each
line is appended whole, and is with the operating system before the answer is sent.
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
"""Bytes, of all sessions together."""
_SESSION = re.compile(r"[0-9a-f]{32}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class NotKeptError(QuickdrawError):
    """A drawing that cannot be kept; it is guessed nevertheless."""


class Collector:
    """Keeps what is drawn, in the order in which it comes.

    Args:
        folder: where; local. Torn last lines there, after a crash of the machine, are cut off.

    Raises:
        QuickdrawError: nothing can be written there.
    """

    def __init__(self, folder: str):
        self.folder = folder
        # One thread: lines come in order, and a slow disk keeps no answer to others waiting.
        self._pool = concurrent.futures.ThreadPoolExecutor(1)
        self._trouble, self._sizes, self._gone = "", dict[str, int](), set[str]()
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
        """Call `act` in the thread that writes, behind all earlier calls; raise what it raises."""
        await asyncio.get_running_loop().run_in_executor(self._pool, act, *arguments)

    def guesses(self, session: str, rows: Iterable[Sequence[object]]) -> None:
        """Append rows of `COLUMNS`.

        Raises:
            NotKeptError: there is no room.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not os.path.exists(self._path(GUESSES, session)):
            writer.writerow(COLUMNS)
        writer.writerows(rows)
        self._append(GUESSES, session, text.getvalue())

    def drawing(self, session: str, line: str) -> None:
        """Append a drawing, a line of JSON.

        Raises:
            NotKeptError: there is no room.
        """
        self._append(DRAWINGS, session, line + "\n")

    def forget(self, session: str) -> None:
        """Delete all of a session; what still comes of it is not kept."""
        self._gone.add(checked_session(session))
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
        if sum(self._sizes.values()) + len(data) > MOST:
            self._refuse(f"{self.folder} has reached its {MOST >> 30} GB")
        try:
            _append(path, data)
        except OSError as error:
            full = " (the disk is full)" if error.errno in _FULL else ""
            self._refuse(f"{path}: {error.strerror}{full}")
        self._sizes[session] = self._sizes.get(session, 0) + len(data)
        if self._trouble:
            log(f"drawings are kept again in {self.folder}")
            self._trouble = ""

    def _refuse(self, what: str) -> None:
        """Say once what is wrong, and raise."""
        if not self._trouble:
            log(f"warning: drawings are not kept, and guessing goes on: {what}")
        self._trouble = what
        raise NotKeptError("the server has no room for drawings now")


def now() -> str:
    """Return the time as it stands in the files."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def checked_session(session: object) -> str:
    """Return a session's number.

    Raises:
        QuickdrawError: it is none.
    """
    if not isinstance(session, str) or not _SESSION.fullmatch(session):
        raise QuickdrawError("session: 32 hexadecimal digits expected")
    return session


def _append(path: str, data: bytes) -> None:
    """Write in one call, so that no kill comes between; what a full disk cuts off is taken back."""
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
    """Cut off what comes after the last whole line; return how many bytes stay."""
    with open(path, "rb+") as file:
        data = file.read()
        size = data.rfind(b"\n") + 1
        if size != len(data):
            file.truncate(size)
        return size
