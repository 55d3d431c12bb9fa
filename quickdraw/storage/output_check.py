"""Whether a file can be written at all: asked before long work, not after it."""

from __future__ import annotations

import os
import re

from quickdraw.errors import QuickdrawError
from quickdraw.storage import paths

_RECORDS = re.compile(r"dataset\.json|solution(\.labels)?\.csv|.*\.tfrecords?(\.gz)?")
"""Names of files that nobody means to replace: records, and the answers to those of a test set."""


def check_output(path: str) -> None:
    """Raise an error now if no file can be written there, not after long work; make nothing.

    Raises:
        QuickdrawError: it is a folder, a file is in the way, the place may not be written to, or
            records or their answers are there.
    """
    if paths.is_folder(path):
        raise QuickdrawError(f"{path}: the name of a file expected, it is a folder")
    refuse_records(path)
    if os.path.exists(path) and not os.path.isfile(path):
        return  # a pipe or a device
    folder = os.path.dirname(path) or "."
    if paths.is_remote(path) or folder.startswith("~"):
        paths.make_folders(folder)
        return
    above = os.path.dirname((paths.missing_folders(folder) or [f"{os.path.abspath(folder)}/."])[-1])
    if not os.path.isdir(above):
        raise QuickdrawError(f"{folder}: the folder cannot be made, {above} is a file")
    if not os.access(above, os.W_OK | os.X_OK):
        raise QuickdrawError(f"{path}: {above} may not be written to")


def refuse_records(path: str) -> None:
    """Raise QuickdrawError if records, or the answers to those of a test set, would be replaced."""
    if _RECORDS.fullmatch(os.path.basename(path)) and paths.exists(path):
        raise QuickdrawError(
            f"{path} holds records, or the answers to them, and is not replaced: name another file"
        )
