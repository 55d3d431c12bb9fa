"""Flags: a dataclass says which there are, a command line or a JSON file what they are set to.

Flags are defined in functions on a `FlagValues` of their own, so importing a module defines none,
and parsing them needs no TensorFlow.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import types
import typing
from typing import Any, Literal, TypeVar

from absl import flags

from quickdraw.cli.other_names import NOWHERE, Elsewhere, hint
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, UsageError
from quickdraw.fields import check, field, with_home

F = TypeVar("F")


@dataclasses.dataclass(kw_only=True)
class Config:
    """The flag that most commands have beside their own."""

    config: str | None = field(
        None, "JSON file with values for any of these flags; the command line wins.", path=True
    )


def define_flags(values: flags.FlagValues, kind: type) -> None:
    """Define a flag for each field of a dataclass, with its default and its meaning."""
    hints = typing.get_type_hints(kind)
    for each in dataclasses.fields(kind):
        default: Any = each.default
        name, meaning = each.name, each.metadata["help"]
        types = [one for one in types_of(hints[name]) if one is not type(None)]
        choices = each.metadata.get("choices") or typing.get_args(types[0])
        if types == [bool]:
            flags.DEFINE_boolean(name, default, meaning, flag_values=values)
        elif typing.get_origin(types[0]) is tuple:
            several = None if default is None else list(default)
            flags.DEFINE_list(name, several, meaning, flag_values=values)
        else:
            parser: flags.ArgumentParser[Any] = flags.ArgumentParser()
            if typing.get_origin(types[0]) is Literal or each.metadata.get("choices"):
                parser = flags.EnumParser(list(choices))
            elif types[0] in (int, float):
                words = [word for one in types[1:] for word in typing.get_args(one)]
                parser = _NumberParser(types, words)
            flags.DEFINE(parser, name, default, meaning, flag_values=values)


def types_of(hint: Any) -> tuple[Any, ...]:
    """Return the types of a union, or the one type."""
    is_union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    return typing.get_args(hint) if is_union else (hint,)


def read_flags(values: flags.FlagValues, kind: type[F]) -> F:
    """Make the dataclass whose fields the flags stand for, each value checked.

    Raises:
        UsageError: a value that is out of bounds.
    """
    chosen = {each.name: values[each.name].value for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    try:
        made = kind(**chosen)
        check(made, "--")
        return made
    except QuickdrawError as error:
        raise UsageError(str(error)) from None


class _NumberParser(flags.ArgumentParser[int | float | str]):
    """An integer, a float, whichever of both the text looks like, or one of some words."""

    def __init__(self, types: list[type], words: list[str]):
        super().__init__()
        convert = {int: flags.IntegerParser().convert, float: flags.FloatParser().convert}
        self._convert = [convert[kind] for kind in (int, float) if kind in types]
        self._words = words
        number = "a number, such as 0.5 or 1e-3," if float in types else "an integer"
        self.syntactic_help = " or ".join([number, *words])

    def parse(self, argument: object) -> int | float | str:
        if isinstance(argument, str) and argument in self._words:
            return argument
        for convert in self._convert:
            with contextlib.suppress(TypeError, ValueError):
                return convert(argument)  # type: ignore[arg-type]  # what is no number is told
        raise ValueError(f"{self.syntactic_help} expected. Received: {argument!r}")


def help_of(values: flags.FlagValues) -> str:
    """Return one paragraph a flag: name, default, meaning."""
    lines = []
    for name in sorted(values):
        flag = values[name]
        default = "" if flag.default is None else f" (default: {flag.default_as_str})"
        lines.append(f"  --{name}{default}\n      {flag.help}")
    return "\n".join(lines)


def parse(values: flags.FlagValues, argv: list[str], elsewhere: Elsewhere = NOWHERE) -> None:
    """Parse a command line; what it leaves unset is taken from the JSON file `--config` names.

    Args:
        values: the flags that there are.
        argv: program name and arguments.
        elsewhere: the flags on the other side of the command's `--`.

    Raises:
        UsageError: an unknown flag or key (with the nearest known one), or a wrong type.
    """
    try:
        rest = values(argv)[1:]
    except flags.UnrecognizedFlagError as error:
        name = error.flagname
        raise UsageError(f"no flag --{name}{hint(name, list(values), elsewhere)}") from None
    except (flags.Error, ValueError) as error:  # the latter where --no… is given a value
        text = str(error).replace("FATAL Flags parsing error: ", "")
        not_boolean = r"\('Non-boolean argument to boolean flag', (.*)\)"
        raise UsageError(
            re.sub(not_boolean, r"true or false expected. Received: \1", text)
        ) from None
    if rest:
        before = argv[: len(argv) - len(rest)]
        raise UsageError(
            f"every setting is a --flag=value. Received: {rest[0]!r}{_stray(values, before, rest)}"
        )
    for name in values:
        if values[name].present > 1:
            log(f"note: --{name} is given {values[name].present} times: the last one counts")
    if "config" in values and values["config"].value:
        _apply_config(values, with_home(values["config"].value))


def first_word_as(flag: str, argv: list[str]) -> list[str]:
    """Turn `program train --x` into `program --flag=train --x`, parsed like any other flag."""
    if len(argv) > 1 and not argv[1].startswith("-"):
        return [argv[0], f"--{flag}={argv[1]}", *argv[2:]]
    return argv


def _stray(values: flags.FlagValues, before: list[str], rest: list[str]) -> str:
    """Return what to do about a word that is no flag: `rest[0]`, which comes after `before`."""
    if rest[0].startswith(tuple("‐‑‒–—−")):
        return ". It begins with a dash; a flag begins with two hyphens: --"
    *_, flag, value = ("", *before)
    if (name := value.lstrip("-")) in values and values[name].boolean:
        return f". Write --{name}={rest[0]}"
    if (name := flag.lstrip("-")) in values and os.path.exists(rest[0]):
        return f". Quote patterns, so that the shell leaves them alone: --{name}='…'"
    return ""


def _apply_config(values: flags.FlagValues, path: str) -> None:
    from quickdraw import storage

    settings = storage.read_json(path)
    if not isinstance(settings, dict):
        raise UsageError(f"{path}: an object of flag names and values expected")
    if "data_fingerprint" in settings and "settings" in settings:
        raise UsageError(
            f"{path} describes a run, and is no configuration: flags and values alone expected. "
            'Write what is wanted of its "settings" into a file of its own, with "model", '
            '"model_params", "label_loss" and "loss_params" beside them'
        )
    for name, value in settings.items():
        if name == "comment":
            continue
        if name == "config":
            raise UsageError(f"{path}: the file named as 'config' is not read: leave that out")
        if name not in values:
            raise UsageError(f"{path}: unknown key {name!r}{hint(name, list(values))}")
        flag = values[name]
        if flag.present or value is None:
            continue
        try:
            flag.parse(json.dumps(value) if isinstance(value, dict) else value)
        except flags.Error as error:
            raise UsageError(f"{path}: {error}") from None
