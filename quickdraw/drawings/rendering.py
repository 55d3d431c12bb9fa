"""How strokes become the picture that a model was trained on: Quick, Draw!'s way, or MNIST's."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from quickdraw.drawings import Strokes
from quickdraw.drawings.rasterise import SIDE, rasterise, units_across
from quickdraw.drawings.redraw import is_drawn_so, redraw

Style = Literal["quickdraw", "mnist", "other"]

MNIST_BOX = 20 / 28
"""Of the side: the longer side of a digit's ink."""
MNIST_PEN = 2.9 / 28
"""Of the side: the diameter of the pen. A 1, 20 pixels high, has as much ink then as MNIST's."""
_SAMPLES = 10  # a pixel's side


@dataclasses.dataclass(frozen=True)
class Rendering:
    """How strokes are drawn for a model.

    Attributes:
        style: "quickdraw", as `rasterise` does; "mnist", ink scaled to a box of 20 of 28 pixels and
            moved until its centre of mass is in the middle (LeCun et al. 1998, and
            yann.lecun.com/exdb/mnist); "other" where the training pictures were drawn in a style of
            their own, for which Quick, Draw!'s stands in.
        line_width: diameter of the round pen, in units of a drawing of 255 (not "mnist").
        padding: margin about a drawing, in the same units (not "mnist").
    """

    style: Style = "quickdraw"
    line_width: float = 16.0
    padding: float = 16.0

    def image(self, strokes: Strokes, image_size: int, channels: int = 1) -> np.ndarray:
        """Draw strokes, `[[x0, x1, ...], [y0, y1, ...]]` of 0...255.

        Returns:
            uint8 `[image_size, image_size, channels]`, 255 on 0.

        Raises:
            QuickdrawError: see `rasterise`.
        """
        if self.style == "mnist":
            image = _as_mnist(strokes, image_size)
            return np.repeat(image[:, :, None], channels, axis=2)
        image = rasterise(strokes, image_size, self.line_width, self.padding, channels)
        return image.reshape(image_size, image_size, channels)

    def redrawn(self, pixels: np.ndarray, image_size: int) -> np.ndarray:
        """Draw a picture's lines as strokes are drawn; one of the very size is taken as it is.

        Args:
            pixels: uint8 `[side, side]`, strokes light on dark.
            image_size: pixels a side of what is returned.

        Returns:
            uint8 `[image_size, image_size]`, 255 on 0.
        """
        if pixels.shape == (image_size, image_size):
            return pixels
        drawn = redraw(pixels, image_size, *self._reach_and_pen(image_size))
        return _on_centre_of_mass(drawn) if self.style == "mnist" else drawn

    def legible(self, pixels: np.ndarray, image_size: int) -> np.ndarray:
        """Redraw a picture unless it has the pen and the place that strokes are drawn with.

        Real drawings with a marker on white paper, not in the middle of the page, are recognised by
        `CnnModel` in 74 % as they are and in 94 % redrawn (docs/en/results.md). Pictures in a style
        of their own ("other") are what the model knows, whatever they look like.

        Args:
            pixels: uint8 `[side, side]`, strokes light on dark.
            image_size: pixels a side of what the model takes.

        Returns:
            uint8 `[image_size, image_size]`, or `pixels`.
        """
        if self.style == "other" or max(pixels.shape) <= image_size:
            return pixels
        if is_drawn_so(pixels, image_size, *self._reach_and_pen(image_size)):
            return pixels
        return self.redrawn(pixels, image_size)

    def _reach_and_pen(self, image_size: int) -> tuple[float, float]:
        """Return how far the middle of lines reaches, and the pen's diameter, in pixels."""
        if self.style == "mnist":
            pen = MNIST_PEN * image_size
            return MNIST_BOX * image_size - pen, pen
        unit = image_size / units_across(self.line_width, self.padding)
        return (SIDE - 1) * unit, self.line_width * unit


def _as_mnist(strokes: Strokes, size: int) -> np.ndarray:
    """Return uint8 `[size, size]`."""
    points = [np.array(stroke[:2], float).T for stroke in strokes if len(stroke[0])]
    every = np.concatenate(points)
    low, span = every.min(axis=0), np.ptp(every, axis=0)
    pen = MNIST_PEN * size
    scale = (MNIST_BOX * size - pen) / max(span.max(), 1.0)
    width, side = round(pen * _SAMPLES) | 1, size * _SAMPLES
    canvas = Image.new("L", (side, side))
    brush = ImageDraw.Draw(canvas)
    for stroke in points:
        at = ((stroke - low - span / 2) * scale + size / 2) * _SAMPLES
        dots = [tuple(each) for each in at.astype(int).tolist()]
        brush.line(dots, fill=255, width=width)
        for x, y in dots:
            radius = width // 2
            brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return _on_centre_of_mass(np.array(canvas.reduce(_SAMPLES)))


def _on_centre_of_mass(image: np.ndarray) -> np.ndarray:
    """Return uint8 `[size, size]`, moved by whole pixels."""
    size = len(image)
    mass = image.sum(dtype=float)
    if not mass:
        return image
    grid = np.arange(size) + 0.5
    shift = [
        int(np.floor(size / 2 - (image.sum(axis=axis, dtype=float) @ grid) / mass + 0.5))
        for axis in (1, 0)
    ]
    return np.roll(image, shift, axis=(0, 1))
