"""export.json: the description of an exported model, for use without TensorFlow."""

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
"""The optional file beside it: a few drawings of each label, PNG in base64."""
FORMAT = 1
KEY = "quickdraw"
"""The key of the description in the metadata of an ONNX or LiteRT file."""


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
    """The entry of a format in export.json.

    Attributes:
        path: of its file or folder, beside export.json.
        bytes: the size.
        quantized: "int8", or None for float32 weights.
        agreement: the comparison with Keras; see `export.agreement.Agreement`.
        sha256: of a file; None for a folder.
        also: further files, for the web page.
        models: the names of the models in the web page.
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
    """The inputs and outputs of an exported model, and the runs in it.

    Attributes:
        labels: names of the classes, in the order of `probabilities`.
        named: whether the classes have names, or only numbers.
        inputs: by name.
        outputs: by name.
        image_size: pixels a side.
        channels: 1 or 3.
        max_points: the number of points of ink.
        rendering: how to draw strokes for it.
        runs: the runs in it.
        tta: whether it averages a drawing and its mirror image.
        versions: of the packages that made it.
        format: the version of this description.
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
        """Return the description as JSON on one line."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @property
    def name(self) -> str:
        """The names of the runs in it."""
        return " + ".join(run["name"] for run in self.runs)

    @property
    def way(self) -> Hashable:
        """A key of the input format: models with the same key share a drawing's arrays."""
        return (tuple(self.inputs), self.image_size, self.channels, self.max_points, self.rendering)

    def arrays(self, strokes: Strokes) -> dict[str, np.ndarray]:
        """Return a drawing as this model's inputs, by name, without the batch axis.

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
    """Parse a description.

    Raises:
        QuickdrawError: it is invalid, or of a later version.
    """
    try:
        content = json.loads(text)
        return from_json(content, where)
    except (ValueError, RecursionError) as error:
        raise QuickdrawError(f"{where}: no description of an exported model ({error})") from None


def from_json(content: Any, where: str) -> Description:
    """Make a description from parsed JSON; see `from_text`."""
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
    """Read a folder's export.json; return the description, and the entries by format.

    Raises:
        QuickdrawError: the folder has no export.
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
