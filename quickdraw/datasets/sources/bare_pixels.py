"""Pixels that stand in a record without a picture around them: bytes, numbers, or a tensor."""

from __future__ import annotations

import collections
import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from PIL import Image

from quickdraw.datasets.sources.labelling import Feature, Values
from quickdraw.drawings import greyscale
from quickdraw.drawings.drawing import SkippedDrawing

_USUAL = 28  # pixels a side of MNIST and its kin, whose bare pixels come without their size
_SIZES = (("height", "width"), ("rows", "cols"))
_DEPTHS = ("depth", "channels")
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_ITEM_SIZES = (1, 3, 4, 8)  # bytes a pixel: grey, RGB, RGBA or float32, float64
# tensorflow/core/framework: types.proto, tensor.proto (dtype, shape, content), tensor_shape.proto
_UINT8 = 4
_DTYPE, _SHAPE, _CONTENT = 1, 2, 4
_DIMENSION, _LENGTH = 2, 1


def grey_of(image: Feature, features: Values) -> greyscale.Grey:
    """Return the picture in a feature: a file, or bare pixels.

    Args:
        image: the feature's values.
        features: all of the record, among which may be the picture's height and width.

    Raises:
        SkippedDrawing: it is none, or none that can be read.
    """
    if len(image) > 1 and all(isinstance(pixel, int) and 0 <= pixel <= 255 for pixel in image):
        data = bytes(image)
    elif len(image) == 1 and isinstance(image[0], bytes):
        data = image[0]
    else:
        data = _bytes_of(image)
    try:
        return greyscale.decode(data)
    except greyscale.UnknownKindError:
        picture = picture_of(data, features)
        if picture is None:
            raise
        return greyscale.grey(picture)


def _bytes_of(image: Feature) -> bytes:
    """Return bare pixels that are stored as floats, of 0 to 1 or whole ones of 0 to 255.

    Raises:
        SkippedDrawing: they are none.
    """
    pixels = np.array(image)
    if len(image) > 1 and pixels.dtype.kind == "f" and pixels.min() >= 0:
        if pixels.max() <= 1:
            return np.rint(255 * pixels).astype(np.uint8).tobytes()
        if pixels.max() <= 255 and (pixels % 1 == 0).all():
            return pixels.astype(np.uint8).tobytes()
    raise SkippedDrawing("an image that is not one PNG or JPEG", f"{len(image)} values")


def picture_of(data: bytes, features: Mapping[str, Sequence[object]]) -> Image.Image | None:
    """Return the picture that bare pixels are; None for bytes that are none.

    Args:
        data: one byte a channel of each pixel, row by row; or a uint8 tensor as TensorFlow
            serialises it.
        features: of the same record: `height`, `width` and `depth`, where they are known. Without
            them 784 bytes are 28 x 28 pixels.

    Raises:
        SkippedDrawing: pixels of a size or of a type that cannot be told.
    """
    shape, pixels = _tensor(data)
    if not shape:
        shape, pixels = _told_shape(features) or [_USUAL, _USUAL], data
    height, width, depth = [*shape, 1][:3]
    if len(shape) in (2, 3) and depth in _MODES and height * width * depth == len(pixels) > 0:
        return Image.frombytes(_MODES[depth], (width, height), pixels)
    if any(_is_square(len(pixels) / size) for size in _ITEM_SIZES):
        raise SkippedDrawing(f"bare pixels ({len(pixels):,} bytes), PNG or JPEG expected")
    return None


def _told_shape(features: Mapping[str, Sequence[object]]) -> list[int]:
    """Return height, width and depth where other features of the record say them."""
    numbers = {name.rpartition("/")[2]: value[0] for name, value in features.items() if value}
    depth = next((numbers[name] for name in _DEPTHS if isinstance(numbers.get(name), int)), 1)
    for size in _SIZES:
        shape = [numbers.get(name) for name in size]
        if all(isinstance(length, int) and length > 0 for length in shape):
            return [*shape, depth]  # type: ignore[list-item]
    return []


def _tensor(data: bytes) -> tuple[list[int], bytes]:
    """Return the shape, without ones, and the content of a uint8 tensor; no shape if it is none.

    Raises:
        SkippedDrawing: a tensor of another type.
    """
    fields = _fields(data)
    if not all(fields[number] for number in (_DTYPE, _SHAPE, _CONTENT)):
        return [], b""
    dimensions = _fields(fields[_SHAPE][0])[_DIMENSION]
    lengths = [length for each in dimensions for length in _fields(each)[_LENGTH]]
    if not lengths or not all(isinstance(length, int) for length in lengths):
        return [], b""
    if fields[_DTYPE] != [_UINT8]:
        raise SkippedDrawing("a serialised tensor that is not uint8", f"type {fields[_DTYPE]}")
    shape = [length for length in lengths if length != 1]
    return ([1, *shape] if len(shape) == 1 else shape), fields[_CONTENT][0]


def _fields(data: object) -> dict[int, list[Any]]:
    """Return the fields of a message of any kind, by their numbers."""
    fields = collections.defaultdict(list)
    if isinstance(data, bytes):
        with contextlib.suppress(DecodeError):
            found: Any = UnknownFieldSet(Empty.FromString(data))  # whose stubs lack __iter__
            for field in found:
                fields[field.field_number].append(field.data)
    return fields


def _is_square(count: float) -> bool:
    return count >= 1 and count == int(count) and math.isqrt(int(count)) ** 2 == count
