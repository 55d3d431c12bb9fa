"""Models and losses are found by name; what goes wrong in somebody's own code is one line."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
import traceback
import types
from collections.abc import Iterator
from typing import Any, TypeVar

from quickdraw.components.component import C, Component, create, parse_params
from quickdraw.errors import QuickdrawError, did_you_mean

T = TypeVar("T")


def find(name: str, base: type[C]) -> type[C]:
    """Return the subclass of `base` that a name or a dotted path stands for.

    Args:
        name: the name of a class in one of `base.homes`, or `module.Class` of anybody's own.
        base: what the class must extend.

    Raises:
        QuickdrawError: no such module or class (with the nearest known name), a module that fails
            when imported, or a class that does not extend `base`.
    """
    return find_class(name, base, base.homes)


def find_class(name: str, base: type[T], homes: tuple[str, ...]) -> type[T]:
    """Return the subclass of any class that a name stands for; see `find`."""
    module_name, _, class_name = name.rpartition(".")
    homes = (module_name,) if module_name else homes
    known: dict[str, type[T]] = {}
    for home in homes:
        module = _import(home)
        for key, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, base) and value is not base:
                known.setdefault(key, value)
        if class_name in known:
            return known[class_name]
        if isinstance(getattr(module, class_name, None), type):
            raise QuickdrawError(f"{home}.{class_name} does not extend {base.__name__}")
    where = homes[0]
    hint = did_you_mean(class_name, known) if known else f". {where} has no {base.__name__}"
    raise QuickdrawError(f"{where} has no {base.__name__} named {class_name!r}{hint}")


def _import(name: str) -> types.ModuleType:
    # Console commands, unlike `python -m`, do not search the current folder by themselves.
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise QuickdrawError(
                f"no module named {name!r} in {os.getcwd()} or among the installed packages"
            ) from None
        raise QuickdrawError(f"importing {name} failed: {error}") from None
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        file, line = place.filename, place.lineno
        if isinstance(error, SyntaxError):
            file, line = error.filename or file, error.lineno
        raise _failure(f"importing {name}", error, file, line) from None


def _failure(what: str, error: Exception, file: str, line: int | None) -> QuickdrawError:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return QuickdrawError(f"{what} failed: {reason} ({file}, line {line})")


@contextlib.contextmanager
def explained(function: Any) -> Iterator[None]:
    """Tell a failure of somebody's own function in one line, with a line of its file.

    The lines of the libraries that it called say little.
    """
    try:
        yield
    except QuickdrawError:
        raise
    except Exception as error:
        code = inspect.unwrap(function).__code__
        file, line = code.co_filename, code.co_firstlineno
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == file and frame.lineno:
                line = frame.lineno
        raise _failure(function.__qualname__, error, file, line) from error


def component(chosen: str | Component, params: str | dict[str, Any], base: type[C]) -> C:
    """Return the instance that a name with parameters stands for; an instance stands for itself.

    Raises:
        QuickdrawError: an unknown name or parameter (with the nearest known one), a wrong type, or
            an instance of something else than `base`.
    """
    if isinstance(chosen, base):
        return chosen
    if not isinstance(chosen, str):
        raise QuickdrawError(f"a {base.__name__} expected. Received: {type(chosen).__name__}")
    values = parse_params(params) if isinstance(params, str) else params
    return create(find(chosen, base), values)
