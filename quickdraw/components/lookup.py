"""Models and losses are found by name."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import sys
import traceback
import types
from typing import TypeVar

from quickdraw.components.component import C, Component, create, parse_params
from quickdraw.components.user_code import failure, is_users, place_of
from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.import_order import hidden_file, own_first

T = TypeVar("T")
_PLAIN = (bool, int, float, str, tuple, type(None))


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
    if re.search(r"[/\\:()]|\.py\b", name):
        raise QuickdrawError(
            "a class of one's own is named by its module and its name, such as "
            f"my_models.MyModel for MyModel in my_models.py. Received: {name!r}"
        )
    module_name, _, class_name = re.sub(r"^tf\.", "tensorflow.", name).rpartition(".")
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
        if callable(getattr(module, class_name, None)):
            raise QuickdrawError(
                f"{home}.{class_name} is no class: a class that extends {base.__name__} expected"
            )
    where = homes[0]
    if where == "__main__":
        raise QuickdrawError(
            f"{class_name} was defined in a notebook or a script, which is not running here. Write "
            f"it into a file such as my_models.py, and train it as my_models.{class_name}"
        )
    hint = did_you_mean(class_name, known) if known else f", nor any other {base.__name__}"
    if not module_name and os.path.isfile(f"{class_name}.py"):
        hint = f". Of {class_name}.py, name the class: {class_name}.MyClass"
    raise QuickdrawError(f"{where} has no {base.__name__} named {class_name!r}{hint}")


def _import(name: str) -> types.ModuleType:
    try:
        # Its own os.chdir must not move what the flags name.
        with contextlib.chdir(os.getcwd()), own_first():
            module = importlib.import_module(name)
        hidden = hidden_file(name.partition(".")[0])
        if hidden and not is_users(getattr(module, "__file__", None) or "<frozen >"):
            raise QuickdrawError(
                f"{hidden} cannot be imported: its name is that of a module of Python's or of a "
                f"package. Rename it, to my_{os.path.basename(hidden)} for instance"
            )
        if "tensorflow" in sys.modules and not sys.modules["tensorflow"].executing_eagerly():
            raise QuickdrawError(
                f"{module.__file__} switches TensorFlow 2 off, by disable_eager_execution() or "
                "disable_v2_behavior(): leave that out"
            )
        return module
    except QuickdrawError:
        raise
    except (Exception, SystemExit) as error:
        missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
        if missing and (name == missing or name.startswith(f"{missing}.")):
            raise QuickdrawError(
                f"no module named {name!r} in {os.getcwd()} or among the installed packages"
            ) from None
        last = traceback.extract_tb(error.__traceback__)[-1]
        file, line = place_of(error) or (last.filename, last.lineno)
        if isinstance(error, SyntaxError):
            file, line = error.filename or file, error.lineno
        raise failure(f"importing {name}", error, file, line) from None


def component(chosen: str | Component, params: str | dict[str, object], base: type[C]) -> C:
    """Return the instance that a name with parameters stands for; an instance stands for itself.

    Raises:
        QuickdrawError: an unknown name or parameter (with the nearest known one), a wrong type,
            an instance of something else than `base`, or one with parameters beside it.
    """
    if isinstance(chosen, base):
        if params:
            raise QuickdrawError(
                f"an instance has its parameters already: {type(chosen).__name__}(…) with them "
                f"inside expected. Received beside it: {params!r}"
            )
        return chosen
    if not isinstance(chosen, str):
        raise QuickdrawError(f"a {base.__name__} expected. Received: {type(chosen).__name__}")
    values = parse_params(params) if isinstance(params, str) else params
    return create(find(chosen, base), values)


def check_recorded(made: Component, base: type[Component]) -> None:
    """Check that name and parameters, which a run keeps, stand for this very instance.

    Raises:
        QuickdrawError: they do not: its class is not found by its name, or the instance holds what
            is no parameter.
    """
    kind = type(made)
    what = f"{kind.__qualname__} cannot be kept with the run: "
    if kind.__qualname__ != kind.__name__:
        raise QuickdrawError(
            f"{what}it is defined inside a function or a class. Write it at the top of a file or "
            "of a notebook's cell"
        )
    if find(kind.name(), base) is not kind:
        raise QuickdrawError(
            f"{what}{kind.name()} is another class by now, as its cell or file was run again. Make "
            f"the instance anew: {kind.__name__}(…)"
        )
    params = made.params()
    for name, value in params.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            raise QuickdrawError(
                f"{what}{name} must be a number, a word, True, False, None or a tuple of such. "
                f"Received: {value!r}"
            ) from None
    again = vars(create(kind, json.loads(json.dumps(params))))
    for name, value in vars(made).items():
        if isinstance(value, _PLAIN) and not (name in again and again[name] == value):
            raise QuickdrawError(
                f"{what}{name} = {value!r} is no parameter. Write it in the class with its type, "
                f"{name}: {type(value).__name__} = {value!r}"
            )


def is_elsewhere(kind: type) -> str | None:
    """Return where a class comes from if another program, such as eval, would not find it there."""
    if kind.__module__ == "__main__":
        return "the notebook or script that is running"
    root = sys.modules[kind.__module__.partition(".")[0]]
    started = getattr(sys.modules["__main__"], "__file__", None)
    if not started or not root.__file__:
        return None
    folder = os.path.dirname(os.path.abspath(root.__file__))
    if hasattr(root, "__path__"):
        folder = os.path.dirname(folder)
    found_anyway = (os.getcwd(), *os.environ.get("PYTHONPATH", "").split(os.pathsep))
    beside = folder == os.path.dirname(os.path.abspath(started))
    return folder if beside and folder not in map(os.path.abspath, found_anyway) else None
