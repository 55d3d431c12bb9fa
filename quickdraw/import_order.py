"""What commands import is what is installed, not a file of the same name in the current folder.

`python -m` searches the current folder first, so that somebody's `code.py`, `random.py` or
`keras.py` there would take the place of Python's, or of a library's.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder


class _InstalledFirst:
    """Finds what is installed, wherever the current folder stands in `sys.path`."""

    active = True

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if path is not None or not self.active or name == "quickdraw":
            return None
        try:
            folder = os.getcwd()
        except FileNotFoundError:  # it was deleted: there is nothing in it
            return None
        elsewhere = [each for each in sys.path if each not in ("", folder)]
        found = PathFinder.find_spec(name, elsewhere)
        return found if found and found.loader else None


_finder = _InstalledFirst()


def refuse_bare_python() -> None:
    """End the process with a line where the packages that every command needs are not there."""
    missing = [name for name in ("absl", "numpy") if importlib.util.find_spec(name) is None]
    if missing:
        raise SystemExit(
            f"quickdraw: {sys.executable} has no package {', '.join(missing)}: activate the "
            "environment that quickdraw is installed in, or install it: pip install -e . in the "
            "checkout (python -S leaves out what is installed)"
        )


def installed_first() -> None:
    """Let what is installed be found before what lies in the current folder."""
    sys.meta_path.insert(0, _finder)


@contextlib.contextmanager
def own_first() -> Iterator[None]:
    """Let the current folder come first, for modules that the user names."""
    # Console commands, unlike `python -m`, do not search the current folder by themselves.
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    _finder.active, before = False, _finder.active
    try:
        yield
    finally:
        _finder.active = before


def hidden_file(name: str) -> str | None:
    """Return the file of the current folder that a module from elsewhere, of its name, hides."""
    packages = [os.path.join(name, "__init__.py")] * (name != "quickdraw")  # there: a checkout
    for file in (f"{name}.py", *packages):
        if os.path.isfile(file) and name in sys.modules:
            loaded = getattr(sys.modules[name], "__file__", None) or "built-in"
            if os.path.realpath(file) != os.path.realpath(loaded):
                return os.path.abspath(file)
    return None


def hidden_files() -> list[str]:
    """Return the files of the current folder that modules which are loaded hide."""
    names = {name.removesuffix(".py") for name in os.listdir()}
    return sorted(filter(None, map(hidden_file, names & sys.modules.keys())))
