"""Models and losses are found by name and made from typed, checked parameters."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import sys
import typing
from typing import Any, ClassVar, TypeVar, dataclass_transform

from quickdraw import fields
from quickdraw.errors import QuickdrawError, did_you_mean


@dataclass_transform(kw_only_default=True)
class Component:
    """A class whose annotated attributes with defaults are its parameters.

    Subclasses are dataclasses without saying so: `units: int = 64` in the class body is a
    parameter that `--model_params="units=128"` sets.

    Attributes:
        homes: the modules in which a name without dots is looked up.
    """

    homes: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        try:
            if "__init__" in vars(cls):
                raise TypeError(
                    "an __init__ of its own would keep parameters from being seen: annotated "
                    "attributes are the parameters (units: int = 32), and __post_init__ may follow"
                )
            if hidden := _hidden_method(cls):
                raise TypeError(f"{hidden} is a method, so a parameter must have another name")
            _annotate_new_defaults(cls)
            dataclasses.dataclass(kw_only=True)(cls)
        except (TypeError, ValueError) as error:
            written = sys._getframe(1)  # the class statement
            raise QuickdrawError(
                f"{cls.__name__}: {_explain_default(cls) or error} "
                f"({written.f_code.co_filename}, line {written.f_lineno})"
            ) from None

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):  # type: ignore[arg-type]
            fields.check_bounds(getattr(self, each.name), each.metadata, each.name)

    @classmethod
    def name(cls) -> str:
        """Return the name by which `find` finds this class."""
        homes = (sys.modules.get(home) for home in cls.homes)
        known = any(getattr(home, cls.__name__, None) is cls for home in homes)
        return cls.__name__ if known else f"{cls.__module__}.{cls.__name__}"

    def params(self) -> dict[str, object]:
        """Return the parameters' values, as JSON holds them."""
        return {
            field.name: _jsonable(getattr(self, field.name))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }


C = TypeVar("C", bound=Component)


def _hidden_method(kind: type) -> str | None:
    """Return the first attribute of a class that takes the place of a method; None if none does."""
    for name in {**inspect.get_annotations(kind), **vars(kind)}:
        method = getattr(super(kind, kind), name, None)
        own = vars(kind).get(name)
        if callable(method) and not (callable(own) or hasattr(own, "__func__") or name[:2] == "__"):
            return name
    return None


def _annotate_new_defaults(kind: type) -> None:
    """Give the inherited parameters that get a new default, `units = 32`, their type again.

    Without one a dataclass would keep the inherited default.
    """
    for base in filter(dataclasses.is_dataclass, kind.__mro__[1:]):
        for name in {field.name for field in dataclasses.fields(base)} & set(vars(kind)):
            if name not in inspect.get_annotations(kind):
                kind.__annotations__[name] = typing.get_type_hints(base)[name]


def _explain_default(kind: type) -> str | None:
    """Return what is wrong with a default that all instances would share; None if there is none."""
    for name in inspect.get_annotations(kind):
        default = vars(kind).get(name)
        if type(default).__hash__ is None:
            return (
                f"the default of {name} must be a number, a word or a tuple, such as "
                f"{name}: tuple[int, ...] = (32, 16). Received: {default!r}"
            )
    return None


def _jsonable(value: object) -> object:
    return [_jsonable(item) for item in value] if isinstance(value, tuple) else value


def parse_params(text: str) -> dict[str, Any]:
    """Parse parameters written as keyword arguments of Python, or as JSON.

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


def create(chosen: type[C], params: dict[str, object]) -> C:
    """Return an instance with these parameters, each checked against its annotation.

    Raises:
        QuickdrawError: an unknown parameter (with the nearest known one) or a wrong type.
    """
    hints = _hints(chosen)
    known = {field.name: field for field in dataclasses.fields(chosen)}  # type: ignore[arg-type]
    checked = {}
    for name, value in params.items():
        if name not in known:
            lacks_type = f": {name} = … in its body needs a type, {name}: int = …"
            raise QuickdrawError(
                f"{chosen.__name__} has no parameter {name!r}"
                + (lacks_type if name in vars(chosen) else did_you_mean(name, known))
            )
        # What is the default may be of another type than the annotation: nobody chose it here.
        if not _is_default(value, known[name]):
            checked[name] = fields.convert(value, hints[name], f"{chosen.__name__}.{name}")
    missing = [
        name
        for name, field in known.items()
        if field.default is field.default_factory is dataclasses.MISSING and name not in checked
    ]
    if missing:
        raise QuickdrawError(f"{chosen.__name__} needs a value for {', '.join(missing)}")
    return chosen(**checked)


def _hints(chosen: type) -> dict[str, object]:
    try:
        return typing.get_type_hints(chosen)
    except Exception as error:
        raise QuickdrawError(
            f"{chosen.__name__}: an annotation cannot be understood: {type(error).__name__}: "
            f"{error} ({inspect.getsourcefile(chosen)})"
        ) from None


def _is_default(value: object, field: dataclasses.Field[object]) -> bool:
    """Return whether a value is a field's default, as it is or as JSON holds it; True is not 1."""
    default = field.default
    return type(value) in (type(default), type(_jsonable(default))) and (
        value in (default, _jsonable(default))
    )
