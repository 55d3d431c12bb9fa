"""One drawing, whatever file it came from, and the checks that every drawing must pass."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from quickdraw.drawings import Strokes, key_ids, simplify

KNOWN = ("word", "drawing", "key_id", "countrycode", "recognized", "timestamp")
"""The fields of Quick, Draw!'s drawings; all are read but the timestamp."""

BLANK = "blank"
_ONE_POINT, _NO_POINT = "one point only", "no strokes"
NOT_TEXT = "not UTF-8 text"
POINTS = "strokes that are lists of points"
EMPTY = (BLANK, _ONE_POINT, _NO_POINT)
"""Why a drawing is left out in which there is nothing to see, though it is not damaged."""
_DOT = [[[128], [128]]]  # of one point, wherever that lies: it is drawn in the middle

_LARGEST_RAW = 1e6  # pixels
_YES = ("true", "1", "1.0", "t", "yes")  # Excel writes TRUE, pandas 1.0
_MOST_POINTS = 20_000  # of a drawing of twenty seconds


class SkippedDrawing(ValueError):
    """A drawing that is left out.

    Attributes:
        reason: the same few words for all drawings like it, to be counted.
        named: whether it is worth naming, being a fault and not a choice.
        rest: what is known of it nevertheless: an empty drawing, or a dot, with its word and id.
    """

    def __init__(
        self, reason: str, detail: str = "", named: bool = True, rest: Drawing | None = None
    ):
        super().__init__(f"{reason}. Received: {detail}" if detail else reason)
        self.reason, self.named, self.rest = reason, named, rest


class LostRecord(SkippedDrawing):
    """A record that cannot be used and must not be left out: that of a test set, or without its id.

    Nothing is made of its file.
    """


class Drawing(NamedTuple):
    """Strokes or an image, and what is known about them.

    Attributes:
        word: name of the category; None where nobody says (the drawings of a test set).
        strokes: list of `[[x0, x1, ...], [y0, y1, ...]]` in units of 0...255, perhaps with a third
            list of milliseconds; none in a test record without a drawing.
        image: uint8 `[height, width]`, strokes 255 on 0, where there are no strokes.
        key_id: the drawing's number in Quick, Draw!, as text.
        countrycode: two letters.
        recognized: whether Google's model understood it; None where nobody says.
        adjusted: what was done to the image, in the same few words for all images like it.
    """

    word: str | None
    strokes: Strokes | None = None
    image: np.ndarray | None = None
    key_id: str = ""
    countrycode: str = ""
    recognized: bool | None = None
    adjusted: tuple[str, ...] = ()


def from_fields(fields: Mapping[str, object], category: str | None, raw: bool | None) -> Drawing:
    """Return the drawing in a JSON object or a csv row of Quick, Draw!.

    Args:
        fields: `drawing`, as lists or as JSON text, and perhaps `word`, `key_id`, `countrycode`,
            `recognized`.
        category: the word, where the fields have none.
        raw: whether the strokes are raw; None looks whether they have times.

    Raises:
        SkippedDrawing: the drawing cannot be used.
    """
    word = fields.get("word", category)
    if word is not None and not isinstance(word, str):
        raise SkippedDrawing("the word is not text", shown(word))
    try:
        if "drawing" not in fields:
            raise SkippedDrawing("no field 'drawing'", shown(fields))
        strokes = checked(_decoded(fields["drawing"]), raw)
    except SkippedDrawing as error:
        error.rest = _with(fields, word, rest_of(error))
        raise
    return _with(fields, word, strokes)


def _recognized(value: object) -> bool | None:
    text = "" if value is None else str(value).strip().casefold()
    return text in _YES if text else None


def _decoded(drawing: object) -> object:
    """Return strokes that may be written as JSON text, as in tables."""
    if not isinstance(drawing, str) or drawing.lstrip()[:1] != "[":
        return drawing
    try:
        return json.loads(drawing)
    except (ValueError, RecursionError):
        raise SkippedDrawing("broken JSON", shown(drawing[:60])) from None


def rest_of(error: SkippedDrawing) -> Strokes:
    """Return the strokes of a test record that would be left out: a dot, or none."""
    return _DOT if error.reason == _ONE_POINT else []


def key_id_of(value: object) -> str:
    """Return a key_id as it was before a table program touched it; "" for none.

    Raises:
        LostRecord: it cannot be known.
    """
    try:
        return key_ids.exact(value)
    except ValueError:
        raise lost_id(value) from None


def lost_id(value: object) -> LostRecord:
    """Return the error that a key_id is not the number that it was."""
    return LostRecord(
        f"the key_id {value} has lost its last digits, as numbers do in table programs: take the "
        "original file or, for training, leave out the key_id"
    )


def _with(fields: Mapping[str, object], word: str | None, strokes: Strokes) -> Drawing:
    return Drawing(
        word,
        strokes,
        key_id=key_id_of(fields.get("key_id", "")),
        countrycode=str(fields.get("countrycode", "")),
        recognized=_recognized(fields.get("recognized")),
    )


def checked(strokes: Any, raw: bool | None = None) -> Strokes:  # noqa: C901
    """Check what a file gives as strokes and return them simplified.

    Raises:
        SkippedDrawing: not strokes, fewer than two points, or coordinates that cannot be.
    """
    if not raw and _are_simplified(strokes):
        return strokes
    try:
        for stroke in strokes:
            points, *others = map(len, stroke)
            if len(others) not in (1, 2) or isinstance(stroke[0], str):
                are_points = len(others) > 2 and {points, *others} in ({2}, {3})
                raise SkippedDrawing(POINTS if are_points else "not strokes", shown(strokes))
            if others != [points] * len(others):
                raise SkippedDrawing("x and y of different lengths", shown(stroke))
        strokes = [stroke for stroke in strokes if len(stroke[0])]
        values = [value for stroke in strokes for axis in stroke[:2] for value in axis]
    except (TypeError, ValueError, LookupError) as error:
        if isinstance(error, SkippedDrawing):
            raise
        raise SkippedDrawing("not strokes", shown(strokes)) from None
    if len(values) <= 2:
        raise SkippedDrawing(_ONE_POINT if strokes else _NO_POINT)
    if len(values) > 2 * _MOST_POINTS:
        raise SkippedDrawing("too many points", f"{len(values) // 2:,}")
    if raw is None:
        raw = all(len(stroke) == 3 for stroke in strokes)
    if not raw and _are_bytes(values):
        return strokes
    numbers = _numbers(values, strokes)
    if raw:
        return _simplified(numbers, strokes)
    if numbers.min() < 0 or numbers.max() > 255:
        raise SkippedDrawing("coordinates outside 0...255", _span(numbers))
    if numbers.max() <= 1:  # of another scale: it would be a dot
        raise SkippedDrawing("coordinates in 0...1, not 0...255", _span(numbers))
    return strokes


def _are_simplified(strokes: Any) -> bool:
    """Return whether these are strokes as in Quick, Draw!'s simplified files.

    Nearly all are, which is known in a third of the time that it takes to look at each stroke.
    """
    total = 0
    try:
        for xs, ys in strokes:
            if type(xs) is not list or type(ys) is not list:  # bytes() reads others otherwise
                return False
            points = len(bytes(xs))
            if not points or points != len(bytes(ys)):
                return False
            total += points
    except (TypeError, ValueError):
        return False
    return 1 < total <= _MOST_POINTS


def _are_bytes(values: list[Any]) -> bool:
    """Return whether all are integers in 0...255."""
    try:
        bytes(values)
    except (TypeError, ValueError):
        return False
    return True


def _numbers(values: list[float], strokes: Strokes) -> np.ndarray:
    try:
        numbers = np.array(values)
    except (TypeError, ValueError):
        raise SkippedDrawing("not strokes", shown(strokes)) from None
    if numbers.dtype.kind not in "iuf" or numbers.ndim != 1:
        raise SkippedDrawing("a coordinate that is no number", shown(strokes))
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        raise SkippedDrawing("a coordinate that is not finite", shown(strokes))
    return numbers


def _simplified(numbers: np.ndarray, strokes: Strokes) -> Strokes:
    if np.abs(numbers).max() > _LARGEST_RAW:
        raise SkippedDrawing("coordinates outside the screen", _span(numbers))
    try:
        times = [np.asarray(stroke[2], float) for stroke in strokes if len(stroke) == 3]
    except (TypeError, ValueError, OverflowError):
        raise SkippedDrawing("a time that is no number", shown(strokes)) from None
    if not all(np.isfinite(time).all() for time in times):
        raise SkippedDrawing("a time that is not finite", shown(strokes))
    return simplify.simplify(strokes)


def _span(numbers: np.ndarray) -> str:
    return f"{numbers.min():g} to {numbers.max():g}"


def shown(value: object) -> str:
    """Return the beginning of a value, on one line."""
    return " ".join(repr(value).split())[:80]
