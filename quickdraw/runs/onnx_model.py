"""An exported model on onnxruntime: for single drawings, without TensorFlow."""

from __future__ import annotations

import numpy as np

from quickdraw.components.inputs import ModelInputs
from quickdraw.drawings.rendering import Rendering
from quickdraw.runs.onnx_session import OnnxSession
from quickdraw.runs.recognition import Recognises, Takes


class OnnxModel(Recognises):
    """Recognises drawings with an export of `python -m quickdraw.export --format=onnx`.

    One drawing of CnnModel takes 0.2 ms, less than half of what `quickdraw.runs.load` takes, and
    TensorFlow is not imported.

    Args:
        folder: of the export, with model.onnx and export.json.

    Raises:
        QuickdrawError: not an export, onnxruntime cannot load it, or is not installed.
    """

    def __init__(self, folder: str):
        self._session = OnnxSession(folder, "export")
        of = self._session.description
        takes = Takes(tuple(of.inputs), of.image_size, of.channels, of.max_points)
        super().__init__(of.labels, takes)

    def probabilities(self, images: ModelInputs) -> np.ndarray:
        arrays = images if isinstance(images, dict) else {self.takes.inputs[0]: images}
        return self._session.probabilities(arrays)

    @property
    def rendering(self) -> Rendering:
        return self._session.description.rendering
