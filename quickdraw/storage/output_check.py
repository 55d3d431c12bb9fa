"""Whether a file can be written at all: asked before long work, not after it."""

from __future__ import annotations

import os

from quickdraw.errors import QuickdrawError
from quickdraw.storage import paths


def check_output(path: str) -> None:
    """Raise an error now if no file can be written there, not after long work; make nothing.

    Raises:
        QuickdrawError: it is a folder, a file is in the way, or the place may not be written to.
    """
    if paths.is_folder(path):
        raise QuickdrawError(f"{path}: the name of a file expected, it is a folder")
    folder = os.path.dirname(path) or "."
    if paths.is_remote(path) or folder.startswith("~"):
        paths.make_folders(folder)
        return
    above = os.path.dirname((paths.missing_folders(folder) or [f"{os.path.abspath(folder)}/."])[-1])
    if not os.path.isdir(above):
        raise QuickdrawError(f"{folder}: the folder cannot be made, {above} is a file")
    if not os.access(above, os.W_OK | os.X_OK):
        raise QuickdrawError(f"{path}: {above} may not be written to")
