"""A model that the server runs: an ONNX file and its description."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from quickdraw import storage
from quickdraw.drawings import occlusion
from quickdraw.errors import QuickdrawError
from quickdraw.records import ink
from quickdraw.runs import exported

_OUTPUT = "probabilities"


class Recogniser:
    """Recognises drawings with one exported model.

    Args:
        folder: of the export, with model.onnx and export.json.
        name: what it is called; the name of its run where None.

    Attributes:
        description: what export.json says.
        name: what it is called.
        gallery: for each label a few drawings, PNG in base64.

    Raises:
        QuickdrawError: no export, or onnxruntime does not take it.
    """

    def __init__(self, folder: str, name: str | None = None):
        try:
            import onnxruntime
        except ImportError:
            raise QuickdrawError(
                "onnxruntime is not installed, which this needs: pip install 'quickdraw[serve]', "
                "or pip install -e '.[serve]' in a clone"
            ) from None
        self.description, files = exported.read(folder)
        self.name = name or self.description.name
        pictures = os.path.join(folder, exported.GALLERY)
        self.gallery = storage.read_json(pictures) if storage.exists(pictures) else {}
        path = os.path.join(folder, files.get("onnx", {}).get("path", "model.onnx"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has a class for each kind of damage
            line = " ".join(str(error).split())[:300]
            raise QuickdrawError(f"{path}: onnxruntime does not take it: {line}") from None

    @property
    def way(self) -> tuple[Any, ...]:
        """What decides the arrays that a drawing becomes; models alike in it share them."""
        of = self.description
        return (tuple(of.inputs), of.image_size, of.channels, of.max_points, of.rendering)

    def arrays(self, strokes: Sequence) -> dict[str, np.ndarray]:
        """Return what a drawing is for this model, by input, without the batch.

        Args:
            strokes: simplified, `[[x0, x1, ...], [y0, y1, ...]]` of 0...255.
        """
        of, made = self.description, {}
        if "image" in of.inputs:
            made["image"] = of.rendering.image(strokes, of.image_size, of.channels)
        if "ink" in of.inputs:
            made["ink"] = ink.padded(ink.ink_of(strokes), of.max_points)
        return made

    def array_of_picture(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Return what a picture is for this model, without the batch.

        Args:
            pixels: uint8 `[side, side]`, strokes 255 on 0.

        Raises:
            QuickdrawError: the model takes strokes.
        """
        of = self.description
        if list(of.inputs) != ["image"]:
            raise QuickdrawError(f"{self.name} takes strokes: no picture will do")
        side = (of.image_size, of.image_size)
        small = Image.fromarray(pixels)
        if small.size != side:
            small = small.resize(side, Image.Resampling.LANCZOS)
        return {"image": np.repeat(np.asarray(small)[:, :, None], of.channels, axis=2)}

    def why(self, strokes: Sequence) -> dict[str, Any]:
        """Return what the likeliest guess rests on; see `quickdraw.drawings.occlusion`.

        Args:
            strokes: as for `arrays`.

        Raises:
            QuickdrawError: the model takes strokes.
        """
        if list(self.description.inputs) != ["image"]:
            raise QuickdrawError(
                f"{self.name} takes strokes: there is no picture to cover parts of"
            )
        many = occlusion.covered(self.arrays(strokes)["image"])
        best, drops = occlusion.drops(self.probabilities({"image": many}))
        return {"label": self.description.labels[best], "drops": drops}

    def probabilities(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Return float32 `[batch, num_classes]` of a batch of inputs by name."""
        (found,) = self._session.run([_OUTPUT], arrays)
        return found

    def top(self, probabilities: np.ndarray, count: int) -> list[list[Any]]:
        """Return `[[class number, probability], …]`, the likeliest first."""
        order = np.argsort(-probabilities, kind="stable")[:count]
        return [[int(number), round(float(probabilities[number]), 6)] for number in order]
