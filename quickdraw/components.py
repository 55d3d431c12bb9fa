"""Models and losses are found by name and made from typed, checked parameters."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import importlib
import inspect
import json
import os
import sys
import traceback
import types
import typing
from collections.abc import Iterator
from typing import Any, TypeVar, dataclass_transform

from quickdraw.cli import did_you_mean
from quickdraw.errors import QuickdrawError


@dataclass_transform(kw_only_default=True)
class Component:
    """A class whose annotated attributes with defaults are its parameters.

    Subclasses are dataclasses without saying so: `units: int = 64` in the class body is a
    parameter that `--model_params="units=128"` sets.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(kw_only=True)(cls)

    @classmethod
    def name(cls) -> str:
        """The name by which `find` finds this class."""
        # The class below Component in the family tree is the base.
        home = sys.modules[_home(cls.__mro__[cls.__mro__.index(Component) - 1])]
        known = getattr(home, cls.__name__, None) is cls
        return cls.__name__ if known else f"{cls.__module__}.{cls.__name__}"

    def params(self) -> dict[str, Any]:
        """The parameters' values, as JSON holds them."""
        return {
            field.name: _jsonable(getattr(self, field.name))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }


C = TypeVar("C", bound=Component)


def _home(base: type) -> str:
    """Where a name without dots is looked for: the module of the base class, or its package."""
    return base.__module__.removesuffix(".base")


def _jsonable(value: Any) -> Any:
    return [_jsonable(item) for item in value] if isinstance(value, tuple) else value


def find(name: str, base: type[C]) -> type[C]:
    """The subclass of `base` that a name or a dotted path stands for.

    Args:
        name: the name of a class in the module or package of `base`, or `module.Class` of
            anybody's own.
        base: what the class must extend.

    Raises:
        QuickdrawError: no such module or class (with the nearest known name), a module that fails
            when imported, or a class that does not extend `base`.
    """
    module_name, _, class_name = name.rpartition(".")
    module = _import(module_name or _home(base))
    known = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    }
    if class_name in known:
        return known[class_name]
    where = module.__name__
    if isinstance(getattr(module, class_name, None), type):
        raise QuickdrawError(f"{where}.{class_name} does not extend {base.__name__}")
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
    """Tells a failure of somebody's own function in one line, with a line of its file.

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


def parse_params(text: str) -> dict[str, Any]:
    """Parameters as Python writes keyword arguments, or as JSON.

    >>> parse_params("filters=(8, 16), dropout=0.5")
    {'filters': (8, 16), 'dropout': 0.5}

    Raises:
        QuickdrawError: neither of the two.
    """
    try:
        if text.lstrip().startswith("{"):
            return json.loads(text)
        call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            raise ValueError
        names = [keyword.arg for keyword in call.keywords]
        if None in names or len(set(names)) < len(names):
            raise ValueError
        return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise QuickdrawError(
            f'parameters look like "units=128, dropout=0.5". Received: {text!r}'
        ) from None


def create(chosen: type[C], params: dict[str, Any]) -> C:
    """An instance with these parameters, each checked against its annotation.

    Raises:
        QuickdrawError: an unknown parameter (with the nearest known one) or a wrong type.
    """
    hints = typing.get_type_hints(chosen)
    known = [field.name for field in dataclasses.fields(chosen)]  # type: ignore[arg-type]
    checked = {}
    for name, value in params.items():
        if name not in known:
            raise QuickdrawError(
                f"{chosen.__name__} has no parameter {name!r}{did_you_mean(name, known)}"
            )
        checked[name] = _check(value, hints[name], f"{chosen.__name__}.{name}")
    missing = [
        field.name
        for field in dataclasses.fields(chosen)  # type: ignore[arg-type]
        if field.default is field.default_factory is dataclasses.MISSING
        and field.name not in checked
    ]
    if missing:
        raise QuickdrawError(f"{chosen.__name__} needs a value for {', '.join(missing)}")
    return chosen(**checked)


def component(chosen: str | C, params: str | dict, base: type[C]) -> C:
    """The instance that a name with parameters stands for; an instance stands for itself.

    Raises:
        QuickdrawError: an unknown name or parameter (with the nearest known one), or a wrong type.
    """
    if not isinstance(chosen, str):
        return chosen
    values = parse_params(params) if isinstance(params, str) else params
    return create(find(chosen, base), values)


def _check(value: Any, hint: Any, where: str) -> Any:
    """`value` as `hint` wants it: an int where a float stands, a list where a tuple does."""
    for option in typing.get_args(hint) if _is_union(hint) else (hint,):
        with contextlib.suppress(TypeError):
            return _as(value, option, where)
    raise QuickdrawError(f"{where} must be {_in_words(hint)}. Received: {value!r}")


def _in_words(hint: Any) -> str:
    items = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return f"one of {', '.join(map(repr, items))}"
    return f"of type {hint.__name__ if isinstance(hint, type) and not items else hint}"


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (types.UnionType, typing.Union)


def _as(value: Any, hint: Any, where: str) -> Any:
    """`value` as a type that is no union; TypeError if it does not fit."""
    items = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        if value in items:
            return value
    elif hint is tuple or typing.get_origin(hint) is tuple:
        if isinstance(value, (list, tuple)):
            if not items or items[-1] is ...:
                items = (items[0] if items else typing.Any,) * len(value)
            if len(items) == len(value):
                return tuple(_check(*pair, where) for pair in zip(value, items, strict=True))
    elif hint is float and type(value) is int:
        return float(value)
    elif hint is typing.Any or (isinstance(hint, type) and type(value) is hint):
        return value
    raise TypeError
