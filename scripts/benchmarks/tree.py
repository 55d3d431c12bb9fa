"""Memory of a process and all that it starts, as Linux tells it."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Self

_EVERY_SECONDS = 0.1


class TreeMemory:
    """Samples, in a `with` block, how much memory this process and its descendants take together.

    Attributes:
        peak: the most, in MB, without pages of files, which the system takes back when it likes: a
            page that several processes share counts once.
    """

    peak = 0.0

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(_EVERY_SECONDS):
            self.peak = max(self.peak, sum(map(_anonymous, _tree(os.getpid()))) * 1024 / 1e6)


def _tree(process: int) -> list[int]:
    """Return a process and its descendants; one that ends meanwhile is left out."""
    found = [process]
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/children", encoding="ascii") as file:
                for child in file.read().split():
                    found += _tree(int(child))
    return found


def _anonymous(process: int) -> int:
    """Return kB that are no pages of files, its share of what is shared."""
    path = f"/proc/{process}/smaps_rollup"
    with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss_Anon:"))
    return 0
