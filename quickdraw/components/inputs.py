"""What a model takes of a drawing: its `image`, its `ink`, or both.

Inside the package drawings are a dictionary of arrays by the name of the input. A Keras model of
one input takes that array alone: `unwrapped` stands where Keras is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from quickdraw.components.user_code import explained, mistake
from quickdraw.errors import QuickdrawError
from quickdraw.records import ink

if TYPE_CHECKING:
    import keras

T = TypeVar("T")
Specs = dict[str, tuple[tuple[int, ...], type[np.generic]]]
"""By input: its shape, without the batch, and its dtype."""
Batch = tuple[dict[str, np.ndarray], np.ndarray]
"""Arrays by input, `[batch, …]`, and the labels, or what else is read beside them, `[batch]`."""
ModelInputs = np.ndarray | dict[str, np.ndarray]
"""A batch as a model takes it: the array of its one input, or those of several by name."""

_NAMES = ("image", "ink")
_IMAGES = 3
_ROUNDING = 2  # grey levels by which an image may differ from itself


def specs(inputs: tuple[str, ...], image_size: int, channels: int, max_points: int) -> Specs:
    """Return the shape, without the batch, and the dtype of each input.

    Raises:
        QuickdrawError: an input that is none.
    """
    if isinstance(inputs, str) or not inputs or not set(inputs) <= set(_NAMES):
        raise QuickdrawError(f"inputs must be some of {_NAMES}. Received: {inputs!r}")
    every: Specs = {
        "image": ((image_size, image_size, channels), np.uint8),
        "ink": ((max_points, 3), ink.DTYPE),
    }
    return {name: every[name] for name in inputs}


def unwrapped(arrays: dict[str, T]) -> T | dict[str, T]:
    """Return what a Keras model takes: the array where there is only one, else the dictionary.

    Args:
        arrays: by input, arrays or tensors: `image`, uint8 `[batch, size, size, channels]`; `ink`,
            int16 `[batch, max_points, 3]`.
    """
    return arrays if len(arrays) > 1 else next(iter(arrays.values()))


def part(
    arrays: dict[str, np.ndarray], inputs: tuple[str, ...], max_points: int
) -> dict[str, np.ndarray]:
    """Take what one model needs of arrays that were made for several.

    Args:
        arrays: by input: `image`, uint8 `[batch, size, size, channels]`; `ink`, int16 `[batch,
            most_points, 3]`.
        inputs: the names of the model's inputs.
        max_points: how many points the model takes, at most as many as there are.

    Returns:
        The model's inputs by name; `ink` is cut to int16 `[batch, max_points, 3]`.
    """
    cut = {**arrays, "ink": arrays["ink"][:, :max_points]} if "ink" in inputs else arrays
    return {name: cut[name] for name in inputs}


def mirrored(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Mirror drawings left to right.

    Args:
        arrays: by input: `image`, uint8 `[batch, size, size, channels]`; `ink`, int16 `[batch,
            max_points, 3]`.

    Returns:
        The same names, shapes and dtypes.
    """
    mirror: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "image": lambda images: images[:, :, ::-1],
        "ink": ink.mirrored,
    }
    return {name: mirror[name](array) for name, array in arrays.items()}


def preprocessed(
    preprocess: Callable[[np.ndarray], np.ndarray], images: np.ndarray, image_size: int | None
) -> np.ndarray:
    """Return what a reader's `preprocess`, which students edit, makes of images: checked.

    Args:
        preprocess: the reader's method.
        images: uint8 `[batch, height, width, channels]`.
        image_size: the side that is expected; None for that of the images.

    Returns:
        uint8 `[batch, image_size, image_size, channels]`.

    Raises:
        QuickdrawError: it fails, or returns something else.
    """
    with explained(preprocess):
        changed = np.asarray(preprocess(images))
    side = image_size or images.shape[1]
    expected = (len(images), side, side, images.shape[3])
    if changed.dtype != np.uint8 or changed.shape != expected:
        raise mistake(
            preprocess,
            f"must return uint8 images of shape {expected}. "
            f"Received: {changed.dtype} of shape {changed.shape}",
        )
    return np.ascontiguousarray(changed)


def noise_for(network: keras.Model, count: int) -> dict[str, np.ndarray]:
    """Return random drawings for a network, the same each time: by input, `[count, ...]`."""
    random = np.random.default_rng(0)
    return {
        each.name: random.integers(0, 256, (count, *each.shape[1:])).astype(each.dtype)
        for each in network.inputs
    }


def check_preprocess(
    preprocess: Callable[[np.ndarray], np.ndarray],
    shape: tuple[int, int, int],
    image_size: int | None,
) -> None:
    """Check that a reader's `preprocess` makes the same of an image, whatever is beside it.

    Args:
        preprocess: the reader's method.
        shape: height, width and channels of the images.
        image_size: see `preprocessed`.

    Raises:
        QuickdrawError: it does not, or it fails.
    """
    images = np.random.default_rng(0).integers(0, 256, (_IMAGES, *shape), np.uint8)
    together, alone = (
        preprocessed(preprocess, some.copy(), image_size)[0].astype(int)
        for some in (images, images[:1])
    )
    if np.abs(together - alone).max() > _ROUNDING:
        raise mistake(
            preprocess,
            "makes something else of the same image the next time, or beside other images: it must "
            "go by the image alone. Random changes are --augment's",
        )
