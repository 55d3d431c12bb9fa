"""Images that somebody saved in other numbers than uint8: floats, int64, truth values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quickdraw.console import log
from quickdraw.datasets.sources import bitmaps
from quickdraw.errors import QuickdrawError

_VALUES = 1 << 22  # at once


def as_bytes(path: str, name: str, scratch: str) -> str:
    """Return a .npy file of the same images in uint8, one after the other; mostly it is that.

    Whole numbers of 0...255 stay what they are, and fractions of 0...1 become 0...255.

    Args:
        path: the file, unpacked.
        name: the file as the user knows it.
        scratch: folder for a copy.

    Raises:
        QuickdrawError: no file of images, or one whose numbers may mean anything.
    """
    try:
        layout = bitmaps.layout(path)
    except QuickdrawError as error:
        raise QuickdrawError(str(error).replace(path, name)) from None
    if layout.rows == layout.side and np.load(path, mmap_mode="r").ndim > 2:
        log(
            f"warning: {name}: as many images as an image has rows, {layout.rows}: read as "
            "image, row, column. Where images are last, np.moveaxis(images, -1, 0) puts them first"
        )
    if layout.dtype == np.uint8 and not layout.fortran_order:
        return path
    scale = _scale(path, name)
    copy = bitmaps.scratch_path(scratch, f"{name} in uint8", "npy")
    shape = (layout.rows, layout.side, layout.side)
    with open(copy, "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for part in _parts(path):
            file.write(np.rint(part * scale).astype(np.uint8).tobytes())
    return copy


def _scale(path: str, name: str) -> float:
    """Return what the numbers of a file are to be multiplied by."""
    low, high, is_whole = np.inf, -np.inf, True
    for part in _parts(path):
        low, high = np.minimum(low, part.min()), np.maximum(high, part.max())
        is_whole = is_whole and np.array_equal(part, np.rint(part))
    if low >= 0 and high <= (255 if is_whole else 1):
        return 1 if high > 1 else 255
    raise QuickdrawError(
        f"{name}: pixels as whole numbers of 0 to 255, or as fractions of 0 to 1, expected. "
        f"Received: {'' if is_whole else 'fractions of '}{low:g} to {high:g}"
    )


def _parts(path: str) -> Iterator[np.ndarray]:
    """Yield the images of a file, float64 `[some, …]`."""
    images = np.load(path, mmap_mode="r")
    at_once = max(_VALUES // (images.size // len(images)), 1)
    for start in range(0, len(images), at_once):
        yield images[start : start + at_once].astype(np.float64)
