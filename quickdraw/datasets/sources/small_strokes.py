"""Strokes in other units than Quick, Draw!'s, whose drawings would be small in their pictures."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from quickdraw.console import log
from quickdraw.datasets.sources.base import DrawingFile
from quickdraw.datasets.sources.worded import usable_drawings
from quickdraw.drawings import Strokes

_LOOKED_AT = 50  # of all drawings
_SMALL = 128  # units: half of what every simplified drawing of Quick, Draw! fills


def warn_of_small_strokes(files: Sequence[DrawingFile]) -> None:
    """Warn where drawings fill less than half of 0...255, as those of a smaller canvas do."""
    count = -(-_LOOKED_AT // max(len(files), 1))
    sizes = [
        _longer_side(drawing.strokes)
        for file in files
        for drawing in itertools.islice(usable_drawings(file), count)
        if drawing.strokes
    ]
    if sizes and max(sizes) < _SMALL:
        log(
            f"warning: these drawings fill {max(sizes):g} units at most, where Quick, Draw!'s fill "
            "255: they will be small in their pictures. Scale them, or give ndjson as --format=raw"
        )


def _longer_side(strokes: Strokes) -> float:
    sides = [[value for stroke in strokes for value in stroke[axis]] for axis in (0, 1)]
    return max(max(side) - min(side) for side in sides)
