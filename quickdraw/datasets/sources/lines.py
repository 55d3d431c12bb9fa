"""Quick, Draw!'s .ndjson files, simplified or raw: one JSON object a line."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator

from quickdraw import storage
from quickdraw.datasets.sources import names
from quickdraw.datasets.sources.base import DrawingFile, Record, cut, line_number
from quickdraw.drawings import key_ids
from quickdraw.drawings.drawing import (
    KNOWN,
    NOT_TEXT,
    Drawing,
    SkippedDrawing,
    from_fields,
    shown,
)

_LONGEST = 1 << 24


class Lines(DrawingFile):
    """A .ndjson file: `{"word": ..., "drawing": [[[x...], [y...]], ...], "key_id": ...}`.

    Args:
        path: the file.
        category: its category, where all lines are of one, or have no word.
        raw: whether the strokes are raw; None looks whether they have times.
        label_key: the field with the word.

    Attributes:
        name: the file as the user knows it.
        unit: what a line of it is there.
    """

    def __init__(
        self,
        path: str,
        category: str | None = None,
        raw: bool | None = None,
        label_key: str = "word",
    ):
        super().__init__(path, category)
        self.name, self.unit = path, "line"
        self._raw, self._label_key = raw, label_key

    @functools.cached_property
    def columns(self) -> list[str]:
        """The fields of the first drawing."""
        for _, data in self.scan(0, self.size):
            with contextlib.suppress(ValueError, RecursionError, TypeError):
                fields = dict(json.loads(data))  # type: ignore[arg-type]
                return list(_named(fields, self._label_key, self.category))
        return []

    @property
    def unused(self) -> list[str]:
        """Those of them that are not read."""
        return [name for name in self.columns if name not in KNOWN]

    def pieces(self, size: int) -> list[tuple[int, int]]:
        return cut(self.size, size)

    def scan(self, start: int, stop: int) -> Iterator[Record]:
        with storage.open_binary(self.path) as file:
            if start:  # the line that begins before is another piece's
                file.seek(start - 1)
                while file.tell() < stop and (rest := file.readline(stop - start)):
                    if rest.endswith(b"\n"):
                        break
            position = file.tell()
            while position < stop and (line := file.readline(_LONGEST)):
                length = len(line)
                if length == _LONGEST and not line.endswith(b"\n"):
                    while (rest := file.readline(_LONGEST)) and not rest.endswith(b"\n"):
                        length += len(rest)
                    length += len(rest)
                    yield position, SkippedDrawing("a line longer than 16 MB")
                elif not line.isspace():
                    yield position, line
                position += length

    def parse(self, position: int, data: bytes) -> Drawing:
        drawing = parse(data, self.category, self._raw, self._label_key)
        if drawing.word is None and "word" in self.columns:
            raise SkippedDrawing(names.NO_WORD, "no field 'word', which the first drawing has")
        return drawing

    def place(self, position: int) -> str:
        return f"{self.name}, {self.unit} {line_number(self.path, position):,}"


def parse(
    line: bytes, category: str | None = None, raw: bool | None = None, label_key: str = "word"
) -> Drawing:
    """Return the drawing of a line.

    Raises:
        SkippedDrawing: it cannot be used.
    """
    try:
        fields = json.loads(line)
    except UnicodeDecodeError:
        raise SkippedDrawing(NOT_TEXT, shown(line[:60])) from None
    except (ValueError, RecursionError):
        raise SkippedDrawing("broken JSON", shown(line[:60])) from None
    if not isinstance(fields, dict):
        raise SkippedDrawing("not a JSON object", shown(fields))
    fields = _named(fields, label_key, category)
    if "word" in fields and isinstance(word := fields["word"], str | None):
        fields["word"] = names.of_cell(word or "")
    if isinstance(fields.get("key_id"), float):  # read as it is written, to see what it has lost
        exact = json.loads(line, parse_float=str)
        fields["key_id"] = _named(exact, label_key, category)["key_id"]
    return from_fields(fields, category, raw)


def _named(fields: dict[str, object], label_key: str, category: str | None) -> dict[str, object]:
    """Return the fields of a drawing with the word under that name, and its id if it has no class.

    Numbers of drawings of a class are of that file, and no ids.
    """
    if label_key != "word" and label_key in fields:
        word = fields.pop(label_key)
        return {**fields, "word": str(word) if isinstance(word, int) else word}
    if "word" not in fields and category is None and "key_id" not in fields:
        own = next((name for name in fields if name.lower() in key_ids.NAMES), None)
        if own is not None:
            return {"key_id" if name == own else name: fields[name] for name in fields}
    return fields
