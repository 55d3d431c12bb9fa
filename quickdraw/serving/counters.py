"""The metrics of the server, in the format of Prometheus.

Source: prometheus.io, "Exposition formats", text-based format 0.0.4.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56)


class Counters:
    """Counts responses, and measures their latency.

    Attributes:
        sockets: the number of open WebSockets.
    """

    def __init__(self) -> None:
        self.sockets = 0
        self._answers: collections.Counter[tuple[str, str]] = collections.Counter()
        self._times = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0

    def answered(self, way: str, outcome: str, seconds: float | None = None) -> None:
        """Count a response.

        Args:
            way: "http" or "websocket".
            outcome: "ok", "bad" or "busy".
            seconds: the latency of a prediction; None otherwise.
        """
        self._answers[way, outcome] += 1
        if seconds is not None:
            self._seconds += seconds
            self._times[sum(seconds > bound for bound in _BOUNDS)] += 1

    def text(self, waiting: int) -> str:
        """Return all metrics; `waiting` is the length of the queue."""
        return "\n".join([*self._lines(waiting), ""])

    def _lines(self, waiting: int) -> Iterator[str]:
        yield "# TYPE quickdraw_answers_total counter"
        for (way, outcome), count in sorted(self._answers.items()):
            yield f'quickdraw_answers_total{{way="{way}",outcome="{outcome}"}} {count}'
        for name, value in (("websockets", self.sockets), ("waiting", waiting)):
            yield f"# TYPE quickdraw_{name} gauge"
            yield f"quickdraw_{name} {value}"
        yield "# TYPE quickdraw_answer_seconds histogram"
        total = 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self._times, strict=True):
            total += count
            yield f'quickdraw_answer_seconds_bucket{{le="{bound}"}} {total}'
        yield f"quickdraw_answer_seconds_sum {self._seconds:.6f}"
        yield f"quickdraw_answer_seconds_count {total}"
