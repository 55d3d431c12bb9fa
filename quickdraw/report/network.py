"""The inside of a network: a table of its layers, filters, and feature maps."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from quickdraw.pages import thumbnails
from quickdraw.report.evaluated import Asked, Evaluated, evaluated
from quickdraw.report.figure import Figure

_CLASSES = 10
_CONVOLUTIONS = 6
_CHANNELS = 64
_LARGEST_MAP = 32  # pixels a side


@dataclasses.dataclass
class LayerRow:
    """A layer.

    Attributes:
        name: in Keras.
        kind: its class.
        shape: of its output, without the batch; empty if unknown.
        weights: the number of its parameters.
    """

    name: str
    kind: str
    shape: list[int | None]
    weights: int


@dataclasses.dataclass
class Layers(Figure):
    """The layers of a model, in the order of their calls.

    Attributes:
        rows: the layers.
        total: the number of all parameters.
    """

    macro: ClassVar[str] = "layers"
    rows: list[LayerRow]
    total: int

    @property
    def blocks(self) -> list[tuple[LayerRow, float, float]]:
        """(layer, width, height) of the layers with weights, for the diagram, 0…1 each."""
        rows = [row for row in self.rows if row.weights and row.shape]
        channels = [np.log2(1 + (row.shape[-1] or 1)) for row in rows]
        sides = [np.sqrt(row.shape[0] or 1) if len(row.shape) > 1 else 1.0 for row in rows]
        return [
            (row, float(channel / max(channels)), float(side / max(sides)))
            for row, channel, side in zip(rows, channels, sides, strict=True)
        ]


def layers(trained: Asked | keras.Model, data: str | None = None) -> Layers:
    """Return the layers of a model; of several runs, those of the best.

    Args:
        trained: see `evaluate`; or a Keras model.
        data: see `evaluate`.
    """
    model = trained if isinstance(trained, keras.Model) else evaluated(trained, data).trained.model
    rows = [
        LayerRow(each.name, type(each).__name__, _shape(each), each.count_params())
        for each in _layers_of(model)
    ]
    return Layers(rows, model.count_params())


def _layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of a model and of nested models, without containers."""
    every = model._flatten_layers(include_self=False)
    return [each for each in every if not isinstance(each, keras.Model) and each.built]


def _shape(layer: keras.layers.Layer) -> list[int | None]:
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError):  # never called, or called more than once
        return []
    return list(shape[1:])


@dataclasses.dataclass
class Convolution:
    """A convolution.

    Attributes:
        name: of the layer.
        kernel: the shape of its weights, e.g. `[3, 3, 1, 16]`.
        channels: the number of output channels.
        _filters: a picture of all filters, input channels as rows, output channels as columns.
        _maps: (class, picture of the feature maps) of each shown drawing.
    """

    name: str
    kernel: list[int]
    channels: int
    _filters: str
    _maps: list[tuple[str, str]]


@dataclasses.dataclass
class FeatureMaps(Figure):
    """Filters and feature maps of the convolutions, for one drawing of each of some classes.

    Attributes:
        convolutions: the first six.
        count: the number of convolutions in the model.
        shown: (class, index of the drawing).
    """

    macro: ClassVar[str] = "feature_maps"
    convolutions: list[Convolution]
    count: int
    shown: list[tuple[str, int]]
    _seen: Evaluated

    def shows(self) -> list[int]:
        return [drawing for _, drawing in self.shown]

    def image(self, drawing: int) -> str:
        """Return a drawing as a data: URL."""
        return thumbnails.sheet([self._seen.shown([drawing])[0].image], 1)


def feature_maps(trained: Asked, data: str | None = None) -> FeatureMaps:
    """Return the filters of a model's convolutions, and their feature maps of drawings.

    Layers are hooked while the model runs, so nested models and custom layers are covered, too.

    Args:
        trained: see `evaluate`; of several runs the best is shown.
        data: see `evaluate`.
    """
    seen = evaluated(trained, data)
    model = seen.trained.model
    convolutions = [each for each in _layers_of(model) if _is_convolution(each)]
    chosen = _typical(seen)
    shown = [(seen.labels[seen.truth[drawing]], drawing) for drawing in chosen]
    if not convolutions:
        return FeatureMaps([], 0, [], seen)
    inputs = seen.ensemble.inputs_of(seen.best, seen.inputs(chosen))
    with _watched(convolutions[:_CONVOLUTIONS]) as outputs:
        model(tf.nest.map_structure(tf.constant, inputs), training=False)
    return FeatureMaps(
        [
            _described(each, outputs[each.name], [name for name, _ in shown])
            for each in convolutions[:_CONVOLUTIONS]
            if each.name in outputs
        ],
        len(convolutions),
        shown,
        seen,
    )


def _typical(seen: Evaluated) -> list[int]:
    """Return the most confident hit of each of the first classes."""
    own, found = seen.answers[seen.best].own, []
    for label in range(len(seen.labels)):
        of_class = np.flatnonzero(seen.truth == label)
        if len(of_class):
            found.append(int(of_class[own[of_class].argmax()]))
        if len(found) == _CLASSES:
            break
    return found


def _is_convolution(layer: keras.layers.Layer) -> bool:
    kernel = getattr(layer, "kernel", None)
    return "Conv" in type(layer).__name__ and len(getattr(kernel, "shape", ())) in (3, 4)


@contextlib.contextmanager
def _watched(convolutions: list[keras.layers.Layer]) -> Iterator[dict[str, np.ndarray]]:
    """Yield a dictionary that collects each layer's outputs while the model is called."""
    outputs: dict[str, np.ndarray] = {}

    def watch(layer: keras.layers.Layer) -> Callable[..., Any]:
        call = layer.call

        def watching(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            outputs[layer.name] = np.asarray(keras.ops.convert_to_numpy(result), np.float32)
            return result

        return watching

    before = {each: vars(each).get("call") for each in convolutions}
    try:
        for each in convolutions:
            each.call = watch(each)
        yield outputs
    finally:
        for each, call in before.items():
            if call is None:
                del each.call
            else:
                each.call = call


def _described(layer: keras.layers.Layer, output: np.ndarray, names: list[str]) -> Convolution:
    kernel = np.asarray(keras.ops.convert_to_numpy(layer.kernel), np.float32)
    maps = [(name, _tiled(of_drawing)) for name, of_drawing in zip(names, output, strict=True)]
    return Convolution(
        layer.name, list(kernel.shape), output.shape[-1], _filter_picture(kernel), maps
    )


def _filter_picture(kernel: np.ndarray) -> str:
    """Tile all filters, float32 `[height, width, in, out]` (or `[width, …]`), a pixel apart."""
    if kernel.ndim == 3:
        kernel = kernel[None]
    kernel = kernel[:, :, :_CHANNELS, :_CHANNELS]
    padded = np.pad(kernel, ((0, 1), (0, 1), (0, 0), (0, 0)))
    height, width, inputs, outputs = padded.shape
    picture = padded.transpose(2, 0, 3, 1).reshape(inputs * height, outputs * width)
    return thumbnails.signed(picture[:-1, :-1])


def _tiled(maps: np.ndarray) -> str:
    """Tile the channels of a feature map, float32 `[height, width, channels]` or 1-d."""
    if maps.ndim == 2:  # 1-d, along the strokes: one row a channel
        strongest = np.abs(maps).max() or 1.0
        return thumbnails.signed((maps / strongest).T)
    step = -(-max(maps.shape[:2]) // _LARGEST_MAP)
    channels = np.moveaxis(maps[::step, ::step, :_CHANNELS], 2, 0)
    # Each channel is normalised by itself: the pattern matters, not its scale.
    strongest = np.maximum(channels.max(axis=(1, 2), keepdims=True), 1e-9)
    levels = np.round(255 * np.clip(channels / strongest, 0, 1)).astype(np.uint8)
    return thumbnails.sheet(list(levels), 8 if len(levels) <= 16 else 16)
