"""The search space of a sweep, and the flags of train that a point in it stands for.

>>> parse("base_learning_rate=log:1e-4..3e-2, optimizer=adamw|muon", values)
{'base_learning_rate': Range(0.0001, 0.03, log=True), 'optimizer': Choice(('adamw', 'muon'))}
"""

from __future__ import annotations

import ast
import dataclasses
import json
import math
import re
import typing
from collections.abc import Mapping
from typing import Any

from absl import flags

from quickdraw import cli
from quickdraw.components.component import parse_params
from quickdraw.errors import QuickdrawError, UsageError, did_you_mean
from quickdraw.training.settings import Settings

EXAMPLE = "base_learning_rate=log:1e-4..3e-2, model_params.dropout=0..0.5, optimizer=adamw|muon"
_WITH_PARAMS = ("model_params", "loss_params", "optimizer_params", "augment")
_NOT_SEARCHED = ("train_dir", "train_data_pattern", "eval_data_pattern", "start_new_model")
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"(log:)?({_NUMBER})\.\.({_NUMBER})")
# A comma that is not within brackets.
_COMMA = re.compile(r",(?![^(\[]*[)\]])")


@dataclasses.dataclass(frozen=True)
class Range:
    """All numbers between two, on a logarithmic scale or not; whole ones if both are ints."""

    low: float
    high: float
    log: bool = False


@dataclasses.dataclass(frozen=True)
class Choice:
    """Some values, as they are written in a flag."""

    values: tuple[str, ...]


Space = dict[str, Range | Choice]


def parse(text: str, values: flags.FlagValues) -> Space:
    """Return the space that the value of `--search` describes.

    Args:
        text: NAME=LOW..HIGH, NAME=log:LOW..HIGH or NAME=A|B|C, separated by commas. NAME is a flag
            of train, or one and a parameter, such as model_params.dropout.
        values: the flags of train.

    Raises:
        UsageError: something else, with what was expected; an unknown flag, with the nearest one;
            or a value that the flag does not take.
    """
    space: Space = {}
    for entry in filter(None, map(str.strip, _COMMA.split(text))):
        name, equals, described = (part.strip() for part in entry.partition("="))
        if not equals or not described:
            raise UsageError(f"--search: NAME=LOW..HIGH or NAME=A|B expected. Received: {entry!r}")
        if name in space:
            raise UsageError(f"--search: {name} is there twice")
        _check_name(name, values)
        space[name] = _range(name, described) or _choice(name, described, values)
    if not space:
        raise UsageError(f'--search is needed, such as "{EXAMPLE}"')
    return space


def _check_name(name: str, values: flags.FlagValues) -> None:
    flag, dot, param = name.partition(".")
    known = [each for each in values if each not in (*_NOT_SEARCHED, "config")]
    if flag not in known:
        raise UsageError(f"--search: {flag!r} cannot be searched{did_you_mean(flag, known)}")
    if dot and (flag not in _WITH_PARAMS or not param.isidentifier()):
        raise UsageError(
            f"--search: a parameter looks like model_params.dropout, with one of "
            f"{', '.join(_WITH_PARAMS)}. Received: {name!r}"
        )


def _range(name: str, text: str) -> Range | None:
    """Return the range that a text describes, None where it is not about a range."""
    if ".." not in text:
        return None
    match = _RANGE.fullmatch(text)
    if not match:
        raise UsageError(f"--search: {name}: LOW..HIGH, two numbers, expected. Received: {text!r}")
    hints = typing.get_type_hints(Settings)
    kinds = {int, float} & ({int, float} if "." in name else set(cli.types_of(hints[name])))
    if not kinds:
        raise UsageError(f"--search: {name} is no number: A|B expected. Received: {text!r}")
    whole = all(re.fullmatch(r"-?\d+", number) for number in match.groups()[1:])
    if not whole and float not in kinds:
        raise UsageError(f"--search: {name}: whole numbers expected. Received: {text!r}")
    number = int if whole and int in kinds else float
    low, high = (number(each) for each in match.groups()[1:])
    if not low < high or not math.isfinite(high - low):
        raise UsageError(f"--search: {name}: the lower number first. Received: {text!r}")
    if match[1] and low <= 0:
        raise UsageError(f"--search: {name}: log: is for numbers above 0. Received: {text!r}")
    for value in (low, high):
        _check_value(name, value)
    return Range(low, high, bool(match[1]))


def _choice(name: str, text: str, values: flags.FlagValues) -> Choice:
    chosen = tuple(part.strip() for part in text.split("|"))
    if "" in chosen or len(set(chosen)) < len(chosen):
        raise UsageError(f"--search: {name}: different values, A|B, expected. Received: {text!r}")
    for value in chosen if name in values else ():
        try:
            _check_value(name, values[name].parser.parse(value))
        except (TypeError, ValueError) as error:
            raise UsageError(f"--search: {name}: {error}. Received: {value!r}") from None
    return Choice(chosen)


def _check_value(name: str, value: Any) -> None:
    if "." not in name:
        try:
            Settings(**{name: value})
        except QuickdrawError as error:
            raise UsageError(f"--search: {error}") from None


def arguments(point: Mapping[str, object], values: flags.FlagValues) -> list[str]:
    """Return the flags for train that a point stands for.

    Args:
        point: a value for each name; parameters join those that the flag has.
        values: the flags of train.
    """
    given, params = [], dict[str, dict[str, object]]()
    for name, value in point.items():
        flag, dot, param = name.partition(".")
        if dot:
            params.setdefault(flag, parse_params(str(values[flag].value)))[param] = _literal(value)
        else:
            given.append(f"--{name}={value}")
    return [*given, *(f"--{flag}={json.dumps(of)}" for flag, of in params.items())]


def _literal(value: object) -> object:
    """Return what a parameter's text stands for in Python; a word stands for itself."""
    try:
        return ast.literal_eval(value) if isinstance(value, str) else value
    except (SyntaxError, ValueError):
        return value
