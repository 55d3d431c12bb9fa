"""JSON files that are not one drawing a line: lists of drawings, and objects over several lines."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator

from quickdraw import storage
from quickdraw.datasets.sources.bitmaps import scratch_path
from quickdraw.errors import QuickdrawError

_LARGEST = 1 << 30  # bytes of a file that is loaded whole
_LOOKED_AT = 4096
_BETWEEN = re.compile(r"[\s,]*")
_BREAKS = re.compile(r"[\r\n]+")  # which no string of JSON holds


def one_a_line(path: str, name: str, scratch: str) -> str:
    """Return the path of a file with one drawing a line: the same one, or a copy that is such.

    Args:
        path: the file, unpacked.
        name: the file as the user knows it.
        scratch: folder for the copy.

    Raises:
        QuickdrawError: broken JSON, or too much of it.
    """
    with storage.open_binary(path) as file:
        first = file.readline(_LOOKED_AT).removeprefix(codecs.BOM_UTF8).strip()
        if first != b"{" and not first.startswith(b"["):
            return path
        if storage.file_size(path) > _LARGEST:
            raise QuickdrawError(
                f"{name}: one drawing a line expected in files of more than 1 GiB. Received: a "
                "JSON list; jq -c '.[]' writes its drawings one a line"
            )
        file.seek(0)
        text = file.read().decode("utf-8-sig", errors="replace")
    copy = scratch_path(scratch, name, "ndjson")
    with open(copy, "w", encoding="utf-8") as lines:
        for drawing in _drawings(text, name):
            lines.write(_BREAKS.sub(" ", drawing) + "\n")
    return copy


def _drawings(text: str, name: str) -> Iterator[str]:
    """Yield what stands in a list, or one after the other, as it is written."""
    decoder = json.JSONDecoder()
    position = len(text) - len(text.lstrip())
    is_list = text[position] == "["
    position += is_list
    while (position := _between(text, position)) < len(text) and text[position] != "]":
        try:
            _, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            raise QuickdrawError(f"{name}: broken JSON ({error})") from None
        yield text[position:end]
        position = end
    if is_list and text[position:].strip() != "]":
        raise QuickdrawError(f"{name}: broken JSON: the list has no end, or something after it")


def _between(text: str, position: int) -> int:
    """Return where the next drawing begins."""
    found = _BETWEEN.match(text, position)
    return found.end() if found else position
