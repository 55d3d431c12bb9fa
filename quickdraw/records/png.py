"""PNG images of one size, decoded in batches straight into one uint8 array.

A 28 x 28 doodle is some 300 bytes: what costs is calling a decoder once an image. So the chunks are
walked and inflated one by one, and the row filters undone for the whole batch at once in NumPy.
Source: PNG specification, third edition (W3C), sections 5 (datastream), 9 (filtering).
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Callable

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.Struct(">IIBBBBB")
_START = _SIGNATURE + struct.pack(">I", 13) + b"IHDR"
_COLOURS = {0: "greyscale", 2: "RGB", 3: "palette", 4: "greyscale with alpha", 6: "RGBA"}
_COLOUR_OF_CHANNELS = {1: 0, 3: 2}
_FILTERS = bytes(range(5))  # types of row filters


class PngError(ValueError):
    """Bytes that are not a PNG of the kind asked for; the message says what they are."""


def encode(image: np.ndarray) -> bytes:
    """Encode a uint8 image `[height, width]`, `[…, 1]` or `[…, 3]`; same image, same bytes.

    Rows are stored unfiltered: on line drawings that is smallest and quickest to read back.
    """
    height, width = image.shape[:2]
    colour = 2 if image.shape[2:] == (3,) else 0
    rows = np.zeros((height, 1 + image.size // height), np.uint8)
    rows[:, 1:] = image.reshape(height, -1)
    # Runs are all there is to find in a line drawing: as small as the full search, in 2/3 the time.
    # And memLevel 8 has malloc fetch a quarter of a megabyte from the system for every picture.
    packer = zlib.compressobj(memLevel=4, strategy=zlib.Z_RLE)
    return b"".join(
        (
            _start(height, width, colour),
            _chunk(b"IDAT", packer.compress(rows.data) + packer.flush()),
            _IEND,
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_IEND = _chunk(b"IEND", b"")


@functools.lru_cache
def _start(height: int, width: int, colour: int) -> bytes:
    """Return what comes before the pixels: the same for all images of a size."""
    return _SIGNATURE + _chunk(b"IHDR", _IHDR.pack(width, height, 8, colour, 0, 0, 0))


@functools.lru_cache
def _header(height: int, width: int, channels: int) -> bytes:
    """Return the first bytes of a PNG of this shape, up to the checksum of its header."""
    return _start(height, width, _COLOUR_OF_CHANNELS[channels])[:29]


def size(data: bytes) -> tuple[int, int, int]:
    """Return (height, width, channels) of an 8-bit greyscale or RGB PNG, from its header alone.

    Raises:
        PngError: not a PNG, or of another colour type or bit depth.
    """
    if data[:16] != _START or len(data) < 33:
        raise PngError(f"not a PNG image. Received: {len(data)} bytes starting with {data[:8]!r}")
    width, height, depth, colour, compression, filters, interlace = _IHDR.unpack_from(data, 16)
    if not width or not height or compression or filters:
        raise PngError(
            f"damaged PNG: {height}x{width}, compression {compression}, filter {filters}"
        )
    if depth != 8 or colour not in (0, 2) or interlace:
        kind = f"{depth}-bit {_COLOURS.get(colour, 'unknown')}{' interlaced' * bool(interlace)}"
        raise PngError(
            f"the PNG must be 8-bit greyscale (or RGB), not interlaced. Received: {kind}"
        )
    return height, width, 3 if colour else 1


def inflate(data: bytes, height: int, width: int, channels: int) -> bytes:
    """Return the filtered rows of a PNG of exactly this shape.

    These are `height * (1 + width * channels)` bytes.

    Checks before it inflates, and never inflates more than the shape allows.

    Raises:
        PngError: not a PNG, another shape or colour type, or damaged.
    """
    # The header of a batch is always the same bytes: one comparison instead of unpacking.
    if not data.startswith(_header(height, width, channels)):
        received = size(data)
        raise PngError(
            f"expected a PNG of {_shape(height, width, channels)}. Received: {_shape(*received)}"
        )
    wanted = height * (1 + width * channels)
    try:
        stop = 41 + int.from_bytes(data[33:37], "big")
        is_all = data[37:41] == b"IDAT" and data[stop + 8 : stop + 12] == b"IEND"
        packed = data[41:stop] if is_all else _packed(data)
        rows = zlib.decompressobj().decompress(packed, wanted + 1)
    except zlib.error as error:
        raise PngError(f"damaged PNG ({error})") from None
    if len(rows) != wanted:
        raise PngError(f"damaged PNG: {wanted} bytes of pixels expected. Received: {len(rows)}")
    if rows[:: 1 + width * channels].lstrip(_FILTERS):
        raise PngError("damaged PNG: a row has a filter type that does not exist")
    return rows


def _packed(data: bytes) -> bytes:
    """Return the contents of all chunks of pixels, one after the other."""
    position, parts = 33, []
    while True:
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        if kind == b"IDAT":
            parts.append(data[position + 8 : position + 8 + length])
        elif kind == b"IEND" or not kind:
            return b"".join(parts)
        position += 12 + length


def _shape(height: int, width: int, channels: int) -> str:
    return f"{height}x{width} {'RGB' if channels == 3 else 'greyscale'}"


def unfilter(rows: np.ndarray, channels: int) -> np.ndarray:
    """Undo the row filters of many images at once (section 9.2).

    Args:
        rows: uint8 `[n, height, 1 + width * channels]`, the filter type (0…4) first in each row.
        channels: bytes a pixel.

    Returns:
        uint8 `[n, height, width * channels]`.
    """
    types, images = rows[:, :, 0], rows[:, :, 1:].copy("C")
    if not types.any():
        return images
    zeros = np.zeros_like(images[:, 0])
    for y in range(images.shape[1]):
        above = images[:, y - 1] if y else zeros
        for kind in np.unique(types[:, y]):
            chosen = types[:, y] == kind
            if kind:
                images[chosen, y] = _UNFILTER[kind](images[chosen, y], above[chosen], channels)
    return images


def _sub(row: np.ndarray, above: np.ndarray, channels: int) -> np.ndarray:
    by_pixel = row.reshape(len(row), -1, channels)
    return np.cumsum(by_pixel, axis=1, dtype=np.uint8).reshape(row.shape)


def _up(row: np.ndarray, above: np.ndarray, channels: int) -> np.ndarray:
    return row + above


def _average(row: np.ndarray, above: np.ndarray, channels: int) -> np.ndarray:
    return _by_column(row, above, channels, lambda left, up, _: (left + up) >> 1)


def _paeth(row: np.ndarray, above: np.ndarray, channels: int) -> np.ndarray:
    return _by_column(row, above, channels, _paeth_predictor)


def _by_column(
    row: np.ndarray,
    above: np.ndarray,
    channels: int,
    predict: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Undo a filter that predicts from the pixel to the left, column by column.

    Each step handles the whole batch: uint8 `[n, width * channels]` to the same.
    """
    steps = row.T.astype(np.int16)
    above_steps = above.T.astype(np.int16)
    zeros = np.zeros(steps.shape[1], np.int16)
    for x in range(len(steps)):
        left = steps[x - channels] if x >= channels else zeros
        corner = above_steps[x - channels] if x >= channels else zeros
        steps[x] = (steps[x] + predict(left, above_steps[x], corner)) & 255
    return steps.T.astype(np.uint8)


def _paeth_predictor(left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    to_left, to_up = np.abs(up - corner), np.abs(left - corner)
    to_corner = np.abs(left + up - 2 * corner)
    nearest = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, nearest)


_UNFILTER = {1: _sub, 2: _up, 3: _average, 4: _paeth}
