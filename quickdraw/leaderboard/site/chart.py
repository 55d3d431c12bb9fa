"""The chart of best scores over time, as the points of SVG lines."""

from __future__ import annotations

import dataclasses

from quickdraw.leaderboard.store import moments

WIDTH, HEIGHT = 720, 220


@dataclasses.dataclass(frozen=True)
class ScoreChart:
    """Polylines, and the labels of the axes.

    Attributes:
        lines: name and points (`x,y x,y …`) of each team.
        low: the score at the bottom.
        high: the score at the top.
        start: the time at the left.
        end: the time at the right.
    """

    lines: list[tuple[str, str]]
    low: str
    high: str
    start: str
    end: str


def steps(
    curves: list[tuple[str, list[tuple[int, float]]]], time_zone: str, until: int
) -> ScoreChart | None:
    """Return a step chart of best scores; None without any.

    Args:
        curves: name and (moment in microseconds, best score from 0 to 1) of each team.
        time_zone: of the competition.
        until: the moment at the right, in microseconds.
    """
    points = [point for _, line in curves for point in line]
    if not points:
        return None
    start, until = min(at for at, _ in points), max(until, *(at for at, _ in points))
    low, high = min(score for _, score in points), max(score for _, score in points)
    low, high = max(0.0, low - 0.01), min(1.0, high + 0.01)

    def x(at: int) -> str:
        return f"{WIDTH * (at - start) / max(1, until - start):.1f}"

    def y(score: float) -> str:
        return f"{HEIGHT - (HEIGHT * (score - low) / (high - low)):.1f}"

    lines = []
    for name, line in curves:
        parts: list[str] = []
        for at, score in line:
            parts += [f"{x(at)},{parts[-1].split(',')[1]}"] if parts else []
            parts.append(f"{x(at)},{y(score)}")
        parts.append(f"{WIDTH},{parts[-1].split(',')[1]}")
        lines.append((name, " ".join(parts)))
    return ScoreChart(
        lines,
        f"{100 * low:.1f} %",
        f"{100 * high:.1f} %",
        moments.text(start, time_zone),
        moments.text(until, time_zone),
    )
