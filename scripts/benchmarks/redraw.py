"""Many drawings out of few: real strokes drawn again with small random changes, none twice."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator

import numpy as np

from benchmarks.measure import Measurement, Stopwatch
from quickdraw import storage
from quickdraw.datasets.doodles.draw import CATEGORIES, draw

CLASSES = 100
OF_A_DOODLE = 20
AT_ONCE = 256


def make(folder: str, count: int, strokes: str) -> dict[str, Measurement]:
    """Write ndjson files of `count` drawings in 100 classes.

    Args:
        folder: is made.
        count: a multiple of 100.
        strokes: pattern of .ndjson files with real drawings, a class each; without it, the sample's
            doodles, ten of whose categories then stand for ten classes each.
    """
    os.makedirs(folder)
    with Stopwatch() as watch:
        for label, (name, drawings) in enumerate(_classes(strokes)):
            rng = np.random.default_rng(label)
            with open(os.path.join(folder, f"{name}.ndjson"), "w", encoding="utf-8") as file:
                for number, drawing in enumerate(_again(drawings, count // CLASSES, rng)):
                    key = f"{label * 10**9 + number}"
                    line = {"word": name, "key_id": key, "drawing": drawing}
                    file.write(json.dumps(line, separators=(",", ":")) + "\n")
    return {"made": watch.rate(count)}


def _classes(pattern: str) -> Iterator[tuple[str, list]]:
    if not pattern:
        rng = np.random.default_rng(0)
        for number in range(CLASSES):
            category = CATEGORIES[number % len(CATEGORIES)]
            doodles = [draw(category, rng) for _ in range(OF_A_DOODLE)]
            yield f"{category} {number // len(CATEGORIES)}", doodles
        return
    for path in storage.expand(pattern)[:CLASSES]:
        with open(path, encoding="utf-8") as file:
            drawings = [json.loads(line)["drawing"] for line in file]
        yield os.path.splitext(os.path.basename(path))[0], drawings


def _again(drawings: list, count: int, rng: np.random.Generator) -> Iterator[list]:
    """Yield `count` drawings, each real one turned, stretched and shaken a little, many times."""
    seen: set[int] = set()
    for drawing in itertools.cycle(drawings):
        for changed in _shaken(drawing, min(AT_ONCE, -(-count // len(drawings))), rng):
            if len(seen) == count:
                return
            number = hash(str(changed))
            if number not in seen:
                seen.add(number)
                yield changed


def _shaken(drawing: list, times: int, rng: np.random.Generator) -> Iterator[list]:
    lengths = [len(stroke[0]) for stroke in drawing]
    points = np.concatenate([np.array(stroke[:2], float) for stroke in drawing], axis=1)
    turn = np.eye(2) + rng.normal(0, 0.06, (times, 2, 2))
    moved = turn @ (points - 127.5) + 127.5 + rng.normal(0, 1.5, (times, 2, points.shape[1]))
    for xs, ys in np.clip(moved.round(), 0, 255).astype(int).tolist():
        strokes, start = [], 0
        for length in lengths:
            strokes.append([xs[start : start + length], ys[start : start + length]])
            start += length
        yield strokes
