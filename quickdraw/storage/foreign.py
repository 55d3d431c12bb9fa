"""Paths that mean something elsewhere, and would be the name of a new folder here."""

from __future__ import annotations

import os
import re

from quickdraw.errors import QuickdrawError


def check_local(path: str) -> None:
    """Check that a path is one of this system's, before a folder of that name is made.

    Raises:
        QuickdrawError: it has a scheme or a drive; or it begins with `~`, which flags turn into the
            home folder and Python does not.
    """
    if re.match(r"(gs|s3|https?|file):", path):
        raise QuickdrawError(f"a local path or gs://bucket/… expected. Received: {path!r}")
    if drive := on_a_drive(path):
        raise QuickdrawError(f"{path!r} {drive}")
    if path.startswith("~"):
        raise QuickdrawError(
            f"{path}: the home folder is not meant by ~ here. Write {os.path.expanduser(path)!r}, "
            f"or './{path}' for a folder of that name"
        )


def on_a_drive(path: str) -> str:
    """Return what is wrong with a path such as `C:/data` where there are no drives; else ""."""
    if os.name == "nt" or not re.match(r"[A-Za-z]:[\\/]", path):
        return ""
    inside = path[2:].replace("\\", "/")
    return f"is a path of Windows: under WSL it is /mnt/{path[0].lower()}{inside}"
