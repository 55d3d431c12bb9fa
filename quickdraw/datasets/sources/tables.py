"""Kaggle's csv files: `drawing`, perhaps `word`, `key_id`, `countrycode`, `recognized`."""

from __future__ import annotations

import contextlib
import csv
import itertools
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from quickdraw import storage
from quickdraw.datasets.sources import names
from quickdraw.datasets.sources.base import DrawingFile, Record, line_number
from quickdraw.drawings import key_ids
from quickdraw.drawings.drawing import (
    KNOWN,
    NOT_TEXT,
    Drawing,
    LostRecord,
    SkippedDrawing,
    from_fields,
    shown,
)
from quickdraw.errors import QuickdrawError

_LONGEST = 1 << 24
_DELIMITERS = ",;\t"  # a semicolon where a comma is for decimals, as Excel has it
_MOST_LINES = 64  # of one row: a quote that is never closed must not swallow the file
csv.field_size_limit(_LONGEST)  # Python's own limit, 131,072, is less than a drawing may take


class Table(DrawingFile):
    """A csv file with a header; without a column `word` its drawings are test records.

    Args:
        path: the file, UTF-8, with any line ends, and commas, semicolons or tabs between columns.
        category: its category, where all rows are of one.
        raw: whether the strokes are raw; None looks whether they have times.
        label_key: the column with the word; `word` when not given.

    Attributes:
        name: the file as the user knows it.
        columns: what is in them: a field's name, or nothing where they are not read.
        unused: the names of those that are not read.

    Raises:
        QuickdrawError: the header has no column `drawing`.
    """

    def __init__(
        self,
        path: str,
        category: str | None = None,
        raw: bool | None = None,
        label_key: str | None = None,
    ):
        super().__init__(path, category)
        self.name, self._raw = path, raw
        with storage.open_binary(path) as file:
            header = _row(file)
        columns: list[str] = []
        for self._delimiter in _DELIMITERS:
            with contextlib.suppress(SkippedDrawing):
                columns = [names.clean(column) for column in _fields(header, self._delimiter)]
            self.columns = [_field(column, label_key) for column in columns]
            if "drawing" in self.columns:
                break
        self.unused = [name for name, field in zip(columns, self.columns, strict=True) if not field]
        if self.columns.count("drawing") != 1:
            raise QuickdrawError(
                f"{path}: a csv file with a column 'drawing' in its first line expected. "
                f"Received: {shown(header[:60])}"
            )
        if twice := [field for field in self.columns if field and self.columns.count(field) > 1]:
            raise QuickdrawError(f"{path}: one column {twice[0]!r} expected. Received: several")
        if "word" not in self.columns:
            self.category = None
            if "key_id" not in self.columns:
                self._take_id(columns)

    def _take_id(self, columns: Sequence[str]) -> None:
        """Take another column for that of the ids of test records, if one is called so."""
        for position, column in enumerate(columns):
            if column.lower() in key_ids.NAMES:
                self.columns[position] = "key_id"
                self.unused.remove(column)
                return

    def pieces(self, size: int) -> list[tuple[int, int]]:
        with storage.open_binary(self.path) as file:
            edges = [len(_row(file))]
            while edges[-1] < self.size:
                quotes = _quotes(file, size)
                while line := file.readline(_LONGEST):
                    quotes += line.count(b'"')
                    if quotes % 2 == 0 and line.endswith(b"\n"):
                        break
                edges.append(file.tell())
        return list(itertools.pairwise(edges))

    def scan(self, start: int, stop: int) -> Iterator[Record]:
        with storage.open_binary(self.path) as file:
            position = start or len(_row(file))
            file.seek(position)
            while position < stop and (row := _row(file)):
                if len(row) == _LONGEST:
                    yield position, SkippedDrawing("a row longer than 16 MB")
                elif row.strip(b",; \t\r\n"):  # table programs leave rows of commas at the end
                    yield position, row
                position = file.tell()

    def parse(self, position: int, data: bytes) -> Drawing:
        try:
            fields = self._named(data)
        except SkippedDrawing as error:
            if "word" in self.columns:
                raise
            raise LostRecord(f"a test record cannot be read: {error}") from None
        if "word" in fields:
            fields["word"] = names.of_cell(fields["word"])
        return from_fields(fields, None, self._raw)

    def _named(self, data: bytes) -> dict[str, str]:
        values = _fields(data, self._delimiter)
        if len(values) != len(self.columns):
            raise SkippedDrawing(
                "a row of another number of columns", f"{len(values)}: {shown(data[:60])}"
            )
        return dict(zip(self.columns, values, strict=True))

    def place(self, position: int) -> str:
        return f"{self.name}, line {line_number(self.path, position):,}"


def _field(column: str, label_key: str | None) -> str:
    """Return which field of a drawing a column has; none if it is not read."""
    word = label_key or "word"
    if column == word or column.lower() == word:
        return "word"
    return column.lower() if column.lower() in {*KNOWN} - {"word"} else ""


def _quotes(file: BinaryIO, size: int) -> int:
    """Count the quotes in the next bytes."""
    count = 0
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        count += block.count(b'"')
        size -= len(block)
    return count


def _row(file: BinaryIO) -> bytes:
    """Read the next row: lines up to the one that closes its quotes.

    Of one that is too long only its first 16 MB are returned.
    """
    row = file.readline(_LONGEST)
    if len(row) == _LONGEST:
        rest = row
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST)
        return row
    second, lines, quotes, size = file.tell(), [row], row.count(b'"'), len(row)
    while quotes % 2:
        line = file.readline(_LONGEST)
        lines.append(line)
        quotes, size = quotes + line.count(b'"'), size + len(line)
        if not line or len(lines) > _MOST_LINES or size >= _LONGEST:
            file.seek(second)
            return row
    return b"".join(lines)


def _fields(row: bytes, delimiter: str) -> list[str]:
    try:
        (fields,) = csv.reader([row.decode("utf-8-sig")], strict=True, delimiter=delimiter)
    except UnicodeDecodeError:
        raise SkippedDrawing(NOT_TEXT, shown(row[:60])) from None
    except (ValueError, csv.Error):
        raise SkippedDrawing("broken csv", shown(row[:60])) from None
    return fields
