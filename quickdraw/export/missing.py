"""What is not installed, in one line with the command that installs it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from quickdraw.errors import QuickdrawError


@contextlib.contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn an ImportError into the command that installs an extra.

    Raises:
        QuickdrawError: something could not be imported.
    """
    try:
        yield
    except ImportError as error:
        raise QuickdrawError(
            f"{error.name or error} is not installed, which this needs: "
            f"pip install 'quickdraw[{extra}]', or pip install -e '.[{extra}]' in a clone"
        ) from None
