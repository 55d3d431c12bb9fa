"""A folder of models that are handed over for the final, and what people call them."""

from __future__ import annotations

import json
import os

from quickdraw import storage
from quickdraw.errors import QuickdrawError

FILE = "entrants.json"
DIGITS = 16
"""Of a file's SHA-256, by which the final names an entered model."""


def as_json(names: dict[str, str]) -> str:
    """Return the text of such a file, from the names by file."""
    return json.dumps(names, ensure_ascii=False, indent=1) + "\n"


def read(folder: str) -> dict[str, str]:
    """Return the names by file; none where the folder says nothing of them.

    Raises:
        QuickdrawError: its file is damaged.
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
