"""Rows of files that say which class pictures are of: csv, or Hugging Face's metadata.jsonl."""

from __future__ import annotations

import csv
import io
import json

from quickdraw import storage
from quickdraw.datasets.sources.labelling import telling_of
from quickdraw.errors import QuickdrawError

_DELIMITERS = ",;\t"


def read(path: str) -> list[list[str]]:
    """Return the rows of a file that are not empty, all as long as the first.

    Raises:
        QuickdrawError: it is damaged.
    """
    with storage.open_binary(path) as file:
        data = file.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise QuickdrawError(f"{path}: UTF-8 text expected: save it as such") from None
    if path.lower().endswith(".jsonl"):
        return _lines(path, text)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [row for row in lines if any(map(str.strip, row))]
    except csv.Error as error:
        raise QuickdrawError(f"{path}: broken csv ({error})") from None
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise QuickdrawError(
                f"{path}, row {number:,}: {len(rows[0])} columns expected. Received: {len(row)}"
            )
    return rows


def _lines(path: str, text: str) -> list[list[str]]:
    """Return the objects of a jsonl file as rows below the names of their fields."""
    try:
        objects = [json.loads(line) for line in text.splitlines() if line.strip()]
        fields = list(dict.fromkeys(name for each in objects for name in dict(each)))
    except (ValueError, RecursionError, TypeError) as error:
        raise QuickdrawError(f"{path}: one JSON object a line expected ({error})") from None
    return [fields, *([str(each.get(name, "")) for name in fields] for each in objects)]


def without_one_hot(
    header: list[str], rows: list[list[str]], at: int, label_key: str | None
) -> tuple[list[str], list[list[str]], int]:
    """Return a table with the column `label` where all others are classes, one 1 in each row.

    Args:
        header: the names of the columns; empty ones where there are none.
        rows: all of them, with the header.
        at: the column that names pictures.
        label_key: the column with the class, if told.

    Returns:
        The same three, or those of another table; as they are if it is not one-hot.
    """
    classes = header[:at] + header[at + 1 :]
    if label_key or telling_of(header) or not all(header) or len(classes) < 2:
        return header, rows, at
    labels = [[cell.strip() for cell in row[:at] + row[at + 1 :]] for row in rows[1:]]
    if any(sorted(each) != ["0"] * (len(each) - 1) + ["1"] for each in labels):
        return header, rows, at
    found = [classes[each.index("1")] for each in labels]
    named = [[row[at], word] for row, word in zip(rows[1:], found, strict=True)]
    return [header[at], "label"], [rows[0], *named], 0
