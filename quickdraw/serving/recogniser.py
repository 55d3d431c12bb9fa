"""A model that the server runs: an ONNX file and its description."""

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
    """The likeliest class, and by how much its probability falls where parts are covered."""

    label: str
    drops: list[float]


class Recogniser(OnnxSession):
    """Recognises drawings with one exported model.

    Args:
        folder: of the export, with model.onnx and export.json.
        name: what it is called; the name of its run where None.

    Attributes:
        name: what it is called.
        gallery: for each label a few drawings, PNG in base64.
        runtime: what computes.

    Raises:
        QuickdrawError: no export, or onnxruntime does not take it.
    """

    runtime = "onnxruntime"

    def __init__(self, folder: str, name: str | None = None):
        super().__init__(folder, "serve")
        self.name = name or self.description.name
        pictures = os.path.join(folder, exported.GALLERY)
        self.gallery = storage.read_json(pictures) if storage.exists(pictures) else {}

    @property
    def way(self) -> Hashable:
        """What decides the arrays that a drawing becomes; models alike in it share them."""
        return self.description.way

    def arrays(self, strokes: Strokes) -> dict[str, np.ndarray]:
        """Return what a drawing is for this model, by input, without the batch.

        Args:
            strokes: simplified, `[[x0, x1, ...], [y0, y1, ...]]` of 0...255.
        """
        return self.description.arrays(strokes)

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
        small = Image.fromarray(of.rendering.legible(pixels, of.image_size))
        if small.size != side:
            small = small.resize(side, Image.Resampling.LANCZOS)
        return {"image": np.repeat(np.asarray(small)[:, :, None], of.channels, axis=2)}

    def why(self, strokes: Strokes) -> Why:
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

    def rank(self, probabilities: np.ndarray, word: str | None) -> int | None:
        """Return at which place a word is among the guesses, 1 for the likeliest; None for none.

        Args:
            probabilities: float32 `[num_classes]`.
            word: a class, perhaps of another model.
        """
        if word not in self.description.labels:
            return None
        number = self.description.labels.index(word)
        return int((probabilities > probabilities[number]).sum()) + 1

    def top(self, probabilities: np.ndarray, count: int) -> list[tuple[int, float]]:
        """Return (class number, probability) of the likeliest classes, the likeliest first.

        Args:
            probabilities: float32 `[num_classes]`.
            count: of how many, at most.
        """
        order = np.argsort(-probabilities, kind="stable")[:count]
        shares = probabilities[order].astype(float).round(6)
        return list(zip(order.tolist(), shares.tolist(), strict=True))
