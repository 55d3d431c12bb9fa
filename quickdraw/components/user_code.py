"""Somebody's own code: the files that it is in, and its failures in one line, with their place."""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import site
import sysconfig
import traceback
from collections.abc import Callable, Iterator

from quickdraw.errors import QuickdrawError

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_TO_EDIT = tuple(
    os.path.join(_PACKAGE, name)
    for name in ("models.py", "losses.py", "readers.py", f"zoo{os.sep}")
)
_LIBRARIES = tuple(
    os.path.realpath(folder) + os.sep
    for folder in {
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        *site.getsitepackages(),
    }
)
# What no file holds: modules that are part of Python, what dataclasses and AutoGraph generate.
_GENERATED = re.compile(r"<frozen |<string>|<__array_function__|.*__autograph_generated_file")
_PLACE = re.compile(r'File "([^"]+)", line (\d+), in [^\n]*')
_COLOURS = re.compile(r"\x1b\[\d*m")
# What Keras and TensorFlow put around a reason.
_WRAPPINGS = re.compile(
    r"Exception encountered when calling [^\n]*|Arguments received by .*|Graph execution error:|"
    r"Traceback \(most recent call last\):.*|Detected at node [^\n]*|<stack traces unavailable>|"
    r"\[\[\{*node [^\n]*|\[Op:[^\n]*|\{\{function_node [^\n}]*\}\}",
    re.DOTALL,
)
_MOST_CHARACTERS = 400


def is_users(file: str) -> bool:
    """Return whether code of this file is somebody's own, neither a library's nor this package's.

    The files of this package that are there to be edited are somebody's own; so is a notebook.
    """
    if _GENERATED.match(file):
        return False
    path = os.path.realpath(file)
    if path.startswith(_PACKAGE + os.sep):
        return path.startswith(_TO_EDIT)
    return not path.startswith(_LIBRARIES)


def place_of(error: BaseException) -> tuple[str, int] | None:
    """Return file and line, in somebody's own code, where an error came from; None for nowhere."""
    # TensorFlow writes into the message where an operation, or what AutoGraph rewrote, was written.
    written = [(file, int(line)) for file, line in _PLACE.findall(str(error))]
    frames = [
        (frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)
    ]
    for places in (written, frames):
        if own := [place for place in places if is_users(place[0])]:
            return own[-1]
    return None


def failure(what: str, error: BaseException, file: str, line: int | None) -> QuickdrawError:
    """Return the one line that tells of an error, its reason and its place."""
    return QuickdrawError(f"{what} failed: {reason(error)} ({file}, line {line})")


def reason(error: BaseException) -> str:
    """Return kind and message of an error in one line, without what libraries put around them."""
    text, kind = _COLOURS.sub("", str(error)), type(error).__name__
    if text.startswith("in user code:"):  # AutoGraph's, which ends with the kind and the message
        *_, text = re.split(_PLACE.pattern + r"\n[^\n]*\n", text)
    else:
        text = f"{kind}: {_PLACE.sub('', _WRAPPINGS.sub('', text))}"
    line = " ".join(text.split())
    return line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]}…"


@contextlib.contextmanager
def explained(function: Callable[..., object], what: str = "") -> Iterator[None]:
    """Tell a failure of somebody's own code in one line, with its place.

    Args:
        function: somebody's own; its first line is the place where no better one is known.
        what: fails; the function where not given.
    """
    folder = os.getcwd()
    try:
        with contextlib.chdir(folder):  # its own os.chdir must not move what the flags name
            yield
    except QuickdrawError as error:
        raise in_one_line(error) from None
    except (Exception, SystemExit) as error:
        place = place_of(error) or start_of(function)
        raise failure(what or function.__qualname__, error, *place) from error


def in_one_line(error: QuickdrawError) -> QuickdrawError:
    """Return an error as it was raised, without what AutoGraph writes around its message."""
    if "\n" not in str(error):
        return error
    return QuickdrawError(reason(error).partition("QuickdrawError: ")[2])


def start_of(function: Callable[..., object]) -> tuple[str, int]:
    """Return the file of a function, and its first line."""
    code = inspect.unwrap(function).__code__
    return code.co_filename, code.co_firstlineno


def mistake(function: Callable[..., object], what: str) -> QuickdrawError:
    """Return the one line that tells what is wrong with somebody's function, and where it is."""
    file, line = start_of(function)
    return QuickdrawError(f"{function.__qualname__} {what} ({file}, line {line})")
