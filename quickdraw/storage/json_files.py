"""JSON files, local and on gs://."""

from __future__ import annotations

import json
from typing import Any

from quickdraw.errors import QuickdrawError
from quickdraw.storage import lfs, paths


def read_json(path: str) -> Any:
    """Read a JSON file, or a pipe, such as a shell's `<(command)`.

    Raises:
        QuickdrawError: no such file, not JSON (with line and column), or a name that comes twice.
    """
    with paths.open_binary(path) if paths.is_remote(path) else paths.open_local(path) as file:
        text = file.read()
    lfs.refuse_pointer(path, text)
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise QuickdrawError(f"{path}: not a JSON file ({error})") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; what it says twice is refused, as one of the two would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it names {twice!r} twice")
    return found


def write_json(path: str, value: object) -> None:
    """Write a JSON file, whole or not at all."""
    with paths.write_whole(path) as file:
        json.dump(value, file, indent=1, ensure_ascii=False)
        file.write("\n")
