"""Requests: strokes or a picture, validated before anything else happens."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quickdraw.drawings import Strokes, drawing, greyscale
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.drawings.polarity import ALONE
from quickdraw.errors import QuickdrawError
from quickdraw.serving.batching import Prepare
from quickdraw.serving.collecting import checked_session

MOST_BYTES = 256 * 1024
"""The limit of a request with strokes; 20,000 points fit."""
MOST_PICTURE_BYTES = 4 << 20
_MOST_TOP = 1000
_MOST_SECONDS = 86_400


class BadRequestError(QuickdrawError):
    """A request that is invalid; the message says why."""


@dataclasses.dataclass(frozen=True)
class Keep:
    """What is stored with a guess, if the visitor agreed.

    Attributes:
        session: a random number of 32 hexadecimal digits.
        drawing: the drawing's number in the session.
        word: the word to draw; None outside of the game.
        seconds: since the word was shown; None outside of the game.
    """

    session: str
    drawing: int
    word: str | None
    seconds: float | None


@dataclasses.dataclass(frozen=True)
class Question:
    """A drawing to guess.

    Attributes:
        prepare: converts it to the input of a model.
        top_k: the number of guesses of each model.
        models: names of the models to ask; None for all.
        points: the number of points; 0 for a picture.
        strokes: simplified; None for a picture.
        keep: what to store of it; None for nothing.
    """

    prepare: Prepare
    top_k: int = 3
    models: tuple[str, ...] | None = None
    points: int = 0
    strokes: Strokes | None = None
    keep: Keep | None = None


def of_json(data: str | bytes) -> tuple[Question, dict[str, Any]]:
    """Parse a question in JSON; return it with the parsed JSON.

    The strokes are in `drawing`, as in Quick, Draw!'s files, or in `strokes`. Strokes with times
    are taken as raw and are simplified, unless `raw` is false.

    Raises:
        BadRequestError: it is too long, not JSON, or not a drawing.
    """
    if len(data) > MOST_BYTES:
        raise BadRequestError(f"at most {MOST_BYTES:,} bytes expected. Received: {len(data):,}")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise BadRequestError('JSON expected: {"drawing": [[[x, …], [y, …]], …]}') from None
    if not isinstance(content, dict):
        raise BadRequestError(
            'an object expected: {"drawing": [[[x, …], [y, …]], …]}. '
            f"Received: {drawing.shown(content)}"
        )
    given = content.get("drawing", content.get("strokes"))
    if given is None:
        raise BadRequestError(f"'drawing' is missing. Received: {drawing.shown(sorted(content))}")
    strokes = checked(given, raw=None if content.get("raw", True) else False)
    question = Question(
        lambda model: model.arrays(strokes),
        _count(content.get("top_k", 3)),
        _names(content.get("models")),
        sum(len(stroke[0]) for stroke in strokes),
        strokes,
        _keep(content.get("keep")),
    )
    return question, content


def checked(given: object, raw: bool | None = None) -> Strokes:
    """Validate strokes and return them simplified, 0...255; a single dot is allowed.

    Args:
        given: the value in the request.
        raw: whether they are raw; None if strokes with times are.

    Raises:
        BadRequestError: not strokes, no strokes, or invalid numbers.
    """
    try:
        strokes = drawing.checked(given, raw)
        if raw is False and not _are_times([t for s in strokes for t in s[2:]]):
            raise BadRequestError("drawing: a time that is no number")
        return strokes
    except SkippedDrawing as error:
        dot = _dot(given) if error.reason in drawing.EMPTY else None
        if dot is not None:
            return dot
        raise BadRequestError(f"drawing: {error}") from None
    except RecursionError:
        raise BadRequestError("drawing: not strokes") from None


def _are_times(lists: list[Sequence[float]]) -> bool:
    """Return whether all are lists of finite numbers."""
    try:
        return bool(np.isfinite(np.array([t for times in lists for t in times], float)).all())
    except (TypeError, ValueError, OverflowError):
        return False


def _dot(given: Any) -> Strokes | None:
    """Return a drawing of one point; None if there is not exactly one finite point."""
    try:
        values = [axis[0] for stroke in given if len(stroke[0]) for axis in stroke[:2]]
        are_numbers = all(type(value) in (int, float) and math.isfinite(value) for value in values)
    except (TypeError, ValueError, LookupError, OverflowError):
        return None
    return [[[0], [0]]] if are_numbers and len(values) == 2 else None


def of_picture(data: bytes, query: Mapping[str, str]) -> Question:
    """Parse a question that is a picture, in any format that `prepare` reads.

    Args:
        data: the file.
        query: `top_k` and `models` from the query string.

    Raises:
        BadRequestError: it is too large, or not a picture.
    """
    try:
        found = greyscale.decode(data)
        with greyscale.damage():
            pixels, _ = greyscale.on_black(found, ALONE)
    except SkippedDrawing as error:
        raise BadRequestError(str(error)) from None
    models = query.get("models")
    return Question(
        lambda model: model.array_of_picture(pixels),
        _count(query.get("top_k", 3)),
        _names(models.split(",") if models else None),
    )


def _count(value: Any) -> int:
    try:
        count = int(value)
        if isinstance(value, bool) or count != float(value) or not 1 <= count <= _MOST_TOP:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise BadRequestError(
            f"top_k: a whole number of 1…{_MOST_TOP} expected. Received: {drawing.shown(value)}"
        ) from None
    return count


def whole(value: object, name: str) -> int:
    """Return a non-negative integer.

    Raises:
        BadRequestError: it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise BadRequestError(f"{name}: a whole number expected. Received: {drawing.shown(value)}")
    return value


def _keep(value: object) -> Keep | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadRequestError(f"keep: an object expected. Received: {drawing.shown(value)}")
    word, seconds = value.get("word"), value.get("seconds")
    if word is not None and not isinstance(word, str):
        raise BadRequestError(f"word: text expected. Received: {drawing.shown(word)}")
    if seconds is not None and (
        not isinstance(seconds, int | float) or not 0 <= seconds <= _MOST_SECONDS
    ):
        raise BadRequestError(f"seconds: a number expected. Received: {drawing.shown(seconds)}")
    return Keep(
        checked_session(value.get("session")),
        whole(value.get("drawing"), "drawing"),
        word,
        None if seconds is None else round(seconds, 2),
    )


def _names(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or not value:
        raise BadRequestError(f"models: a list of names expected. Received: {drawing.shown(value)}")
    return tuple(dict.fromkeys(value))
