"""The exported graph, from drawings to calibrated probabilities, and its description."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from quickdraw.components.inputs import part, specs, unwrapped
from quickdraw.runs import factory
from quickdraw.runs.ensemble import Ensemble
from quickdraw.runs.exported import Description, Port
from quickdraw.runs.rendering_of import rendering_of
from quickdraw.runs.trained import TrainedModel

OUTPUT = "probabilities"
_AXES = {"image": ("height", "width", "channel"), "ink": ("point", "dx_dy_end")}
_MIRROR = [-1.0, 1.0, 1.0]
Predicting = Callable[[dict[str, np.ndarray]], np.ndarray]
"""From inputs by name to probabilities, float32 `[batch, num_classes]`."""


class Graph(tf.Module):
    """One or several models as one TensorFlow function.

    Args:
        ensemble: the models.

    Attributes:
        ensemble: see above; exports are compared with it.
        specs: by input, its shape without the batch axis, and its dtype.
        predict: uint8 `image` `[batch, size, size, channels]` and int16 `ink` `[batch, max_points,
            3]`, as the models need, to `{"probabilities": float32 [batch, num_classes]}`.
    """

    def __init__(self, ensemble: Ensemble):
        super().__init__(name="quickdraw")
        self.ensemble = ensemble
        run = ensemble.run
        self.specs = specs(ensemble.inputs, run.image_size, run.channels, ensemble.max_points)
        # A SavedModel tracks this list of variables; Keras' models would add their layers.
        self.kept = [each.value for model in ensemble.models for each in model.model.variables]
        self.predict = tf.function(
            self._predict, input_signature=self.signature(None), autograph=False
        )

    def signature(self, batch: int | None) -> list[tf.TensorSpec]:
        """Return the signature of `predict`, for batches of a fixed size, or of any for None."""
        return [
            tf.TensorSpec((batch, *shape), dtype, name=name)
            for name, (shape, dtype) in self.specs.items()
        ]

    def concrete(self, batch: int | None) -> tf.types.experimental.ConcreteFunction:
        """Return the concrete function of `predict` for batches of that size."""
        made = tf.function(self._predict, input_signature=self.signature(batch), autograph=False)
        return made.get_concrete_function()

    def _predict(self, *tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        arrays = dict(zip(self.specs, tensors, strict=True))
        total = self._mean(arrays)
        if self.ensemble.flip:
            total = (total + self._mean({name: _mirrored(x) for name, x in arrays.items()})) / 2
        return {OUTPUT: total}

    def _mean(self, arrays: dict[str, tf.Tensor]) -> tf.Tensor:
        of, total = self.ensemble, 0.0
        for weight, trained, takes, places in zip(
            of.weights, of.models, of.takes, of.places, strict=True
        ):
            seen = unwrapped(part(arrays, takes.inputs, takes.max_points))
            logits = tf.cast(trained.model(seen, training=False), tf.float32)
            own = tf.nn.softmax(logits / trained.temperature)
            if not isinstance(places, slice):
                own = tf.gather(own, tf.constant(places, tf.int32), axis=1)
            total += own if len(of.models) == 1 else float(weight) * own
        return total


def _mirrored(tensor: tf.Tensor) -> tf.Tensor:
    """Mirror images or ink left to right, in operations that every runtime supports."""
    if tensor.dtype == tf.uint8:
        return tf.reverse(tensor, axis=[2])
    return tf.cast(tf.cast(tensor, tf.float32) * tf.constant(_MIRROR), tensor.dtype)


def in_float32(trained: TrainedModel) -> TrainedModel:
    """Return a model that computes in float32: itself, or a copy with the same weights."""
    run = trained.run
    if run.settings.get("precision", "float32") == "float32":
        return trained
    settings = {**run.settings, "precision": "float32"}
    model = factory.build_model(dataclasses.replace(run, settings=settings), to_predict=True)
    model.set_weights(trained.model.get_weights())
    return TrainedModel(model, run, trained.step, trained.temperature)


def describe(graph: Graph, train_dirs: Sequence[str]) -> Description:
    """Return the description of an export.

    Args:
        graph: the exported graph.
        train_dirs: the folders of its runs.
    """
    of = graph.ensemble
    inputs: dict[str, Port] = {
        name: {
            "shape": [None, *shape],
            "axes": ["batch", *_AXES[name]],
            "dtype": tf.as_dtype(dtype).name,
        }
        for name, (shape, dtype) in graph.specs.items()
    }
    output: Port = {"shape": [None, len(of.labels)], "axes": ["batch", "class"], "dtype": "float32"}
    return Description(
        labels=list(of.labels),
        named=of.named,
        inputs=inputs,
        outputs={OUTPUT: output},
        image_size=of.run.image_size,
        channels=of.run.channels,
        max_points=of.max_points if "ink" in of.inputs else 0,
        rendering=rendering_of(of.run),
        runs=[
            {
                "name": os.path.basename(os.path.normpath(folder)),
                "train_dir": folder,
                "model": model.run.model,
                "step": model.step,
                "temperature": model.temperature,
                "weight": float(weight),
            }
            for folder, model, weight in zip(train_dirs, of.models, of.weights, strict=True)
        ],
        tta=of.flip,
        versions=dict(of.run.versions),
    )
