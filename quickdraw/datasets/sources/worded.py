"""Files whose drawings carry their word: which are read, and what is said of the others."""

from __future__ import annotations

import collections
import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from quickdraw.console import log
from quickdraw.datasets.sources import formats, names, unread
from quickdraw.datasets.sources.base import DrawingFile, Source
from quickdraw.datasets.sources.json_lists import one_a_line
from quickdraw.datasets.sources.labelling import telling_of
from quickdraw.datasets.sources.lines import Lines
from quickdraw.datasets.sources.official import split_of, split_of_path
from quickdraw.datasets.sources.tables import Table
from quickdraw.drawings.drawing import POINTS, Drawing, SkippedDrawing
from quickdraw.errors import QuickdrawError, did_you_mean

if TYPE_CHECKING:
    from quickdraw.datasets.sources.openers import Wish

_LOOKED_AT = 100  # drawings, until one tells how strokes are stored


def open_words(
    wish: Wish, paths: list[str], format: str, make: Callable[[str, str | None], Lines | Table]
) -> Source:
    """Open files whose drawings carry their word: lines and tables.

    One named after the word of its first drawing is taken to hold that category alone, so that it
    need not be read where the category is not asked for.
    """
    wanted = None if wish.categories is None else set(map(names.alike, wish.categories))
    files: list[Lines | Table] = []
    unused = collections.Counter[str]()
    empty: list[str] = []
    times: dict[tuple[str | None, bool], str] = {}
    known: set[str] = set()
    mixed = False
    for path in paths:
        name = names.without_copy(names.of_path(path))
        whole = formats.unpacked(path, wish.scratch)
        unpacked = one_a_line(whole, path, wish.scratch)
        split = split_of_path(path, wish.path)
        # Drawings without a word are of the file's class; in one called test they are of none.
        file = make(unpacked, None if split == "test" else name)
        file.name = path
        if isinstance(file, Lines) and unpacked != whole:
            file.unit = "drawing"
        if next(file.scan(0, file.size), None) is None:
            empty.append(path)
            continue
        _check_points(path, file)
        first = first_drawing(file)
        _check_columns(path, file, first, wish, split or wish.split)
        word = first.word if first else None
        if first and first.strokes:
            times[word, len(first.strokes[0]) == 3] = path
        known.add(name)
        if word is None or names.alike(word) != names.alike(name):
            file.split = split
        file.category = name if word == name else None
        if word != name:
            mixed = True
        elif wanted is not None and names.alike(name) not in wanted:
            continue
        files.append(file)
        wish.read.add(path)
        unused.update(f"column {column!r}" for column in file.unused)
        _say_unlabelled(path, file, word, split or wish.split)
    _check_rawness(wish.path, times)
    _check_names(wish, files)
    if not mixed:
        for name in wish.categories or ():
            names.choose(name, known, wish.path)
    left = dict(unused) | unread.counted(empty, wish.path)
    return Source(format, list(files), has_strokes=True, unread=left)


def _check_names(wish: Wish, files: Iterable[Lines | Table]) -> None:
    """Raise QuickdrawError if files without words are hardly named after their classes."""
    named: dict[str, list[str]] = {}
    for file in files:
        if file.category and "word" not in file.columns:
            named.setdefault(file.category, []).append(file.name)
    if wish.categories is None:
        names.check_folders(named, wish.path)
        names.check_parts(list(named), wish.path)


def first_drawing(file: DrawingFile) -> Drawing | None:
    """Return the first drawing of a file that can be used."""
    return next(usable_drawings(file), None)


def usable_drawings(file: DrawingFile) -> Iterator[Drawing]:
    """Yield the drawings of a file that can be used."""
    for position, data in file.scan(0, file.size):
        if isinstance(data, bytes):
            with contextlib.suppress(SkippedDrawing):
                yield file.parse(position, data)


def _check_points(path: str, file: DrawingFile) -> None:
    """Raise QuickdrawError if strokes are lists of points, of which the shortest pass for others.

    One with more than three values of x, as nearly every first drawing has, is none. Three points
    of two or three values look like x, y and times, but that the latter may run back.
    """
    runs_back = ""
    for position, data in itertools.islice(file.scan(0, file.size), _LOOKED_AT):
        try:
            strokes = file.parse(position, data).strokes if isinstance(data, bytes) else None
        except SkippedDrawing as error:
            if error.reason == POINTS:
                raise _points(file.place(position)) from None
            continue
        if any(len(stroke[0]) > 3 for stroke in strokes or ()):
            return
        times = [time for stroke in strokes or () for axis in stroke[2:] for time in axis]
        if times != sorted(times):
            runs_back = runs_back or file.place(position)
    if runs_back:
        raise _points(runs_back)


def _points(place: str) -> QuickdrawError:
    return QuickdrawError(
        f"{place}: a stroke is [[x0, x1, …], [y0, y1, …]]. Received: points [[x0, y0], …]; "
        "list(zip(*stroke)) turns one into the other"
    )


def _check_columns(
    path: str, file: Lines | Table, first: Drawing | None, wish: Wish, split: str | None
) -> None:
    """Say that no drawing can be used.

    Raises:
        QuickdrawError: none has strokes, or a word, where they are looked for; of test records,
            which may not be left out, none can be read.
    """
    has = ", ".join(map(repr, file.columns))
    if first is None and file.columns and "drawing" not in file.columns:
        raise QuickdrawError(f"{path}: drawings with a field 'drawing' expected. Received: {has}")
    if "word" in file.columns:
        wish.labelled.add(path)
    elif wish.label_key and (split != "test" or telling_of(file.unused)):
        known = {*filter(None, file.columns), *file.unused}
        raise QuickdrawError(
            f"{path}: there is no {'column' if isinstance(file, Table) else 'field'} "
            f"{wish.label_key!r}{did_you_mean(wish.label_key, known)}"
        )
    if first is None:
        if file.columns and "word" not in file.columns:
            why = next(_why_unusable(file))
            raise QuickdrawError(f"{why}; no drawing in the file can be used")
        log(f"warning: {path}: no drawing in it can be used")


def _why_unusable(file: DrawingFile) -> Iterator[str]:
    """Yield where a drawing is that cannot be used, and why."""
    for position, data in file.scan(0, file.size):
        try:
            if isinstance(data, SkippedDrawing):
                raise data
            file.parse(position, data)
        except SkippedDrawing as error:
            yield f"{file.place(position)}: {error}"


def _say_unlabelled(path: str, file: Lines | Table, word: str | None, split: str | None) -> None:
    """Say that a file has no word, but other columns.

    Raises:
        QuickdrawError: one of them sounds like the word, and nobody told which to read; or its name
            says that it is to train on.
    """
    if "word" in file.columns:
        return
    columns = f"Other columns: {', '.join(map(repr, file.unused)) or 'none'}"
    if telling := telling_of(file.unused):
        raise QuickdrawError(
            f"{path}: no column 'word': --label_key names the one with the class, such as "
            f"--label_key={telling[0]}. {columns}"
        )
    if split in ("train", "valid") and (word is None or split_of(word) == "valid"):
        raise QuickdrawError(
            f"{path}: no column 'word', and so no class to train on: --label_key names the column "
            f"that has it. {columns}"
        )
    if not file.unused:
        return
    what = f"drawings of the class {word!r}" if word else "records for a test, unlabelled"
    log(f"warning: {path}: no column 'word', so these are {what}. {columns}")


def _check_rawness(path: str, times: Mapping[tuple[str | None, bool], str]) -> None:
    """Raise QuickdrawError if files have the same drawings raw and simplified, so to speak twice.

    Args:
        path: the source.
        times: by class, and whether its strokes have times, a file.
    """
    for word, is_raw in times:
        if is_raw and word is not None and (word, False) in times:
            raise QuickdrawError(
                f"{path}: the drawings of {word!r} twice, raw in {times[word, True]} and "
                f"simplified in {times[word, False]}: give one of them as --source"
            )
