"""An append-only log of events, one JSON object a line: a write-ahead log of the contest."""

from __future__ import annotations

import json
import os

from quickdraw.draw_off.rules import Event
from quickdraw.errors import QuickdrawError

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND


class EventLog:
    """A file of events.

    An incomplete last line, after a crash, is cut off; a damaged line before it is an error.

    Args:
        path: a local file; created if missing.

    Attributes:
        events: those in the file when it was opened.

    Raises:
        QuickdrawError: it is damaged, another server has it, or it cannot be written.
    """

    def __init__(self, path: str):
        self.path = path
        try:
            self._file = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            raise QuickdrawError(f"{path}: cannot be written: {error.strerror}") from None
        try:
            self._lock()
            self.events = self._recovered()
        except QuickdrawError:
            os.close(self._file)
            raise
        self._size = os.fstat(self._file).st_size

    def append(self, *events: Event) -> None:
        """Append events; they survive a crash of this process, and after `sync` of the machine.

        Raises:
            QuickdrawError: the disk is full; nothing was added.
        """
        lines = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise QuickdrawError(f"{self.path}: {error.strerror}: nothing was added") from None
        self._size += len(data)

    def sync(self) -> None:
        """Flush to the disk (fsync): the events survive a power failure."""
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file; another server may open it then."""
        os.close(self._file)

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise QuickdrawError(f"{self.path}: another server runs this contest") from None

    def _recovered(self) -> list[Event]:
        with open(self.path, "rb") as file:
            data = file.read()
        whole = data.rfind(b"\n") + 1
        events = read(data[:whole], self.path)
        if whole < len(data):
            os.ftruncate(self._file, whole)
        return events


def read(data: bytes, where: str) -> list[Event]:
    """Return the events of whole lines.

    Raises:
        QuickdrawError: a line is not an event.
    """
    events = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            event = json.loads(line)
            event["kind"]
        except (ValueError, TypeError, KeyError):
            raise QuickdrawError(f"{where}: line {number} is damaged: an event expected") from None
        events.append(event)
    return events
