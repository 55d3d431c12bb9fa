"""Failures of the machine, told in a line."""

from __future__ import annotations

import errno
import re
import sys

_FREE_SPACE = " (free some space and run the same command again)"


def explain(error: Exception) -> str | None:
    """Return one line for a failure of the machine rather than of the program; None for a bug."""
    if isinstance(error, OSError) and error.errno is not None:
        hint = _FREE_SPACE if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        return f"{error.filename or 'writing'}: {error.strerror}{hint}"
    if isinstance(error, UnicodeEncodeError) and error.encoding != "utf-8":
        return (
            f"{error.object[:80]!a}: {error.encoding}, the encoding of this system, has no letters "
            "for that: set PYTHONUTF8=1"
        )
    if "tensorflow" not in sys.modules:
        return None
    from tensorflow import errors

    if isinstance(error, errors.OpError) and any(
        words in error.message for words in ("No space left", "Read-only", "Permission denied")
    ):
        hint = _FREE_SPACE if "No space left" in error.message else ""
        return re.sub(r"\{\{.*?\}\} | \[Op:\w+\]$", "", error.message.splitlines()[0]) + hint
    return None
