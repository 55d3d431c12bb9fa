"""The features of a `tf.train.Example`, or one line about what is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from quickdraw.formats import ink

_HINTS = {
    "label": ("image_id", "This looks like test data: training and evaluation need labels"),
    "image_id": ("label", "This looks like training data: inference reads test records"),
    "ink": ("image", "Strokes are kept by python -m quickdraw.datasets.prepare --keep_strokes"),
}


def feature(example: Any, name: str) -> Any:
    """A feature of an Example.

    Raises:
        ValueError: there is none of this name.
    """
    features = example.features.feature
    if name in features:
        return features[name]
    has = ", ".join(sorted(features)) or "none"
    other, hint = _HINTS.get(name, ("", ""))
    raise ValueError(
        f"no feature {name!r}. The record has: {has}{f'. {hint}' if other in features else ''}"
    )


def bytes_of(example: Any, name: str) -> bytes:
    """The value of a feature that is one bytes value.

    Raises:
        ValueError: it is something else, or not there.
    """
    values = feature(example, name).bytes_list.value
    if len(values) != 1:
        raise ValueError(f"{name!r} must be one bytes value. Received: {len(values)} of them")
    return values[0]


def int_of(example: Any, name: str) -> int:
    """The value of a feature that is one int64.

    Raises:
        ValueError: it is something else, or not there.
    """
    values = feature(example, name).int64_list.value
    if len(values) != 1:
        raise ValueError(f"{name!r} must be one int64. Received: {len(values)} of them")
    return values[0]


def ink_of(example: Any) -> np.ndarray:
    """The drawing's strokes, float32 `[points, 3]`; see `quickdraw.formats.ink`.

    Raises:
        ValueError: there are none, or they are no ink.
    """
    values = feature(example, "ink").float_list.value
    return ink.from_record(values, feature(example, "shape").int64_list.value)
