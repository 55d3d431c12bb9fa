"""What a candidate uses to measure itself: a stopwatch for wall and CPU time, and peak memory."""

from __future__ import annotations

import resource
import sys
import time
from typing import Any, Self

Measurement = dict[str, Any]
"""`value` and `unit`; beside them, where it means something, `cpu` (time) and `cpu_unit`."""


class Stopwatch:
    """Measures the wall time and the CPU time of a `with` block, child processes included."""

    def __enter__(self) -> Self:
        self._start = time.perf_counter(), cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start[0]
        self.cpu = cpu_seconds() - self._start[1]

    def rate(self, images: int) -> Measurement:
        """Images a second."""
        return {
            "value": images / self.seconds,
            "unit": "images/s",
            "cpu": 1e6 * self.cpu / images,
            "cpu_unit": "µs/image",
        }


def cpu_seconds() -> float:
    """CPU time of this process and of those of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def peak_megabytes() -> float:
    """Peak resident memory of this process, or of the largest of its children."""
    peak = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
