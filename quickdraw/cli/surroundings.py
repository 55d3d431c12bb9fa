"""What a shell leaves a command with: streams, filters of warnings, a folder, an encoding."""

from __future__ import annotations

import io
import os
import sys
import warnings

from quickdraw.errors import QuickdrawError, UsageError


def make_streams_usable() -> None:
    """Open what a shell has closed (`2>&-`), as the next file opened would get its number.

    Text that the output's encoding lacks (a class in Hangul where it is ASCII) is escaped.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def let_libraries_warn() -> None:
    """Show warnings that PYTHONWARNINGS=error, or -W error, makes errors of in every library."""
    if any(option.startswith("error") for option in sys.warnoptions):
        warnings.simplefilter("default")
        for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", kind)


def check_current_folder() -> None:
    """Raise QuickdrawError where the current folder is not there any more."""
    try:
        os.getcwd()
    except FileNotFoundError:
        raise QuickdrawError(
            "the current folder was deleted, or moved away: cd into another one, or cd . if a "
            "folder of that name is there again"
        ) from None


def check_text(argv: list[str]) -> None:
    """Raise UsageError for an argument that is not in UTF-8."""
    for argument in argv:
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = argument.encode(errors="replace").decode()
            raise UsageError(
                f"text in UTF-8 expected. Received: {shown!r}. This terminal is set to another "
                "encoding; with PYTHONUTF8=1 before the command Python takes no notice of that"
            ) from None
