"""A served model: an ONNX file and its description."""

from __future__ import annotations

import os
from collections.abc import Hashable
from typing import TypedDict

import numpy as np
from PIL import Image

from quickdraw import storage
from quickdraw.drawings import Strokes, occlusion
from quickdraw.errors import QuickdrawError
from quickdraw.runs import exported
from quickdraw.runs.onnx_session import OnnxSession


class Why(TypedDict):
    """The likeliest class, and the drop of its probability where parts are covered."""

    label: str
    drops: list[float]


class Recogniser(OnnxSession):
    """Recognises drawings with one exported model.

    Args:
        folder: of the export, with model.onnx and export.json.
        name: of the model; None for the name of its run.

    Attributes:
        name: of the model.
        gallery: for each label a few drawings, PNG in base64.
        runtime: the library that runs it.

    Raises:
        QuickdrawError: not an export, or onnxruntime cannot load it.
    """

    runtime = "onnxruntime"

    def __init__(self, folder: str, name: str | None = None):
        super().__init__(folder, "serve")
        self.name = name or self.description.name
        pictures = os.path.join(folder, exported.GALLERY)
        self.gallery = storage.read_json(pictures) if storage.exists(pictures) else {}

    @property
    def way(self) -> Hashable:
        """A key of the input format: models with the same key share a drawing's arrays."""
        return self.description.way

    def arrays(self, strokes: Strokes) -> dict[str, np.ndarray]:
        """Return a drawing as this model's inputs, by name, without the batch axis.

        Args:
            strokes: simplified, `[[x0, x1, ...], [y0, y1, ...]]` of 0...255.
        """
        return self.description.arrays(strokes)

    def array_of_picture(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Return a picture as this model's input, without the batch axis.

        Args:
            pixels: uint8 `[side, side]`, strokes 255 on 0.

        Raises:
            QuickdrawError: the model takes strokes.
        """
        of = self.description
        if list(of.inputs) != ["image"]:
            raise QuickdrawError(f"{self.name} takes strokes: no picture will do")
        side = (of.image_size, of.image_size)
        small = Image.fromarray(of.rendering.legible(pixels, of.image_size))
        if small.size != side:
            small = small.resize(side, Image.Resampling.LANCZOS)
        return {"image": np.repeat(np.asarray(small)[:, :, None], of.channels, axis=2)}

    def why(self, strokes: Strokes) -> Why:
        """Explain the likeliest guess by occlusion; see `quickdraw.drawings.occlusion`.

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

    def rank(self, probabilities: np.ndarray, word: str | None) -> int | None:
        """Return the rank of a word among the guesses, from 1; None if the model does not know it.

        Args:
            probabilities: float32 `[num_classes]`.
            word: a class, possibly of another model.
        """
        if word not in self.description.labels:
            return None
        number = self.description.labels.index(word)
        return int((probabilities > probabilities[number]).sum()) + 1

    def top(self, probabilities: np.ndarray, count: int) -> list[tuple[str, float]]:
        """Return (class, probability) of the likeliest classes, the likeliest first.

        Args:
            probabilities: float32 `[num_classes]`.
            count: the most classes to return.
        """
        order = np.argsort(-probabilities, kind="stable")[:count]
        shares = probabilities[order].astype(float).round(6)
        labels = [self.description.labels[number] for number in order]
        return list(zip(labels, shares.tolist(), strict=True))
