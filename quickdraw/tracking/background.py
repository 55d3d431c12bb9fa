"""A background thread that sends, so that a slow or failing server never affects the work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from quickdraw.console import log
from quickdraw.errors import QuickdrawError

_PAUSE = 30.0
_PATIENCE = 60.0
_HURRY = 8.0


class Background:
    """Calls a function in another thread on request; logs a failure once.

    Requests that arrive while it is busy are merged into one call: the latest wins.

    Args:
        send: sends everything pending; called with the argument of the latest request.
        later: the command that sends what could not be sent, for the log.
    """

    def __init__(self, send: Callable[[str], None], later: str):
        self._send, self._later = send, later
        self._wanted: str | None = None
        self._ending = False
        self._failed_at: float | None = None
        self._told = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)
        self._thread.start()

    def ask(self, what: str) -> None:
        """Request a send, without waiting for it."""
        with self._change:
            self._wanted = what
            self._change.notify()

    def close(self, what: str, in_a_hurry: bool = False) -> None:
        """Request a last send and wait for it, at most a minute, or 8 s in a hurry.

        Args:
            what: see `ask`.
            in_a_hurry: whether the process is about to be killed.
        """
        with self._change:
            self._wanted, self._ending = what, True
            self._change.notify()
        self._thread.join(_HURRY if in_a_hurry else _PATIENCE)
        if self._thread.is_alive() or self._failed_at is not None:
            log(f"warning: not all of it was sent. To send it later: {self._later}")

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._wanted is not None)
                what, ending, self._wanted = str(self._wanted), self._ending, None
            if ending or self._failed_at is None or time.monotonic() > self._failed_at + _PAUSE:
                self._try(what)
            if ending:
                return

    def _try(self, what: str) -> None:
        try:
            self._send(what)
            if self._failed_at is not None and not self._ending:
                log("the server answers again, and has what it had missed")
            self._failed_at = None
        except QuickdrawError as error:
            self._fail(str(error))
        except Exception as error:  # even a bug in a tracker must not stop the training
            self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, why: str) -> None:
        self._failed_at = time.monotonic()
        if not self._told:
            log(f"warning: {why}. The work goes on; what is not sent is kept")
        self._told = True
