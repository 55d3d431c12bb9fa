"""Work that takes much memory or time: a few at once, a few that wait, more are refused."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from quickdraw.serving.batching import BusyError


class Turns:
    """Lets in a few at once.

    Args:
        at_once: how many.
        waiting: how many more may wait.
    """

    def __init__(self, at_once: int, waiting: int):
        self._free, self._most, self._count = asyncio.Semaphore(at_once), at_once + waiting, 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and give it back at the end.

        Raises:
            BusyError: too many wait already.
        """
        if self._count >= self._most:
            raise BusyError
        self._count += 1
        try:
            async with self._free:
                yield
        finally:
            self._count -= 1
