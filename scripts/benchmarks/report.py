"""What was measured, as Markdown for people and as JSON for programs."""

from __future__ import annotations

import math
import os
import statistics
from typing import Any

from benchmarks.contest import Contest, Goal, Results, Value
from benchmarks.measure import Measurement

Measured = list[tuple[Contest, Results]]

HEADER = (
    "| candidate | what | best | median | CPU time | peak MB |",
    "|---|---|--:|--:|--:|--:|",
)


def text(machine: dict[str, str], measured: Measured) -> str:
    """Tables of the measurements and of the goals, and the machine's description."""
    lines = []
    for contest, results in measured:
        lines += [f"### {contest.title}", "", *_table(results), "", *_goals(contest, results), ""]
    lines += [f"- {name}: {value}" for name, value in machine.items()]
    return "\n".join([*lines, f"- load after: {os.getloadavg()[0]:.1f}"])


def _table(results: Results) -> list[str]:
    return [*HEADER, *(row for candidate in results.turns for row in rows(results, candidate))]


def rows(results: Results, candidate: str) -> list[str]:
    """Rows below `HEADER`: what a candidate's turns measured."""
    turns, found = results.turns[candidate], []
    peak = min(turn["peak_megabytes"] for turn in turns)
    for name in turns[0]["measurements"]:
        each = results.all(candidate, name)
        best, median = (
            _figure(value(candidate, name), each[0]["unit"])
            for value in (results.best, results.median)
        )
        row = candidate, name, best, median, _cpu(each), f"{peak:,.0f}"
        found.append(f"| {' | '.join(row)} |")
    return found


def _figure(value: float, unit: str) -> str:
    if math.isinf(value):
        return "not reached"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def _cpu(each: list[Measurement]) -> str:
    if "cpu" not in each[0]:
        return ""
    return _figure(statistics.median(one["cpu"] for one in each), each[0]["cpu_unit"])


def _goals(contest: Contest, results: Results) -> list[str]:
    rows = ["| goal | wanted | best | median |", "|---|--:|--:|--:|"]
    for goal in contest.goals:
        bound = f"{'≤' if goal.at_most else '≥'} {goal.wanted:g}"
        reached = [f"{_reached(goal, value):.3g}" for value in (results.best, results.median)]
        rows.append(f"| {goal.title} | {bound} | {' | '.join(reached)} |")
    return rows


def _reached(goal: Goal, value: Value) -> float:
    """Not a number where an opponent was not asked for, or nothing was reached."""
    try:
        return goal.reached(value)
    except (KeyError, ZeroDivisionError):
        return math.nan


def content(machine: dict[str, str], measured: Measured) -> dict[str, Any]:
    """Everything: each turn of each candidate, and the goals by the best and by the median."""
    return {
        "machine": machine,
        "contests": {
            contest.title: {
                "turns": results.turns,
                "goals": [
                    {
                        "title": goal.title,
                        "wanted": goal.wanted,
                        "at_most": goal.at_most,
                        "best": _reached(goal, results.best),
                        "median": _reached(goal, results.median),
                    }
                    for goal in contest.goals
                ],
            }
            for contest, results in measured
        },
    }
