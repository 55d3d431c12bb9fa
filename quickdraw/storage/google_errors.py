"""What the exceptions of Google's client libraries mean for a user, in one line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from quickdraw.errors import QuickdrawError, StoppedError

Kind = Literal["missing", "login", "denied", "refused", "no answer"]
Hints = Mapping[Kind, Callable[[str], str]]
"""For each kind of failure what to tell, from the first line of Google's own message."""

_HINTS: Hints = {
    "missing": lambda line: f"not there ({line})",
    "login": lambda line: (
        f"not logged in, or the token is refused ({line}): gcloud auth application-default login"
    ),
    "denied": lambda line: f"access denied ({line})",
    "refused": lambda line: line,
    "no answer": lambda line: (
        f"{line}, time after time. Check the network; the same command goes on where it stopped"
    ),
}

VERTEX: Hints = {
    "missing": lambda line: line,
    "denied": lambda line: (
        "access denied; roles/aiplatform.user is needed, and the API aiplatform.googleapis.com "
        f"enabled ({line})"
    ),
}
"""For Vertex AI."""


@contextlib.contextmanager
def explained(what: str, hints: Hints | None = None) -> Iterator[None]:
    """Turn Google's exceptions about something into one line for the user.

    Args:
        what: begins the line: a path, or the name of a service.
        hints: what to tell instead of the usual, for some kinds of failure.

    Raises:
        StoppedError: no answer in spite of retries.
        QuickdrawError: any other failure of Google's.
    """
    try:
        yield
    except Exception as error:
        kind = _kind_of(error)
        if kind is None:
            raise
        line = reason(getattr(error, "cause", None)) if kind == "no answer" else first_line(error)
        told = {**_HINTS, **(hints or {})}[kind](line)
        failure = StoppedError if kind == "no answer" else QuickdrawError
        raise failure(f"{what}: {told}") from None


def _kind_of(error: Exception) -> Kind | None:
    """Return which kind of failure an exception is; None where it is none of Google's."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    kinds: dict[Kind, tuple[type[Exception], ...]] = {
        "missing": (exceptions.NotFound,),
        "login": (exceptions.Unauthenticated, exceptions.Unauthorized, GoogleAuthError),
        "denied": (exceptions.PermissionDenied, exceptions.Forbidden),
        "no answer": (exceptions.RetryError,),
        "refused": (exceptions.GoogleAPICallError,),
    }
    return next((kind for kind, types in kinds.items() if isinstance(error, types)), None)


def reason(error: BaseException | None) -> str:
    """Return `answer 503` or `no answer (ConnectTimeout)`."""
    answer = getattr(error, "code", None) or getattr(
        getattr(error, "response", None), "status_code", None
    )
    return f"answer {int(answer)}" if answer else f"no answer ({type(error).__name__})"


def first_line(error: BaseException) -> str:
    """Return the first line of a message, as far as anybody reads."""
    return str(error).strip().partition("\n")[0][:300]
