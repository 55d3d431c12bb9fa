"""Rows of predictions and solutions, many at a time: files of any length in little memory."""

from __future__ import annotations

import csv
import functools
import io
import itertools
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from quickdraw.errors import QuickdrawError

LABELS, WORDS = ["image_id", "label"], ["key_id", "word"]
_ROWS = 50_000
_LONGEST_LINE = 1 << 19  # more than two of csv's longest fields


class AnswerRows:
    """Some rows of a file that follow each other: their ids, their answers, and their lines."""

    def __init__(self, rows: list[list[str]], before: int, after: int):
        self._rows, self._before, self._one_line = rows, before, after - before == len(rows)
        self.ids, self.answers = zip(*rows, strict=True)

    def __len__(self) -> int:
        return len(self.ids)

    def hashes(self) -> np.ndarray:
        """Return 64 bits of each id, int64 `[rows]`; others in another process."""
        return np.fromiter(map(hash, self.ids), np.int64, len(self.ids))

    def line(self, index: int) -> int:
        """Return the line of the file, from 1, where a row ends."""
        if self._one_line:
            return self._before + index + 1
        rows = self._rows[: index + 1]  # some have line ends between quotes
        return self._before + sum(1 + "\n".join(row).count("\n") - 1 for row in rows)


def read_rows(file: BinaryIO, name: str) -> tuple[list[str], Iterator[AnswerRows]]:
    """Return the header of a CSV file, and its rows.

    Args:
        file: read as far as the rows are asked for, a little at a time.
        name: what the file is called in messages.

    Raises:
        QuickdrawError: the header is none of a predictions file; later, while rows are read: a row
            has not two columns, or this is no UTF-8 text.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    lines = iter(functools.partial(text.readline, _LONGEST_LINE), "")
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise QuickdrawError(f"{name}, line 1: {error}") from None
    except UnicodeDecodeError as error:
        raise QuickdrawError(f"{name}: not a UTF-8 text file ({error})") from None
    if header not in (LABELS, WORDS):
        expected = " or ".join(",".join(one) for one in (LABELS, WORDS))
        raise QuickdrawError(
            f"{name}, line 1: the header must be {expected}. Received: {','.join(header)!r:.80}"
        )

    def parts() -> Iterator[AnswerRows]:
        try:
            while True:
                before = reader.line_num
                rows = list(itertools.islice(reader, _ROWS))
                if not rows:
                    return
                if set(map(len, rows)) != {2}:
                    raise _not_two(rows, before, name)
                yield AnswerRows(rows, before, reader.line_num)
        except csv.Error as error:
            raise QuickdrawError(f"{name}, line {reader.line_num}: {error}") from None
        except UnicodeDecodeError as error:
            raise QuickdrawError(f"{name}: not a UTF-8 text file ({error})") from None
        finally:
            text.detach()  # whoever opened the file closes it

    return header, parts()


def _not_two(rows: list[list[str]], before: int, name: str) -> QuickdrawError:
    index = next(at for at, row in enumerate(rows) if len(row) != 2)
    return QuickdrawError(
        f"{name}, line {before + index + 1}: two columns expected. Received: {rows[index]!r:.80}"
    )
