"""Typed, bounded fields of dataclasses: settings, flags, parameters of models and losses.

One declaration says a number's default, its meaning and its bounds; one function checks them all.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import numbers
import os
import re
import sys
import types
import typing
from typing import Any

from quickdraw.errors import QuickdrawError


def field(
    default: Any,
    meaning: str = "",
    low: float | None = None,
    high: float | None = None,
    **more: Any,
) -> Any:
    """Declare a field of a dataclass.

    Args:
        default: its default.
        meaning: what it is, in a sentence: the help of its flag.
        low: the least number allowed.
        high: the largest number allowed.
        more: `above`, a number that the value must exceed; `choices`, the words allowed, where
            they are not a `Literal`; `path`, where it is one, or several between commas, and `~`
            is the home folder; and whatever else the dataclass wants to know of its field.
    """
    metadata = {"help": meaning, "low": low, "high": high, **more}
    return dataclasses.field(default=default, metadata=metadata)


def check(instance: Any, prefix: str = "") -> None:
    """Check each field of a dataclass against its annotation and its bounds, and convert it.

    An integer where a float stands becomes one, a list where a tuple stands, too. A value that is
    the default is not looked at. Empty text or an empty list is refused where the default is None.

    Args:
        instance: of a dataclass, frozen or not.
        prefix: stands before the names in messages, such as "--".

    Raises:
        QuickdrawError: a value of a wrong type, out of bounds, or empty.
    """
    hints = typing.get_type_hints(type(instance))
    for each in dataclasses.fields(instance):
        value, name = getattr(instance, each.name), prefix + each.name
        if value is each.default:
            continue
        if each.default is None and isinstance(value, (str, list, tuple)) and not value:
            raise QuickdrawError(
                f"{name} is empty: say what is meant, or leave it out (is it a variable of the "
                "shell that is not set?)"
            )
        value = convert(value, hints[each.name], name)
        if each.metadata.get("path"):
            value = with_home(value)
        check_bounds(value, each.metadata, name)
        object.__setattr__(instance, each.name, value)


def with_home(paths: Any) -> Any:
    """Return a path, paths between commas, or a tuple of paths, with `~` as the home folder.

    Shells leave `~` alone behind `--flag=`, so that a folder of that name would be made.
    """
    if isinstance(paths, tuple):
        return tuple(map(with_home, paths))
    if not isinstance(paths, str):
        return paths
    return re.sub(r"(?:^|(?<=,))\s*(~[^/,]*)", lambda at: os.path.expanduser(at[1]), paths)


def check_bounds(value: Any, bounds: typing.Mapping[str, Any], name: str) -> None:
    """Check a value against `low`, `high`, `above` and `choices`, as far as there are any.

    Raises:
        QuickdrawError: it is out of bounds.
    """
    low, high, above, choices = (bounds.get(key) for key in ("low", "high", "above", "choices"))
    if choices and value is not None and value not in choices:
        raise QuickdrawError(f"{name} must be one of {', '.join(choices)}. Received: {value!r}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    if low is not None and high is not None:
        expected = f"from {low:.10g} to {high:.10g}"
    elif low is not None:
        expected = f"at least {low:.10g}"
    elif above is not None:
        expected = f"above {above:.10g}" + (f" and at most {high:.10g}" if high is not None else "")
    else:
        expected = f"at most {high:.10g}" if high is not None else "a number"
    # Where numbers have bounds infinity is no setting; without, it may be somebody's parameter.
    largest = math.inf if low is high is above is None else sys.float_info.max
    least, most = -largest if low is None else low, largest if high is None else high
    # `not … <= …`, as a value that is no number compares with none.
    if not least <= value <= most or (above is not None and not value > above):
        raise QuickdrawError(f"{name} must be {expected}. Received: {value}")


def convert(value: object, hint: object, where: str) -> Any:
    """Return `value` as an annotation wants it: an int as a float, a list as a tuple.

    Raises:
        QuickdrawError: it is of another type.
    """
    for option in typing.get_args(hint) if _is_union(hint) else (hint,):
        with contextlib.suppress(TypeError):
            return _as(value, option, where)
    hint_at_instance = (
        f", a class: {value.__name__}() is an instance" if isinstance(value, type) else ""
    )
    raise QuickdrawError(
        f"{where} must be {_in_words(hint)}. Received: {value!r}{hint_at_instance}"
    )


def _in_words(hint: object) -> str:
    items = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return f"one of {', '.join(map(str, items))}"
    return f"of type {hint.__name__ if isinstance(hint, type) and not items else hint}"


def _is_union(hint: object) -> bool:
    return typing.get_origin(hint) in (types.UnionType, typing.Union)


def _as(value: Any, hint: Any, where: str) -> Any:
    """Return `value` as a type that is no union; raise TypeError if it does not fit."""
    kind, items = typing.get_origin(hint) or hint, typing.get_args(hint)
    if kind is typing.Literal:
        if value in items:
            return value
    elif kind in (tuple, list):
        if isinstance(value, (list, tuple)):
            if kind is list or not items or items[-1] is ...:
                items = (items[0] if items else typing.Any,) * len(value)
            if len(items) == len(value):
                return kind(convert(*pair, where) for pair in zip(value, items, strict=True))
    elif kind in (int, float):
        return _number(value, kind)
    elif kind is typing.Any or (isinstance(kind, type) and isinstance(value, kind)):
        return value
    raise TypeError


def _number(value: Any, kind: type) -> int | float:
    """Return a number as an int or a float; NumPy's are numbers, too, True and False are none."""
    allowed: type = numbers.Real if kind is float else numbers.Integral
    if isinstance(value, bool) or not isinstance(value, allowed):
        raise TypeError
    return kind(value)
