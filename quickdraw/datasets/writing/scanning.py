"""The first reading of the files: every drawing is checked, and gets its place in an index."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from quickdraw.datasets import splits
from quickdraw.datasets.recipe import Recipe, key_of
from quickdraw.datasets.sources import names
from quickdraw.datasets.sources.base import DrawingFile
from quickdraw.datasets.writing.entries import ENTRY, NO_WORD
from quickdraw.drawings import key_ids
from quickdraw.drawings.drawing import Drawing, SkippedDrawing
from quickdraw.errors import QuickdrawError
from quickdraw.records.class_names import spaced

_NAMED = 5
_PACKED = 10_000


@dataclasses.dataclass(frozen=True)
class Piece:
    """A range of a file."""

    file: int
    start: int
    stop: int
    size: int


@dataclasses.dataclass
class Scan:
    """What is in a piece.

    Attributes:
        entries: its drawings, `ENTRY` `[n]`, whose `word` indexes `words`.
        words: those that occur.
        skipped: reason → how many were left out.
        adjusted: what was done to drawings → to how many.
        examples: file, position and reason of the first that were left out.
        size: bytes read.
    """

    entries: np.ndarray
    words: list[str]
    skipped: collections.Counter[str]
    adjusted: collections.Counter[str]
    examples: list[tuple[int, int, str]]
    size: int


def pieces(files: Sequence[DrawingFile], recipe: Recipe, size: int) -> Iterator[Piece]:
    """Cut files into pieces of about `size` bytes; leave whole those read only at their start."""
    for number, file in enumerate(files):
        total = file.size
        most = max(total, 1) if recipe.per_category and file.category else size
        ranges = file.pieces(most)
        for start, stop in ranges:
            yield Piece(number, start, stop, total // len(ranges))


def scan(shared: tuple[Sequence[DrawingFile], Recipe], piece: Piece) -> Scan:
    """Read a piece for the first time."""
    files, recipe = shared
    file = files[piece.file]
    words: dict[str, int] = {}
    skipped: collections.Counter[str] = collections.Counter()
    adjusted: collections.Counter[str] = collections.Counter()
    examples: list[tuple[int, int, str]] = []
    rows: list[tuple[int, int, int, int, int, int]] = []
    parts: list[np.ndarray] = []
    for position, data, drawing in wanted(file, piece, recipe, words):
        if isinstance(drawing, SkippedDrawing):
            skipped[drawing.reason] += 1
            if drawing.named and len(examples) < _NAMED:
                examples.append((piece.file, position, str(drawing)))
            continue
        if drawing.adjusted:
            adjusted.update(drawing.adjusted)
        word = NO_WORD if drawing.word is None else words[drawing.word]
        number = key_ids.number_of(drawing.key_id)
        rows.append((key_of(drawing), position, len(data), piece.file, word, number))
        if len(rows) == _PACKED:  # an array is a tenth of the list
            parts.append(np.array(rows, ENTRY))
            rows.clear()
    entries = np.concatenate([*parts, np.array(rows, ENTRY)])
    return Scan(entries, list(words), skipped, adjusted, examples, piece.size)


def wanted(
    file: DrawingFile, piece: Piece, recipe: Recipe, words: dict[str, int]
) -> Iterator[tuple[int, bytes, Drawing | SkippedDrawing]]:
    """Yield the drawings of a piece that are asked for, or why one is left out.

    Numbers in `words` all words that occur. Once a category has enough, so does a file of it.
    """
    taken = collections.Counter[str]()
    chosen = set(map(spaced, recipe.categories or ()))
    for position, data, drawing in _usable(file, piece, recipe):
        if isinstance(drawing, Drawing) and drawing.word is not None:
            words.setdefault(drawing.word, len(words))
            if chosen and spaced(drawing.word) not in chosen:
                continue
            taken[drawing.word] += 1
            if recipe.per_category and taken[drawing.word] > recipe.per_category:
                if file.category is not None:
                    return
                continue
        yield position, data, drawing


def _usable(
    file: DrawingFile, piece: Piece, recipe: Recipe
) -> Iterator[tuple[int, bytes, Drawing | SkippedDrawing]]:
    """Yield all drawings of a piece, or why one cannot be used."""
    for position, data in file.scan(piece.start, piece.stop):
        if isinstance(data, SkippedDrawing):
            yield position, b"", data
            continue
        if recipe.fraction < 1 and not splits.is_in_fraction(data, recipe.fraction):
            continue
        try:
            drawing = file.drawing(position, data)
            if recipe.recognized_only and drawing.recognized is False and drawing.word is not None:
                raise SkippedDrawing("not recognized", named=False)
            if drawing.word is not None and not names.is_usable(drawing.word):
                raise SkippedDrawing("an unusable name of a category", repr(drawing.word)[:80])
            yield position, data, drawing
        except SkippedDrawing as error:
            yield position, data, error


class Words:
    """The words of all scans, numbered as they come, and how many drawings of each were taken."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._taken: collections.Counter[tuple[str | None, int]] = collections.Counter()

    def renumber(self, scan: Scan, most: int | None, split: str | None) -> np.ndarray:
        """Return a scan's entries under the common word numbers: `ENTRY` `[n]`.

        Args:
            scan: of a piece.
            most: how many of a word to take in all, of each split that somebody else made.
            split: the one that the piece is of, if any.
        """
        numbers = [self.numbers.setdefault(word, len(self.numbers)) for word in scan.words]
        if len(self.numbers) >= NO_WORD:
            raise QuickdrawError(
                f"more than {NO_WORD - 1:,} categories: is `word` the right column?"
            )
        entries = scan.entries
        known = entries["word"] != NO_WORD
        entries["word"][known] = np.array(numbers, "u2")[entries["word"][known]]
        if most is None:
            return entries
        keep = np.ones(len(entries), bool)
        for number in sorted(set(entries["word"][known].tolist())):
            (of_word,) = np.nonzero(entries["word"] == number)
            room = most - self._taken[split, number]
            keep[of_word[max(room, 0) :]] = False
            self._taken[split, number] += min(len(of_word), max(room, 0))
        return entries[keep]


def label_names(
    words: Collection[str],
    used: Collection[str],
    recipe: Recipe,
    known: Sequence[str] | None,
    source: str,
) -> list[str]:
    """Return the names of the classes in label order.

    Args:
        words: all words that occur.
        used: those of drawings that were taken.
        recipe: the categories asked for, if any.
        known: the classes and their order, where the source says so.
        source: for messages.

    Raises:
        QuickdrawError: a category asked for is not there, or two are too alike.
    """
    names.check(list(used), source)
    if recipe.categories is not None:
        chosen = [names.choose(name, words, source) for name in recipe.categories]
    elif known is not None:
        chosen = list(known)
    else:
        chosen = names.in_order(used)
    names.check(chosen, source)
    names.warn(chosen, source)
    return chosen


def shown_examples(files: Sequence[DrawingFile], examples: Sequence[tuple[int, int, str]]) -> str:
    """Return the first skipped drawings and where they are, one a line."""
    lines = []
    for number, position, why in examples[:_NAMED]:
        place = f"{files[number].path}, byte {position:,}"
        with contextlib.suppress(OSError):
            place = files[number].place(position)
        lines.append(f"  {place}: {why}")
    return "\n".join(lines)
