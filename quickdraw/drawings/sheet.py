"""Sheets of drawings with their names, as one picture."""

from __future__ import annotations

import functools
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def grid(images: np.ndarray, names: list[str], columns: int = 8, scale: int = 3) -> np.ndarray:
    """Arrange images in rows and columns, dark on light, each with its name below.

    Args:
        images: uint8 `[n, height, width, channels]`.
        names: n names.
        columns: images in a row.
        scale: screen pixels per image pixel.

    Returns:
        uint8 `[height, width, 3]`.
    """
    side, text_height = images.shape[1] * scale, 14
    rows = math.ceil(len(images) / columns)
    sheet = Image.new("RGB", (columns * (side + 4), rows * (side + text_height)), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (image, name) in enumerate(zip(images, names, strict=True)):
        x, y = i % columns * (side + 4), i // columns * (side + text_height)
        tile = Image.fromarray(255 - (image[:, :, 0] if image.shape[2] == 1 else image))
        sheet.paste(tile.resize((side, side), Image.Resampling.NEAREST), (x, y))
        draw.text((x + 2, y + side - 1), fitting(name, side), fill="black", font=font(11))
    return np.asarray(sheet)


def fitting(name: str, width: int, size: int = 11) -> str:
    """Return as much of the name as fits into `width` pixels in a font of this size."""
    if font(size).getlength(name) <= width:
        return name
    return next(
        short
        for end in range(len(name), -1, -1)
        if font(size).getlength(short := f"{name[:end]}…") <= width or not end
    )


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's built-in font, in this size in pixels."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
