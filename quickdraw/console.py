"""Lines and a progress bar on stderr: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time

_LOG_SECONDS = 10.0
_BAR_SECONDS = 0.1


def log(message: str) -> None:
    """Print a line, above the bar if one is shown."""
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{clear}{message}", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Return `0:07`, `12:34` or `1:02:03`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


class Progress:
    """How far a piece of work is, how fast it goes, and when it will be done.

    Args:
        title: what is being done.
        total: how many things there are, or None when nobody knows.
        unit: what the things are, e.g. "images".
    """

    def __init__(self, title: str, total: int | None, unit: str):
        self._title, self._total, self._unit = title, total, unit
        self._terminal = sys.stderr.isatty()
        self._start = self._shown = time.monotonic()
        self._first = 0

    def resume_at(self, done: int) -> None:
        """Leave what was done before (an earlier run, compiling) out of the speed."""
        self._start, self._first = time.monotonic(), done

    def update(self, done: int, details: str = "") -> None:
        """Show the state, if the last time is long enough ago."""
        now = time.monotonic()
        if now - self._shown < (_BAR_SECONDS if self._terminal else _LOG_SECONDS):
            return
        self._shown = now
        line = self._line(done, now, details)
        if self._terminal:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        else:
            log(line)

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _line(self, done: int, now: float, details: str) -> str:
        rate = (done - self._first) / max(now - self._start, 1e-9)
        parts = [self._title]
        if self._total:
            parts.append(f"{done / self._total:4.0%}")
        parts.append(f"{done:,}{f'/{self._total:,}' if self._total else ''} {self._unit}")
        parts += [details] if details else []
        if rate > 0:
            parts.append(f"{rate:,.0f} {self._unit}/s")
            if self._total:
                parts.append(f"ETA {duration((self._total - done) / rate)}")
        return "  ".join(parts)
