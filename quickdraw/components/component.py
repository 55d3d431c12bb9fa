"""Models and losses are found by name and made from typed, checked parameters."""

from __future__ import annotations

import ast
import dataclasses
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
        dataclasses.dataclass(kw_only=True)(cls)

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):  # type: ignore[arg-type]
            fields.check_bounds(getattr(self, each.name), each.metadata, each.name)

    @classmethod
    def name(cls) -> str:
        """Return the name by which `find` finds this class."""
        homes = (sys.modules.get(home) for home in cls.homes)
        known = any(getattr(home, cls.__name__, None) is cls for home in homes)
        return cls.__name__ if known else f"{cls.__module__}.{cls.__name__}"

    def params(self) -> dict[str, Any]:
        """Return the parameters' values, as JSON holds them."""
        return {
            field.name: _jsonable(getattr(self, field.name))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }


C = TypeVar("C", bound=Component)


def _jsonable(value: Any) -> Any:
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


def create(chosen: type[C], params: dict[str, Any]) -> C:
    """Return an instance with these parameters, each checked against its annotation.

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
        checked[name] = fields.convert(value, hints[name], f"{chosen.__name__}.{name}")
    missing = [
        field.name
        for field in dataclasses.fields(chosen)  # type: ignore[arg-type]
        if field.default is field.default_factory is dataclasses.MISSING
        and field.name not in checked
    ]
    if missing:
        raise QuickdrawError(f"{chosen.__name__} needs a value for {', '.join(missing)}")
    return chosen(**checked)
