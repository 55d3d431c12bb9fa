"""Csv files of images, as Kaggle has MNIST and its kin: a label and 784 pixels in each row."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from quickdraw import storage
from quickdraw.console import log
from quickdraw.datasets.sources import names
from quickdraw.datasets.sources.bitmaps import Bitmaps, check_side, scratch_path
from quickdraw.datasets.sources.idx import TRANSPOSED, is_transposed
from quickdraw.datasets.sources.npz import LabelledImages
from quickdraw.drawings import key_ids
from quickdraw.drawings.drawing import Drawing, SkippedDrawing
from quickdraw.errors import QuickdrawError

_FEWEST = 64  # columns from which on a csv file is taken for one of images
_LONGEST = 1 << 24  # bytes of a row


class UnlabelledImages(Bitmaps):
    """Test images with their ids.

    Args:
        path: a .npy file, uint8 `[n, size, size]`.
        ids: of each image; the numbers of the rows where not given.
        name: the file as the user knows it.
    """

    def __init__(self, path: str, ids: Sequence[str] | None, name: str):
        super().__init__(path, "")
        self.category, self.name = None, name
        self._ids = [*map(str, range(self._rows))] if ids is None else ids

    def parse(self, position: int, data: bytes) -> Drawing:
        row = (position - self._start) // self._side**2
        return super().parse(position, data)._replace(key_id=self._ids[row])

    def place(self, position: int) -> str:
        return f"{self.name}, row {(position - self._start) // self._side**2:,}"


def images_of(path: str, name: str, split: str, scratch: str) -> LabelledImages | UnlabelledImages:
    """Read a csv file of images; a first row of names is passed over.

    The column that is no pixel's has the labels. Where it is called `id` it has the ids of test
    images; where there is none these are the numbers of the rows, from 1 on, as Kaggle has it.

    Args:
        path: the file, unpacked.
        name: the file as the user knows it.
        split: `train`, `valid` or `test`; images without labels are test images in any case.
        scratch: folder for what is unpacked.

    Raises:
        QuickdrawError: other columns, or a value that is no pixel.
    """
    others: list[str] = []
    lasts: list[str] = []
    if turned := is_transposed(name):
        log(f"{name}: {TRANSPOSED}")
    raw, unpacked = (scratch_path(scratch, name, ending) for ending in ("raw", "npy"))
    with storage.open_binary(path) as file, open(raw, "wb") as pixels:
        rows = _rows(file, name)
        first = next(rows, [])
        other, side = _columns(first, name)
        if _is_image(first):
            file.seek(0)
            rows, is_bare, is_id = _rows(file, name), True, False
        else:
            is_bare = False
            is_id = other is not None and names.clean(first[other]).lower() in key_ids.NAMES
        for line, row in enumerate(rows, 1):
            place = f"{name}, row {line:,}"
            if len(row) != len(first):
                raise QuickdrawError(
                    f"{place}: {len(first)} columns expected. Received: {len(row)}"
                )
            lasts.append(row[-1])
            others.append(str(line) if other is None else _other(row.pop(other), is_id, place))
            image = _pixels(row, place).reshape(side, side)
            pixels.write((image.T if turned else image).tobytes())
    if not others:
        raise QuickdrawError(f"{name}: a csv file of images without a row")
    if is_bare and other == 0 and len({*others}) == 1 and len({*lasts}) > 1:
        raise QuickdrawError(
            f"{name}: labels in the first column expected. Received: {others[0]} in all rows "
            "there, and several numbers in the last one. Name the columns in a first line, such "
            "as pixel1, …, label"
        )
    np.save(unpacked, np.memmap(raw, np.uint8, "r", shape=(len(others), side, side)))
    os.remove(raw)
    if other is None or is_id:
        return UnlabelledImages(unpacked, others, name)
    return LabelledImages(unpacked, others, name, split)


def is_table_of_images(start: bytes) -> bool:
    """Return whether the first bytes of a csv file are the start of one of images."""
    line = start.split(b"\n")[0]
    return line.count(_delimiter(line)) >= _FEWEST - 1 and b"[" not in line  # as strokes have it


def _delimiter(line: bytes) -> bytes:
    return max((b",", b";", b"\t"), key=line.count)


def _rows(file: BinaryIO, name: str) -> Iterator[list[str]]:
    """Yield the cells of the rows that are not empty."""
    delimiter = ""
    while line := file.readline(_LONGEST):
        if line.strip(b",; \t\r\n"):
            delimiter = delimiter or _delimiter(line).decode()
            try:
                (cells,) = csv.reader([line.decode("utf-8-sig")], strict=True, delimiter=delimiter)
            except (ValueError, csv.Error):
                raise QuickdrawError(f"{name}: broken csv. Received: {line[:60]!r}") from None
            yield cells


def _columns(first: Sequence[str], name: str) -> tuple[int | None, int]:
    """Return which column is not a pixel's, if any, and the pixels a side.

    It is the first one unless that is called like the second, but for a number, as in
    `pixel1, pixel2, …, class`.
    """
    side = math.isqrt(len(first))
    check_side(name, side, side)
    if len(first) >= _FEWEST and side * side in (len(first), len(first) - 1):
        one, second = (re.sub(r"\d+", "", names.clean(cell)) for cell in first[:2])
        is_last = one == second and not all(map(_is_number, first))
        if side * side == len(first):
            return None, side
        return (len(first) - 1 if is_last else 0), side
    shown = ", ".join(first[:3])
    raise QuickdrawError(
        f"{name}: the pixels of square pictures expected, beside them at most one column with the "
        f"label or the id, such as 785 columns in all. Received: {len(first)} ({shown[:60]}, …)"
    )


def _is_image(first: Sequence[str]) -> bool:
    """Return whether the first row is an image; names are all unlike, even if pandas made them."""
    return all(map(_is_number, first)) and len({*first}) < len(first)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _other(cell: str, is_id: bool, place: str) -> str:
    """Return a label, a whole number as such, or an id."""
    try:
        if is_id:
            return key_ids.exact(cell)
        text = names.of_cell(cell)
    except SkippedDrawing as error:
        raise QuickdrawError(f"{place}: {error}") from None
    except ValueError:
        raise QuickdrawError(
            f"{place}: an id that has lost digits. Received: {cell[:40]}"
        ) from None
    if re.fullmatch(r"-\d.*|\d*\.\d*[1-9]\d*", text):
        raise QuickdrawError(
            f"{place}: a label expected, a name or a whole number from 0 on. Received: {text[:40]}"
        )
    whole = re.fullmatch(r"(\d+)\.0*", text)
    return whole[1] if whole else text


def _pixels(cells: Sequence[str], place: str) -> np.ndarray:
    """Return the pixels of a row, uint8 `[n]`."""
    try:
        values = np.array(cells, np.float64)
    except ValueError as error:
        raise QuickdrawError(f"{place}: pixels from 0 to 255 expected ({error})") from None
    if values.min() >= 0 and values.max() <= 1 and (values % 1).any():
        values = np.rint(255 * values)
    with np.errstate(invalid="ignore"):  # what is no number is found below
        pixels = values.astype(np.uint8)
    if not np.array_equal(pixels, values):
        wrong = cells[int(np.flatnonzero(pixels != values)[0])]
        raise QuickdrawError(
            f"{place}: pixels expected, whole numbers from 0 to 255 or fractions from 0 to 1. "
            f"Received: {wrong[:20]}"
        )
    return pixels
