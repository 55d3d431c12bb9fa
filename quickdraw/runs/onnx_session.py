"""An exported ONNX file in onnxruntime, with its description; no TensorFlow."""

from __future__ import annotations

import os

import numpy as np

from quickdraw.errors import QuickdrawError
from quickdraw.extras import needs
from quickdraw.runs import exported

_OUTPUT = "probabilities"


class OnnxSession:
    """A loaded export of `python -m quickdraw.export --format=onnx`, on one thread.

    Args:
        folder: of the export, with model.onnx and export.json.
        extra: of this package that installs onnxruntime, for the error.

    Attributes:
        description: of export.json.

    Raises:
        QuickdrawError: not an export, onnxruntime cannot load it, or is not installed.
    """

    def __init__(self, folder: str, extra: str):
        with needs(extra):
            import onnxruntime
        self.description, files = exported.read(folder)
        path = os.path.join(folder, files["onnx"]["path"] if "onnx" in files else "model.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises a different class for each kind of damage
            line = " ".join(str(error).split())[:300]
            raise QuickdrawError(f"{path}: onnxruntime does not take it: {line}") from None

    def probabilities(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Return probabilities, float32 `[batch, num_classes]`, of a batch of inputs by name."""
        (found,) = self._session.run([_OUTPUT], arrays)
        return found
