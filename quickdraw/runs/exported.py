"""export.json: what an exported model is, for those who feed it without TensorFlow."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Hashable
from typing import Any, NotRequired, TypedDict

import numpy as np

from quickdraw import storage
from quickdraw.drawings import Strokes
from quickdraw.drawings.rendering import Rendering
from quickdraw.errors import QuickdrawError
from quickdraw.records import ink

FILE_NAME = "export.json"
GALLERY = "gallery.json"
"""Beside it, where one was asked for: for each label a few drawings, PNG in base64."""
FORMAT = 1
KEY = "quickdraw"
"""The name of the description among an ONNX or LiteRT file's metadata."""


class Port(TypedDict):
    """An input or an output: its shape and its axes, the batch (None) first, and its dtype."""

    shape: list[int | None]
    axes: list[str]
    dtype: str


class RunInside(TypedDict):
    """A run in an exported model; `weight` is its share of the mean."""

    name: str
    train_dir: str
    model: str
    step: int
    temperature: float
    weight: float


class ExportedFile(TypedDict):
    """What export.json says of the file, or the folder, of one format.

    Attributes:
        path: its name beside export.json.
        bytes: its size.
        quantized: "int8", or None where weights are float32.
        agreement: how it compares with Keras; see `export.agreement.Agreement`.
        sha256: of a file; a folder has none.
        also: what belongs to it, for the page that guesses.
        models: the names of the models in that page.
    """

    path: str
    bytes: int
    quantized: str | None
    agreement: dict[str, float]
    sha256: NotRequired[str]
    also: NotRequired[list[str]]
    models: NotRequired[list[str]]


@dataclasses.dataclass
class Description:
    """What an exported model takes, what it answers, and what made it.

    Attributes:
        labels: names of the classes, in the order of `probabilities`.
        named: whether they are names, or numbers where nobody named the classes.
        inputs: by name, what it takes.
        outputs: by name, what it answers.
        image_size: pixels a side.
        channels: 1 or 3.
        max_points: how many points of ink it takes.
        rendering: how strokes are drawn for it.
        runs: those inside.
        tta: whether the mirrored drawing is predicted, too.
        versions: of what made it.
        format: of this description.
    """

    labels: list[str]
    named: bool
    inputs: dict[str, Port]
    outputs: dict[str, Port]
    image_size: int
    channels: int
    max_points: int
    rendering: Rendering
    runs: list[RunInside]
    tta: bool = False
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    format: int = FORMAT

    def as_text(self) -> str:
        """Return it as JSON on one line."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @property
    def name(self) -> str:
        """The names of the runs inside."""
        return " + ".join(run["name"] for run in self.runs)

    @property
    def way(self) -> Hashable:
        """What decides the arrays that a drawing becomes; models alike in it share them."""
        return (tuple(self.inputs), self.image_size, self.channels, self.max_points, self.rendering)

    def arrays(self, strokes: Strokes) -> dict[str, np.ndarray]:
        """Return what a drawing is for this model, by input, without the batch.

        Args:
            strokes: simplified, `[[x0, x1, ...], [y0, y1, ...]]` of 0...255.
        """
        made = {}
        if "image" in self.inputs:
            made["image"] = self.rendering.image(strokes, self.image_size, self.channels)
        if "ink" in self.inputs:
            made["ink"] = ink.padded(ink.ink_of(strokes), self.max_points)
        return made


def from_text(text: str | bytes, where: str) -> Description:
    """Read a description.

    Raises:
        QuickdrawError: it is none, or one of a later version.
    """
    try:
        content = json.loads(text)
        return from_json(content, where)
    except ValueError as error:
        raise QuickdrawError(f"{where}: no description of an exported model ({error})") from None


def from_json(content: Any, where: str) -> Description:
    """Make a description of what JSON says; see `from_text`."""
    try:
        if content.get("format", 0) > FORMAT:
            raise QuickdrawError(
                f"{where}: written by a later version of quickdraw (format {content['format']}, "
                f"this reads up to {FORMAT})"
            )
        known = {each.name: content[each.name] for each in dataclasses.fields(Description)}
        return Description(**{**known, "rendering": Rendering(**known["rendering"])})
    except (KeyError, TypeError, AttributeError) as error:
        raise QuickdrawError(f"{where}: not the description of an export ({error})") from None


def read(folder: str) -> tuple[Description, dict[str, ExportedFile]]:
    """Return the description in a folder's export.json, and by format what is said of each file.

    Raises:
        QuickdrawError: there is none.
    """
    path = os.path.join(folder, FILE_NAME)
    if not storage.exists(path):
        raise QuickdrawError(f"{folder} holds no export: no {FILE_NAME} there")
    content = storage.read_json(path)
    return from_json(content, path), content.get("files", {})


def write(folder: str, description: Description, files: dict[str, ExportedFile]) -> None:
    """Write export.json, whole or not at all."""
    content = {**dataclasses.asdict(description), "files": files}
    storage.write_json(os.path.join(folder, FILE_NAME), content)
