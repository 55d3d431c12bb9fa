"""The code behind a model, a loss or a reader as digests: is it still what was trained?

Comments, docstrings, types of arguments, blank lines and line breaks do not count, nor does the
version of Python.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import linecache
import sys
import types
from collections.abc import Iterable, Iterator

import numpy as np

from quickdraw.components.component import Component
from quickdraw.components.user_code import is_users

_CONSTANTS = (bool, int, float, complex, str, bytes, type(None), np.generic)
_CONTAINERS = (list, tuple, dict, set, frozenset)
Substance = tuple[bytes, tuple[str, ...], tuple["Substance | str", ...]]
"""Instructions, names and constants of a compiled function."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def digests_of(*things: object) -> dict[str, str]:
    """Return a digest of each piece of code that some classes or functions are made of.

    Those are methods and constants, of base classes too, and whatever they name in turn: functions,
    classes and constants, as long as they are somebody's own (see `user_code.is_users`). What
    libraries and this package's inner parts do is left out.

    Returns:
        Digests by the pieces' names, such as "my_models.MyModel.create_model".
    """
    walk = _Walk()
    for thing in things:
        walk.see(thing)
    return {
        name: hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        for name, text in sorted(walk.texts.items())
    }


def changed_pieces(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return the names of the pieces that are not in both, or not the same in both."""
    return sorted(name for name in before | now if before.get(name) != now.get(name))


def edited_files(*things: object) -> list[str]:
    """Return the files of classes or functions that were edited after they had been imported."""
    walk = _Walk()
    for thing in things:
        walk.see(thing)
    codes = [function.__code__ for function in walk.functions]
    return sorted({code.co_filename for code in codes if not _is_in_its_file(code)})


class _Walk:
    """Follows names through code.

    Attributes:
        texts: what was found: by name, code without what does not count, or a constant.
        functions: all that were found.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.functions: list[types.FunctionType] = []
        self._seen: dict[int, object] = {}  # kept, so that no other thing gets the same id

    def see(self, thing: object) -> str:
        """Note functions and classes; return the text that stands for any thing."""
        thing = _unwrapped(thing)
        if isinstance(thing, _CONSTANTS):
            return repr(thing)
        if isinstance(thing, np.ndarray):
            return f"{thing.dtype} {thing.shape} {hashlib.blake2b(thing.tobytes()).hexdigest()}"
        kind = type(thing).__name__
        if id(thing) in self._seen:
            return getattr(thing, "__qualname__", kind)
        self._seen[id(thing)] = thing
        if isinstance(thing, functools.partial):
            thing = (thing.func, thing.args, thing.keywords)
        if isinstance(thing, _CONTAINERS):
            return f"{kind} {[self.see(item) for item in _items(thing)]}"
        if isinstance(thing, types.FunctionType) and is_users(thing.__code__.co_filename):
            self._see_function(thing)
        elif isinstance(thing, type):
            for each in filter(_is_users_class, thing.__mro__):
                self._see_class(each)
        return getattr(thing, "__qualname__", kind)

    def _see_class(self, kind: type) -> None:
        # The parameters' values are kept with a run anyway.
        fields = kind.__dataclass_fields__ if issubclass(kind, Component) else ()  # type: ignore[attr-defined]
        for name, thing in vars(kind).items():
            if name in fields or (name.startswith("__") and not callable(thing)):
                continue
            text = self.see(thing)
            if isinstance(_unwrapped(thing), (*_CONSTANTS, *_CONTAINERS, np.ndarray)):
                self.texts[f"{kind.__module__}.{kind.__qualname__}.{name}"] = text

    def _see_function(self, function: types.FunctionType) -> None:
        self.functions.append(function)
        name = f"{function.__module__}.{function.__qualname__}"
        self.texts[name] = self.texts.get(name, "") + _text_of(function)
        names = set(_names(function.__code__))
        for each, value in _variables(function, names).items():
            if not isinstance(value, types.ModuleType):
                self._see_variable(f"{function.__module__}.{each}", value)
            elif is_users(getattr(value, "__file__", None) or "<frozen >"):
                for part in names & set(vars(value)):
                    self._see_variable(f"{value.__name__}.{part}", vars(value)[part])

    def _see_variable(self, name: str, value: object) -> None:
        text = self.see(value)
        if not isinstance(_unwrapped(value), (type, types.FunctionType, types.ModuleType)):
            self.texts[name] = text


def _items(container: Iterable[object]) -> Iterable[object]:
    if isinstance(container, dict):
        return container.items()
    return sorted(container, key=repr) if isinstance(container, (set, frozenset)) else container


def _unwrapped(thing: object) -> object:
    """Return the function inside a method, or what a decorator was given; else the thing."""
    if isinstance(thing, property):
        return thing.fget
    if isinstance(thing, (staticmethod, classmethod, types.MethodType)):
        thing = thing.__func__
    return inspect.unwrap(thing) if callable(thing) else thing


def _is_users_class(kind: type) -> bool:
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    # A notebook has no file; nor have the modules that are built into Python.
    return is_users(file) if file else kind.__module__ == "__main__"


def _names(code: types.CodeType) -> Iterator[str]:
    """Yield every name that is used in a function and in those inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _variables(function: types.FunctionType, names: set[str]) -> dict[str, object]:
    """Return what a function uses of the variables around it."""
    around = function.__globals__
    found = {name: around[name] for name in names if name in around}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found


def _text_of(function: types.FunctionType) -> str:
    """Return a function's code without what does not count."""
    substance = _substance(function.__code__)
    written = _written(*_file_of(function.__code__))
    # Compiled code depends on Python's version, so it is the last resort: for what was typed at a
    # prompt, or edited since.
    return written.get(function.__qualname__, {}).get(substance) or repr(substance)


def _is_in_its_file(code: types.CodeType) -> bool:
    """Return whether a file still holds the code that was imported from it; True without a file."""
    file, text = _file_of(code)
    return not text or _substance(code) in _written(file, text).get(code.co_qualname, {})


def _file_of(code: types.CodeType) -> tuple[str, str]:
    """Return the name and the text, as it is now, of a file or of a notebook's cell."""
    linecache.checkcache(code.co_filename)
    return code.co_filename, "".join(linecache.getlines(code.co_filename))


@functools.lru_cache(16)
def _written(file: str, text: str) -> dict[str, dict[Substance, str]]:
    """Return the functions in a text, by their names and by what they do: how they are written."""
    try:
        tree, codes = ast.parse(text), [compile(text, file, "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        return {}
    for node in ast.walk(tree):
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            _drop_docstring(node)
        if isinstance(node, _FUNCTIONS):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
    lines: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            decorators = getattr(node, "decorator_list", [])
            first = min(each.lineno for each in (node, *decorators))
            lines[first] = "" if first in lines else ast.unparse(node)
    found: dict[str, dict[Substance, str]] = {}
    for code in codes:
        text = lines.get(code.co_firstlineno, "")
        found.setdefault(code.co_qualname, {})[_substance(code)] = text
        codes += [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return found


def _drop_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        node.body[:1] = [] if len(node.body) > 1 else [ast.Pass()]


def _substance(code: types.CodeType) -> Substance:
    """Return what a compiled function does, wherever in its file it stands."""
    constants = tuple(
        _substance(each) if isinstance(each, types.CodeType) else repr(each)
        for each in code.co_consts
    )
    return code.co_code, code.co_names, constants
