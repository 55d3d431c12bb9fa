"""Confusion matrices and reliability diagrams in Pillow: Matplotlib imports in a second."""

from __future__ import annotations

import csv
import math
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from quickdraw import storage
from quickdraw.drawings.sheet import font


def confusion_matrix(counts: np.ndarray, names: list[str]) -> np.ndarray:
    """Draw a confusion matrix, normalised by row (label), with figures if they fit.

    Args:
        counts: int `[classes, classes]`, row = label, column = prediction.
        names: the classes' names.

    Returns:
        uint8 `[height, width, 3]`.
    """
    classes = len(names)
    cell = max(6, min(44, 1200 // classes))
    letters = font(max(6, min(13, cell - 2)))
    margin = round(max(letters.getlength(name) for name in names)) + 8
    sheet = Image.new("RGB", (margin + classes * cell + 2, margin + classes * cell + 2), "white")
    draw = ImageDraw.Draw(sheet)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for row, name in enumerate(names):
        y = margin + row * cell
        draw.text((margin - 5, y + cell / 2), name, fill="black", font=letters, anchor="rm")
        for column in range(classes):
            box = (margin + column * cell, y, margin + (column + 1) * cell, y + cell)
            _draw_cell(draw, box, shares[row, column], row == column)
    sheet.paste(_sideways(names, cell, margin, letters), (margin, 0))
    return np.asarray(sheet)


def reliability_diagram(counts: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Draw a reliability diagram: accuracy by confidence, and the diagonal.

    Args:
        counts: int `[bins]`, predictions in equal bins of confidence from 0 to 1.
        right: float `[bins]`, the accuracy in each bin.

    Returns:
        uint8 `[380, 380, 3]`.
    """
    left, side = 44, 320
    picture = Image.new("RGB", (left + side + 16, side + 60), "white")
    draw, letters = ImageDraw.Draw(picture), font(12)
    bottom = 10 + side
    for tenth in range(0, 11, 2):
        along = tenth * side / 10
        text = f"{10 * tenth} %"
        draw.line((left, bottom - along, left + side, bottom - along), (225, 225, 225))
        draw.text((left - 5, bottom - along), text, "black", letters, "rm")
        draw.text((left + along, bottom + 5), text, "black", letters, "mt")
    width = side / len(counts)
    for number, share in enumerate(right):
        if counts[number]:
            x = left + number * width
            box = (x + 1, bottom - share * side, x + width - 1, bottom)
            draw.rectangle(box, (31, 119, 180))
    draw.line((left, bottom, left + side, 10), (90, 90, 90), 2)
    draw.text((left + side / 2, bottom + 24), "how sure the model is", "black", letters, "mt")
    return np.asarray(picture)


def save_confusion_matrix(train_dir: str, counts: np.ndarray, names: list[str]) -> None:
    """Write confusion.png and confusion.csv, if there is a matrix (see `Metrics`).

    Args:
        train_dir: the folder of the run.
        counts: int `[classes, classes]`, row = label, column = prediction.
        names: the classes' names.
    """
    if not counts.size:
        return
    with storage.write_whole(os.path.join(train_dir, "confusion.png"), "wb") as file:
        Image.fromarray(confusion_matrix(counts, names)).save(file, "PNG")
    with storage.write_whole(os.path.join(train_dir, "confusion.csv")) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["label \\ prediction", *names])
        rows.writerows([name, *row] for name, row in zip(names, counts.tolist(), strict=True))


def _draw_cell(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], share: float, right: bool
) -> None:
    # The square root keeps confusions of a few percent visible beside the diagonal.
    strength = math.sqrt(share)
    ink = (31, 119, 180) if right else (214, 39, 40)
    draw.rectangle(
        box, fill=tuple(round(255 - (255 - c) * strength) for c in ink), outline=(225, 225, 225)
    )
    if box[2] - box[0] >= 28 and share >= 0.005:
        colour = "white" if strength > 0.6 else "black"
        centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        draw.text(centre, f"{share * 100:.0f}", fill=colour, font=font(12), anchor="mm")


def _sideways(
    names: list[str], cell: int, margin: int, letters: ImageFont.FreeTypeFont
) -> Image.Image:
    strip = Image.new("RGB", (margin, len(names) * cell), "white")
    draw = ImageDraw.Draw(strip)
    for i, name in enumerate(names):
        draw.text((4, (i + 0.5) * cell), name, fill="black", font=letters, anchor="lm")
    return strip.transpose(Image.Transpose.ROTATE_90)
