"""Strokes of which little would be seen: small, as of another canvas, or with an unsuitable pen."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from quickdraw.console import log
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.sources.base import DrawingFile
from quickdraw.datasets.sources.worded import usable_drawings
from quickdraw.drawings import Strokes
from quickdraw.drawings.rasterise import units_across

_LOOKED_AT = 50  # of all drawings
_SMALL = 128  # units: half of what every simplified drawing of Quick, Draw! fills
_THIN = 0.5  # pixels: half as bright as white at most
_THICK = 0.25  # of the image's side


def warn_of_unclear_strokes(files: Sequence[DrawingFile], recipe: Recipe) -> None:
    """Warn where drawings would be small in their pictures, or their lines too thin or thick."""
    _warn_of_small(files)
    _warn_of_pen(recipe)


def _warn_of_pen(recipe: Recipe) -> None:
    """Warn of a pen that was meant in pixels, or that no longer suits the image."""
    units = units_across(recipe.line_width, recipe.padding)
    pixels = recipe.line_width * recipe.image_size / units
    if not _THIN <= pixels <= _THICK * recipe.image_size:
        log(
            f"warning: lines will be {pixels:.2g} of {recipe.image_size} pixels thick: "
            f"--line_width={recipe.line_width:g} is in units of which the image has {units:g}"
        )


def _warn_of_small(files: Sequence[DrawingFile]) -> None:
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
