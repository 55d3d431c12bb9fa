"""TensorFlow's SavedModel, for TF Serving, Vertex AI endpoints and other TensorFlow programs."""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from quickdraw.export.graph import OUTPUT, Graph, Predicting
from quickdraw.runs import exported
from quickdraw.runs.exported import Description

NAME = "saved_model"


def write(graph: Graph, path: str, description: Description, quantized: bool = False) -> None:
    """Write a folder with the model, its description and labels.txt.

    Args:
        graph: the graph to export.
        path: a local folder.
        description: stored in its export.json.
        quantized: ignored: not supported for SavedModel.
    """
    tf.saved_model.save(graph, path, signatures={"serving_default": graph.predict})
    exported.write(path, description, {})
    with open(os.path.join(path, "labels.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{label}\n" for label in description.labels)


def load(path: str) -> Predicting:
    """Return a function from inputs by name to probabilities, float32 `[batch, num_classes]`."""
    model = tf.saved_model.load(path)
    serve = model.signatures["serving_default"]

    def predict(arrays: dict[str, np.ndarray], kept: tf.Module = model) -> np.ndarray:
        return serve(**{name: tf.constant(array) for name, array in arrays.items()})[OUTPUT].numpy()

    return predict
