"""A doodle as strokes: checked, simplified, rasterised; no TensorFlow."""

from collections.abc import Sequence

Strokes = Sequence[Sequence[Sequence[float]]]
"""`[[x0, x1, ...], [y0, y1, ...]]` of each stroke, perhaps with a third list of milliseconds."""
