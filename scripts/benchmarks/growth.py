"""Growth: the same work on ten thousand drawings, and on ten, a hundred, a thousand times as many.

Each size is made, prepared, decoded, trained on for an epoch (resident, then streamed with a
memory budget of a tenth of the set), killed and resumed, evaluated and predicted. Rates should
stay, memory outside the resident set too.
"""

from __future__ import annotations

import os
from typing import Any

from benchmarks.contest import Candidate, Contest, Goal, Options, Results, Value

SMALLEST_SHARE = 0.8
MOST_MEMORY = 1.3
PARTS = (
    "make",
    "prepare",
    "decode",
    "resident epoch",
    "streamed epoch",
    "checkpoint and resume",
    "eval",
    "inference",
)
RATES = {
    "prepare": "prepare",
    "decode": "decode",
    "resident epoch": "training",
    "streamed epoch": "training",
    "eval": "eval",
    "inference": "inference",
}
"""Of the parts: what is called images a second."""
FLAT = ("prepare", "decode", "streamed epoch", "eval", "inference")
"""Of the parts: those whose memory must not grow with the set."""


def sizes(options: Options) -> list[int]:
    """The numbers of drawings, ascending."""
    return sorted(int(each) for each in options.sizes.split(","))


def name(size: int, part: str) -> str:
    """What the table calls a part."""
    return f"{size:,}: {part}"


def contest(options: Options) -> Contest:
    """Every part at every size; the parts of a size build on each other, in their order."""
    candidates = [each for size in sizes(options) for each in _candidates(options, size)]
    first, *_, last = sizes(options) if len(sizes(options)) > 1 else 2 * sizes(options)
    rates = [_goal(part, first, last) for part in RATES]
    # Against the size before, not the smallest: that is decoded by one process, and predicted in a
    # single batch, which is not full.
    before = (sizes(options)[-2:] or [last])[0]
    return Contest("Growth", candidates, [*rates, *(_flat(part, before, last) for part in FLAT)])


def _candidates(options: Options, size: int) -> list[Candidate]:
    folder = os.path.join(options.scratch, f"growth-{size}")
    more: dict[str, dict[str, Any]] = {
        "make": {"count": size, "strokes": options.strokes},
        "prepare": {"processes": options.processes},
        "resident epoch": {"streamed": False},
        "streamed epoch": {"streamed": True},
    }
    functions = {"resident epoch": "epoch", "streamed epoch": "epoch", "eval": "evaluate"}
    return [
        Candidate(
            name(size, part),
            f"benchmarks.growth_parts:{functions.get(part, part.split()[0])}",
            {"folder": folder, **more.get(part, {})},
        )
        for part in PARTS
    ]


def _goal(part: str, first: int, last: int) -> Goal:
    def share(value: Value) -> float:
        return value(name(last, part), RATES[part]) / value(name(first, part), RATES[part])

    return Goal(f"{part}: images/s with {last:,} over {first:,}", SMALLEST_SHARE, share)


def _flat(part: str, first: int, last: int) -> Goal:
    def growth(value: Value) -> float:
        return value(name(last, part), "memory") / value(name(first, part), "memory")

    return Goal(f"{part}: memory with {last:,} over {first:,}", MOST_MEMORY, growth, True)


def lines(options: Options, results: Results) -> dict[str, list[tuple[float, float]]]:
    """For the plot: by part, (drawings, images a second) of each size."""
    return {
        part: [
            (size, results.best(name(size, part), what))
            for size in sizes(options)
            if name(size, part) in results.turns
        ]
        for part, what in RATES.items()
    }
