"""The clock of a round."""

from __future__ import annotations

import time


class RoundClock:
    """The time of a round in milliseconds, which pauses while nobody can draw."""

    def __init__(self) -> None:
        self._base = 0.0
        self._since: float | None = None

    def set(self, at: int) -> None:
        """Set the time, in milliseconds."""
        self._base, self._since = float(at), None

    def run(self, runs: bool) -> None:
        """Start or pause the clock."""
        if runs and self._since is None:
            self._since = time.monotonic()
        elif not runs and self._since is not None:
            self._base, self._since = float(self.at), None

    @property
    def runs(self) -> bool:
        return self._since is not None

    @property
    def at(self) -> int:
        since = self._since
        return int(self._base + ((time.monotonic() - since) * 1000 if since is not None else 0))
