"""What an extra of the package brings: in one line, with the command that installs it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from quickdraw.errors import QuickdrawError


@contextlib.contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn an ImportError into the command that installs an extra.

    Args:
        extra: its name in setup.py, such as "export".

    Raises:
        QuickdrawError: something outside the package could not be imported.
    """
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "quickdraw":
            raise
        raise QuickdrawError(
            f"{error.name or error} is not installed, which this needs: "
            f"pip install 'quickdraw[{extra}]', or pip install -e '.[{extra}]' in a clone"
        ) from None
