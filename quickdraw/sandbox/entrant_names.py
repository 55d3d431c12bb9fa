"""entrants.json: the display names of the models in a folder for the final."""

from __future__ import annotations

import json
import os

from quickdraw import storage
from quickdraw.errors import QuickdrawError

FILE = "entrants.json"
DIGITS = 16
"""The digits of a file's SHA-256 that identify an entered model."""


def as_json(names: dict[str, str]) -> str:
    """Return the content of entrants.json, from the names by file."""
    return json.dumps(names, ensure_ascii=False, indent=1) + "\n"


def read(folder: str) -> dict[str, str]:
    """Return the names by file; empty if the folder has no entrants.json.

    Raises:
        QuickdrawError: it is damaged.
    """
    path = os.path.join(folder, FILE)
    if not os.path.exists(path):
        return {}
    try:
        with storage.open_binary(path) as file:
            found = json.load(file)
    except ValueError as error:
        raise QuickdrawError(f"{path}: not JSON ({error})") from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise QuickdrawError(f'{path}: {{"FILE.onnx": "NAME", …}} expected')
    return found
