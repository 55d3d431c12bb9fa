"""export.json: what an exported model is, for those who feed it without TensorFlow."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

from quickdraw import storage
from quickdraw.drawings.rendering import Rendering
from quickdraw.errors import QuickdrawError

FILE_NAME = "export.json"
GALLERY = "gallery.json"
"""Beside it, where one was asked for: for each label a few drawings, PNG in base64."""
FORMAT = 1
KEY = "quickdraw"
"""The name of the description among an ONNX or LiteRT file's metadata."""


@dataclasses.dataclass
class Description:
    """What an exported model takes, what it answers, and what made it.

    Attributes:
        labels: names of the classes, in the order of `probabilities`.
        named: whether they are names, or numbers where nobody named the classes.
        inputs: by name `{"shape": [...], "axes": [...], "dtype": "uint8"}`, the batch first, None.
        outputs: likewise.
        image_size: pixels a side.
        channels: 1 or 3.
        max_points: how many points of ink it takes.
        rendering: how strokes are drawn for it.
        runs: of each run inside: name, train_dir, model, step, temperature and weight.
        tta: whether the mirrored drawing is predicted, too.
        versions: of what made it.
        format: of this description.
    """

    labels: list[str]
    named: bool
    inputs: dict[str, dict[str, Any]]
    outputs: dict[str, dict[str, Any]]
    image_size: int
    channels: int
    max_points: int
    rendering: Rendering
    runs: list[dict[str, Any]]
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


def read(folder: str) -> tuple[Description, dict[str, dict[str, Any]]]:
    """Return the description in a folder's export.json, and by format what is said of each file.

    Raises:
        QuickdrawError: there is none.
    """
    path = os.path.join(folder, FILE_NAME)
    if not storage.exists(path):
        raise QuickdrawError(f"{folder} holds no export: no {FILE_NAME} there")
    content = storage.read_json(path)
    return from_json(content, path), content.get("files", {})


def write(folder: str, description: Description, files: dict[str, dict[str, Any]]) -> None:
    """Write export.json, whole or not at all."""
    content = {**dataclasses.asdict(description), "files": files}
    storage.write_json(os.path.join(folder, FILE_NAME), content)
