"""The client of Cloud Storage: credentials, retries, and what its errors mean for a user.

google-cloud-storage rather than TensorFlow's own gs:// client: it checks what it reads against its
checksum, gets a new token where one is refused, and tells a refused token, a missing bucket and a
missing object apart.
"""

from __future__ import annotations

import contextlib
import functools
import re
from typing import TYPE_CHECKING

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.storage import google_errors

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.cloud.storage import Client

FIRST_WAIT = 0.5
"""Seconds before the first retry, on average half of it; the waits double from there."""
LONGEST_WAIT = 30.0
"""Seconds between two retries, at most."""
PATIENCE = 300.0
"""Seconds of failures in a row after which an operation is given up."""
_TIMEOUT = (10, 60)  # seconds to connect, seconds without a byte


def split(path: str) -> tuple[str, str]:
    """Split `gs://bucket/a/b` into `("bucket", "a/b")`.

    Raises:
        QuickdrawError: no gs:// path, or one without a bucket.
    """
    match = re.fullmatch(r"gs://([^/*?\[]+)(?:/+(.*))?", path, re.S)
    if match is None:
        raise QuickdrawError(f"a local path or gs://bucket/… expected. Received: {path!r}")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", match[1]):
        raise QuickdrawError(
            f"gs://{match[1]}: a bucket's name has small letters, digits, '-', '_' and '.', and "
            "begins and ends with a letter or digit"
        )
    return match[1], match[2] or ""


@functools.cache
def client() -> Client:
    """Return the client, with the credentials of this place; anonymous where there are none."""
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.storage import Client

    try:
        return Client(project="unused")  # objects belong to buckets, not to projects
    except DefaultCredentialsError:
        return Client.create_anonymous_client()


def retries(path: str, patience: float | None = None) -> Retry:
    """Return how an operation on `path` is retried, and reported, after a transient failure."""
    from google.api_core.retry import Retry
    from google.cloud.storage.retry import DEFAULT_RETRY

    def report(error: Exception) -> None:
        log(f"warning: {path}: {google_errors.reason(error)}: trying again")

    return Retry(
        predicate=DEFAULT_RETRY._predicate,
        initial=FIRST_WAIT,
        maximum=LONGEST_WAIT,
        multiplier=2.0,
        timeout=patience or PATIENCE,
        on_error=report,
    )


def options(path: str, patience: float | None = None) -> dict[str, object]:
    """Return the arguments with which each operation of the client on `path` is called."""
    return {"retry": retries(path, patience), "timeout": _TIMEOUT}


def explained(path: str) -> contextlib.AbstractContextManager[None]:
    """Turn the client library's exceptions about `path` into one line for the user."""
    bucket = f"gs://{split(path)[0]}"
    hints: google_errors.Hints = {
        "missing": lambda line: _what_is_missing(path),
        "login": lambda line: (
            f"no token, or a refused one (401; {line}). Log in with gcloud auth "
            "application-default login; in a job, look at its service account"
        ),
        "denied": lambda line: (
            f"access denied (403). This account needs roles/storage.objectAdmin on {bucket}"
        ),
        "refused": lambda line: f"refused ({line})",
    }
    return google_errors.explained(path, hints)


def _what_is_missing(path: str) -> str:
    from google.api_core.exceptions import NotFound

    bucket, _ = split(path)
    try:
        next(iter(client().list_blobs(bucket, max_results=1, **options(path))), None)
    except NotFound:
        return (
            f"there is no bucket gs://{bucket} (404). Check the name, or make it: gcloud "
            f"storage buckets create gs://{bucket} --location=REGION"
        )
    return "no such object (404); the bucket is there"
