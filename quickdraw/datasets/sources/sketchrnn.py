"""Sketch-RNN's .npz files: arrays train, valid and test of strokes.

Source: github.com/magenta/magenta, models/sketch_rnn: a drawing is int16 `[points, 3]`, the step to
each point and whether the pen is lifted after it.

An array of Python objects is a pickle, which could run anything: `_Arrays` makes arrays of numbers
of it and nothing else.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable

import numpy as np

from quickdraw.datasets.sources import npz
from quickdraw.datasets.sources.base import line_number
from quickdraw.datasets.sources.bitmaps import scratch_path
from quickdraw.datasets.sources.lines import Lines
from quickdraw.datasets.sources.official import SPLITS
from quickdraw.drawings import Strokes
from quickdraw.errors import QuickdrawError


class Sketches(Lines):
    """The drawings of one split, unpacked to lines.

    Args:
        path: the lines.
        category: the class.
        name: the file and its array as the user knows them.
        split: `train`, `valid` or `test`.
    """

    def __init__(self, path: str, category: str, name: str, split: str):
        super().__init__(path, category, raw=False)
        self.name, self.split = name, split

    def place(self, position: int) -> str:
        return f"{self.name}, drawing {line_number(self.path, position) - 1:,}"


def holds_strokes(path: str) -> bool:
    """Return whether a .npz file is one of Sketch-RNN.

    Raises:
        QuickdrawError: it is damaged.
    """
    held = npz.arrays(path)
    return bool(held) and all(
        name in SPLITS and dtype.hasobject for name, (_, dtype) in held.items()
    )


def sketches(path: str, category: str, scratch: str) -> list[Sketches]:
    """Unpack the drawings of each split.

    Raises:
        QuickdrawError: an array that holds something else than arrays of numbers.
    """
    files = []
    for array in npz.arrays(path):
        name = f"{path}, {array}"
        with npz.opened(path, array, npz.LARGEST_LOADED) as member:
            npz.read_header(member)
            drawings = _Arrays(member, encoding="latin1").load()
        if not isinstance(drawings, np.ndarray) or drawings.ndim < 1:
            raise QuickdrawError(f"{name}: drawings expected. Received: {type(drawings).__name__}")
        lines = scratch_path(scratch, name, "ndjson")
        with open(lines, "w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps({'drawing': strokes_of(each)})}\n" for each in drawings)
        files.append(Sketches(lines, category, name, SPLITS[array]))
    return files


def strokes_of(steps: np.ndarray) -> Strokes | str:
    """Return the strokes of Sketch-RNN's steps in 0...255; in words what they are if not steps.

    Args:
        steps: numbers `[points, 3]`: the step to a point, and whether the pen is lifted after it.
    """
    steps = np.asarray(steps)
    if steps.ndim != 2 or steps.shape[1] != 3 or steps.dtype.kind not in "iuf":
        return f"{steps.dtype} {list(steps.shape)}"
    points = np.cumsum(steps[:, :2].astype(float), axis=0)
    if not len(points) or not np.isfinite(points).all():
        return f"{len(points)} points"
    points -= points.min(axis=0)
    points = np.rint(points * (255 / max(points.max(), 255))).astype(int)
    ends = np.flatnonzero(steps[:-1, 2] > 0.5) + 1
    return [part.T.tolist() for part in np.split(points, ends)]


class _Arrays(pickle.Unpickler):
    """Unpickles arrays, which it makes empty and lets their own state fill, and nothing else."""

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _empty
        known: dict[tuple[str, str], Callable[..., object]] = {
            ("numpy", "ndarray"): _empty,
            ("numpy", "dtype"): np.dtype,
            ("_codecs", "encode"): _encoded,  # bytes, as Python 3 pickles them for Python 2
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return known[module, name]


def _empty(*_: object) -> np.ndarray:
    return np.ndarray((0,), "b")


def _encoded(text: str, _: str) -> bytes:
    return text.encode("latin1")
