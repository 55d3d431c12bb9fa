"""Galleries of a report as plain images, for TensorBoard."""

from __future__ import annotations

import numpy as np
from PIL import Image

from quickdraw.drawings import sheet
from quickdraw.report.evaluated import Evaluated
from quickdraw.report.galleries import Gallery, confident_mistakes, unsure_hits
from quickdraw.report.matrix import confusion

_COLUMNS, _SIDE = 6, 28 * 4
_PAIRS = 12


def sheets(seen: Evaluated) -> dict[str, np.ndarray]:
    """Return galleries as contact sheets, uint8 `[height, width, 3]`, by name.

    The most confident mistakes, the least confident hits, and three mistakes of each of the worst
    pairs; a sheet without drawings is left out.
    """
    galleries = (confident_mistakes(seen), unsure_hits(seen))
    listed = {each.kind.lower(): _entries(each) for each in galleries}
    listed["worst pairs"] = [
        (drawing, f"{seen.labels[pair.label]}: {seen.labels[pair.guess]}")
        for pair in confusion(seen).worst_pairs[:_PAIRS]
        for drawing in pair.drawings[:3]
    ]
    seen.fetch([drawing for entries in listed.values() for drawing, _ in entries])
    return {name: _sheet(seen, entries) for name, entries in listed.items() if entries}


def _entries(gallery: Gallery) -> list[tuple[int, str]]:
    return [
        (entry.drawing, f"{entry.name}: {entry.guesses[0][0]} {entry.guesses[0][1]:.0%}")
        for entry in gallery.entries
    ]


def _sheet(seen: Evaluated, entries: list[tuple[int, str]]) -> np.ndarray:
    images = [
        np.asarray(Image.fromarray(shown.image).resize((_SIDE, _SIDE), Image.Resampling.NEAREST))
        for shown in seen.shown([drawing for drawing, _ in entries])
    ]
    return sheet.grid(np.stack(images)[..., None], [name for _, name in entries], _COLUMNS, 1)
