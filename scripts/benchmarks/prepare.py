"""From drawings to records: bitmaps and strokes, by this package and by a plain loop."""

from __future__ import annotations

import json
import os

import numpy as np

from benchmarks.contest import Candidate, Contest, Goal, Options
from benchmarks.measure import Measurement, Stopwatch
from quickdraw.datasets.doodles.draw import CATEGORIES, draw
from quickdraw.datasets.prepare import prepare
from quickdraw.drawings.rasterise import rasterise

OURS = "quickdraw, {} processes"
PLAIN = "Pillow and tf.train.Example, one loop"
_SIZES = np.linspace(0.55, 1, 10)


def contest(options: Options) -> Contest:
    """Drawings a second; the start of the processes is counted."""
    if not os.path.exists(os.path.join(options.scratch, "strokes")):
        make_drawings(options.scratch, options.drawings)
    candidates, goals = [], []
    for kind in ("bitmaps", "strokes"):
        source = {"source": os.path.join(options.scratch, kind)}
        ours = f"{kind}: {OURS.format(options.processes)}"
        plain = f"{kind}: {PLAIN}"
        processes = {"processes": options.processes}
        candidates += [
            Candidate(ours, "benchmarks.prepare:records", source | processes),
            Candidate(plain, "benchmarks.opponents.plain:records", source, "tfdata"),
        ]
        goals.append(
            Goal(
                f"{kind} to records, against {PLAIN}",
                3,
                lambda value, ours=ours, plain=plain: (
                    value(ours, "records") / value(plain, "records")
                ),
            )
        )
    return Contest("Preparation", candidates, goals)


def make_drawings(folder: str, count: int) -> None:
    """Doodles of ten categories in ten sizes, as strokes and as bitmaps."""
    for kind in ("bitmaps", "strokes"):
        os.makedirs(os.path.join(folder, kind))
    for number, category in enumerate(CATEGORIES):
        rng = np.random.default_rng(number)
        drawings = [
            [[[round(size * x) for x in axis] for axis in stroke] for stroke in drawing]
            for drawing in (draw(category, rng) for _ in range(count // 100))
            for size in _SIZES
        ]
        with open(os.path.join(folder, "strokes", f"{category}.ndjson"), "w") as file:
            for drawing in drawings:
                print(json.dumps({"word": category, "drawing": drawing}), file=file)
        images = np.stack([rasterise(drawing).ravel() for drawing in drawings])
        np.save(os.path.join(folder, "bitmaps", f"{category}.npy"), images)


def records(source: str, processes: int) -> dict[str, Measurement]:
    """`quickdraw.datasets.prepare` into a folder beside the source."""
    with Stopwatch() as watch:
        info = prepare(source, f"{source}-{os.getpid()}", processes=processes)
    count = sum(split["records"] for split in info.splits.values())
    return {"records": watch.rate(count + sum(info.skipped.values()))}
