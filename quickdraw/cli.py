"""What the entry points share: flags in, one call, exit code out.

Flags are defined in functions on a `FlagValues` of their own, so importing a module defines none,
and parsing them needs no TensorFlow.
"""

from __future__ import annotations

import dataclasses
import errno
import gc
import inspect
import json
import os
import sys
import tempfile
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from absl import flags

from quickdraw import environment
from quickdraw.errors import QuickdrawError, UsageError, did_you_mean
from quickdraw.fields import check, field

F = TypeVar("F")

_EXIT_INTERRUPTED = 130
_NOTICES = (
    "InitializeLog()",
    "oneDNN custom operations",
    "Could not find cuda drivers",
    "failed call to cuInit",
)


def run(kind: type[F], command: Callable[[F], None], argv: list[str] | None = None) -> int:
    """Run an entry point and return its exit code; a user's mistake prints one line.

    Args:
        kind: the dataclass whose fields are the entry point's flags.
        command: does the work; its module's docstring is the manual that `--help` prints.
        argv: program name and arguments; `sys.argv` when not given.
    """
    argv = sys.argv if argv is None else argv
    module = inspect.getmodule(command)
    name = _program(argv[0])
    values = flags.FlagValues()
    define_flags(values, kind)
    if "--help" in argv[1:] or "-h" in argv[1:]:
        print(f"{inspect.getdoc(module)}\n\nFlags:\n{help_of(values)}")
        return 0
    try:
        parse(values, argv)
        command(read_flags(values, kind))
        return 0
    except QuickdrawError as error:
        hint = f"\nSee {name} --help" if isinstance(error, UsageError) else ""
        print(f"{name}: {error}{hint}", file=sys.stderr)
        return environment.exit_code(error.exit_code)
    except BrokenPipeError:  # whoever read stdout, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return _EXIT_INTERRUPTED
    except Exception as error:
        explanation = _explain(error)
        if explanation is None:
            raise
        print(f"{name}: {explanation}", file=sys.stderr)
        return QuickdrawError.exit_code


def _program(path: str) -> str:
    folder, name = os.path.split(path)
    if not name.endswith(".py"):
        return name
    return "python -m " + ".".join(("quickdraw", *_below_package(folder), name[:-3]))


def _below_package(folder: str) -> list[str]:
    parts = folder.replace(os.sep, "/").split("/")
    at = len(parts) - 1 - parts[::-1].index("quickdraw") if "quickdraw" in parts else len(parts)
    return parts[at + 1 :]


def load_tensorflow() -> None:
    """Import TensorFlow and find its devices, without the notices that concern no user.

    Version 2.21 prints them whatever TF_CPP_MIN_LOG_LEVEL says, so they are filtered on their way
    to stderr. Anything else, such as a GPU that cannot be used, is passed on.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        gc.disable()  # modules are no garbage; looking for it takes a sixth of the import
        try:
            import tensorflow as tf

            gc.freeze()

            if "TF_CONFIG" not in os.environ:  # workers must connect before devices are used
                tf.config.list_logical_devices()
        finally:
            gc.enable()
            os.dup2(stderr, 2)
            os.close(stderr)
            captured.seek(0)
            for line in captured.read().decode(errors="replace").splitlines():
                if not any(notice in line for notice in _NOTICES):
                    print(line, file=sys.stderr)


@dataclasses.dataclass(kw_only=True)
class Config:
    """The flag that most commands have beside their own."""

    config: str | None = field(
        None, "JSON file with values for any of these flags; the command line wins."
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
            flags.DEFINE_list(name, default, meaning, flag_values=values)
        else:
            parser: flags.ArgumentParser = flags.ArgumentParser()
            if typing.get_origin(types[0]) is Literal or each.metadata.get("choices"):
                parser = flags.EnumParser(list(choices))
            elif types[0] in (int, float):
                number = flags.IntegerParser() if types == [int] else flags.FloatParser()
                parser = _NumberParser() if types == [int, float] else number
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


class _NumberParser(flags.ArgumentParser):
    """An int where the text looks like one, else a float."""

    syntactic_help = "a number"

    def parse(self, argument: Any) -> int | float:
        if isinstance(argument, (int, float)) and not isinstance(argument, bool):
            return argument
        if not isinstance(argument, str):
            raise TypeError(f"a number expected. Received: {argument!r}")
        try:
            return int(argument)
        except ValueError:
            return float(argument)


def help_of(values: flags.FlagValues) -> str:
    """Return one paragraph a flag: name, default, meaning."""
    lines = []
    for name in sorted(values):
        flag = values[name]
        default = "" if flag.default is None else f" (default: {flag.default_as_str})"
        lines.append(f"  --{name}{default}\n      {flag.help}")
    return "\n".join(lines)


def parse(values: flags.FlagValues, argv: list[str]) -> None:
    """Parse a command line; what it leaves unset is taken from the JSON file `--config` names.

    Raises:
        UsageError: an unknown flag or key (with the nearest known one), or a wrong type.
    """
    try:
        rest = values(argv)
    except flags.Error as error:
        raise UsageError(str(error).replace("FATAL Flags parsing error: ", "")) from None
    if len(rest) > 1:
        raise UsageError(f"every setting is a --flag=value. Received: {rest[1]!r}")
    if "config" in values and values["config"].value:
        _apply_config(values, values["config"].value)


def _apply_config(values: flags.FlagValues, path: str) -> None:
    from quickdraw import storage

    settings = storage.read_json(path)
    if not isinstance(settings, dict):
        raise UsageError(f"{path}: an object of flag names and values expected")
    for name, value in settings.items():
        if name == "comment":
            continue
        if name not in values:
            raise UsageError(f"{path}: unknown key {name!r}{did_you_mean(name, values)}")
        flag = values[name]
        if flag.present or value is None:
            continue
        try:
            flag.parse(json.dumps(value) if isinstance(value, dict) else value)
        except flags.Error as error:
            raise UsageError(f"{path}: {error}") from None


def _explain(error: Exception) -> str | None:
    """Return one line for a failure of the machine rather than of the program; None for a bug."""
    if isinstance(error, OSError) and error.errno is not None:
        hint = " (free some space and run the same command again)" if _disk_full(error) else ""
        return f"{error.filename or 'writing'}: {error.strerror}{hint}"
    if "tensorflow" not in sys.modules:
        return None
    from tensorflow import errors

    if isinstance(error, errors.OpError) and any(
        words in error.message for words in ("No space left", "Read-only", "Permission denied")
    ):
        return error.message.splitlines()[0]
    return None


def _disk_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
