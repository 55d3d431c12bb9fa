"""Lines on stderr, and a progress bar: on a terminal and in a notebook; a log gets lines."""

from __future__ import annotations

import html
import os
import sys
import time
from typing import Any

_BAR_SECONDS = 0.1
_NOTEBOOK_SECONDS = 1.0
_LOG_SECONDS = 10.0
_COLUMNS = 80  # where nobody says how wide it is

_shown = 0
"""How many columns the bar takes that is shown now."""


def log(message: str) -> None:
    """Print a line, above the bar if one is shown; a notebook would paint stderr red."""
    _show("")
    if in_notebook():
        print(message, flush=True)
    else:
        _write(f"{message}\n")


def _write(text: str) -> None:
    """Write to stderr; the work goes on where its reader (`head`) is gone, or its disk full."""
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def in_notebook() -> bool:
    """Return whether this is a cell of a notebook."""
    return type(sys.stderr).__module__.startswith("ipykernel")


def duration(seconds: float) -> str:
    """Return `0:07`, `12:34` or `1:02:03`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


class SparseLog:
    """Lines that come by the thousand, of which a log gets some: the longer it takes, the fewer.

    Args:
        seconds: between two lines at first; later up to 60 times as long.
        first: how many lines to print at once, however soon they come.
    """

    def __init__(self, seconds: float, first: int = 0):
        self._seconds, self._first = seconds, first
        self._start = self._last = time.monotonic()
        self._kept = ""

    def log(self, message: str) -> None:
        """Print a line, if the last one is long enough ago."""
        now = time.monotonic()
        wanted = max(self._seconds, min((now - self._start) / 30, 60 * self._seconds))
        if self._first <= 0 and now - self._last < wanted:
            self._kept = message
            return
        self._first, self._last, self._kept = self._first - 1, now, ""
        log(message)

    def close(self) -> None:
        """Print the last line, if it was not."""
        if self._kept:
            log(self._kept)
        self._kept = ""


class Screen:
    """A place below a notebook's cell whose content is replaced."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str, page: str) -> None:
        """Show HTML; the text stands in for it where there is none."""
        from IPython.display import display

        content = {"text/plain": text, "text/html": page}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)

    def close(self) -> None:
        """Leave nothing there."""
        if self._handle:
            self.show("", "")


class Progress:
    """How far a piece of work is, how fast it goes, and when it will be done.

    Args:
        title: what is being done.
        total: how many things there are, or None when nobody knows.
        unit: what the things are, e.g. "images".
    """

    def __init__(self, title: str, total: int | None, unit: str):
        self._title, self._total, self._unit = title, total, unit
        self._screen = Screen() if in_notebook() else None
        self._bar = self._screen is not None or sys.stderr.isatty()
        self._seconds = _NOTEBOOK_SECONDS if self._screen else _BAR_SECONDS
        self._start = self._updated = time.monotonic()
        self._lines = SparseLog(_LOG_SECONDS)
        self._first = 0

    def resume_at(self, done: int) -> None:
        """Leave what was done before (an earlier run, compiling) out of the speed."""
        self._start, self._first = time.monotonic(), done

    def update(self, done: int, details: str = "") -> None:
        """Show the state, if the last time is long enough ago.

        Args:
            done: how many things are done.
            details: what else there is to say; parts stand two blanks apart, and where there is
                no room for all the first ones are left out first.
        """
        now = time.monotonic()
        if not self._bar:
            self._lines.log("  ".join(self._parts(done, now, details).values()))
        elif now - self._updated >= self._seconds:
            self._updated = now
            parts = self._parts(done, now, details)
            if self._screen:
                text = "  ".join(parts.values())
                value = f'value="{done}" max="{self._total}"' if self._total else ""
                bar = f'<progress {value} style="width:100%;max-width:40em"></progress>'
                self._screen.show(text, f"{bar}<div>{html.escape(text)}</div>")
            else:
                _show(_fitting(parts, _columns()))

    def close(self) -> None:
        """Take the bar off the terminal, or out of the notebook."""
        if self._screen:
            self._screen.close()
        _show("")

    def _parts(self, done: int, now: float, details: str) -> dict[str, str]:
        """Return what is to be shown, by name; details have themselves as names."""
        rate = (done - self._first) / max(now - self._start, 1e-9)
        share = total = left = ""
        if self._total:
            share, total = f"{done / self._total:4.0%}", f"/{self._total:,}"
            left = f"ETA {duration((self._total - done) / rate)}" if rate > 0 else ""
        parts = {
            "title": self._title,
            "share": share,
            "count": f"{done:,}{total} {self._unit}",
            **{detail: detail for detail in details.split("  ")},
            "rate": f"{rate:,.0f} {self._unit}/s" if rate > 0 else "",
            "left": left,
        }
        return {name: part for name, part in parts.items() if part}


def _columns() -> int:
    """Return how wide a bar may be, asked each time as windows are resized."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):  # a notebook, or a terminal without a size
        columns = 0
    return (columns or _COLUMNS) - 1  # some terminals begin a new line after the last column


def _fitting(parts: dict[str, str], columns: int) -> str:
    """Return a line with as many parts as there is room for: what matters least is left out."""
    details = [name for name in parts if name not in ("title", "share", "count", "rate", "left")]
    for name in ("", "count", *details, "rate", "left"):
        parts.pop(name, None)
        line = "  ".join(parts.values())
        if len(line) <= columns:
            break
    return line[:columns]


def _show(bar: str) -> None:
    """Show a bar in place of the one that is there; an empty one leaves the line empty."""
    global _shown
    if bar or _shown:
        # Blanks, as not every notebook knows the escape sequence that clears a line.
        blanks = " " * min(_shown - len(bar), _columns() - len(bar))
        end = "" if bar else "\r"
        _write(f"\r{bar}{blanks}{end}")
    _shown = len(bar)


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table, its first column left-aligned, the others right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [first.ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        )
        for first, *cells in rows
    ]
