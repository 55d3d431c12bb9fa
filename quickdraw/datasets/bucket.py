"""One object of a bucket to one local file: resumed, checked, and there only when it is whole."""

from __future__ import annotations

import base64
import contextlib
import glob
import os
from typing import TYPE_CHECKING, Any

import google_crc32c

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.storage import google_errors
from quickdraw.storage.checksums import crc32c

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.cloud.storage import Blob, Client

FIRST_WAIT = 1.0
"""Seconds before the first retry; the waits double from there."""
PATIENCE = 30.0
"""Seconds of failures in a row after which a server is given up."""
_TIMEOUT = (10, 30)  # seconds to connect, seconds without a byte
_CHUNK = 1 << 20


class Stopped(Exception):
    """The download was told to stop; what it has is kept."""


class Download:
    """An object and the file that it becomes.

    Args:
        blob: with its size, crc32c and generation.
        path: the local file.

    Attributes:
        size: bytes of the object.
        received: bytes of it that are here so far, those of an earlier run included.
        stopped: set it from another thread to end `run`.
    """

    def __init__(self, blob: Blob, path: str):
        self.blob, self.path = blob, path
        self.size: int = blob.size
        self.stopped = False
        # With the generation in its name a part is never continued with another version's bytes.
        self._part = f"{path}.{blob.generation}.part"
        self.received = os.path.getsize(self._part) if os.path.exists(self._part) else 0
        self._crc = 0
        self._file: Any = None

    def is_there(self) -> bool:
        """Return whether the file is there with the content of the object.

        Raises:
            QuickdrawError: the file is there with another content.
        """
        if not os.path.exists(self.path):
            return False
        if os.path.getsize(self.path) == self.size and _crc_of(self.path) == self._wanted_crc():
            return True
        raise QuickdrawError(
            f"{self.path} is not what {_name(self.blob)} holds (another kind, an older version, or "
            f"damaged): delete it, or choose another --output_dir"
        )

    def run(self) -> None:
        """Fetch what is missing, check the whole and give the file its name.

        Raises:
            QuickdrawError: the server refuses, or its data are wrong twice.
            Stopped: `stopped` was set.
        """
        self._delete_other_generations()
        with explained(self.blob.client, _name(self.blob)):
            for _ in range(2):
                self._receive()
                if self._crc == self._wanted_crc():
                    os.replace(self._part, self.path)
                    return
                log(f"{_name(self.blob)}: the checksum is wrong, deleting what was received")
                os.remove(self._part)
                self.received = 0
        raise QuickdrawError(
            f"{_name(self.blob)}: the checksum was wrong twice. Something on the way changes the "
            f"data; try another network"
        )

    def write(self, data: bytes) -> None:
        """Append the next bytes from the client library."""
        if self.stopped:
            raise Stopped
        try:
            self._file.write(data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._part) from None
        self._crc = google_crc32c.extend(self._crc, data)
        self.received += len(data)

    def _receive(self) -> None:
        """Add to the partial file until it is as long as the object."""
        from google.api_core.exceptions import RetryError

        self._crc = _crc_of(self._part) if self.received else 0
        with open(self._part, "ab") as self._file:
            while (before := self.received) < self.size:
                try:
                    self.blob.download_to_file(
                        self,
                        start=before or None,
                        raw_download=True,
                        checksum=None,  # checked here, over what an earlier run received, too
                        timeout=_TIMEOUT,
                        retry=retries(),
                    )
                except RetryError:
                    # Its clock started with the download; only without progress is it final.
                    if self.received == before:
                        raise
                if self.received == before:
                    raise QuickdrawError(f"{_name(self.blob)}: ends after {before:,} bytes")
            self._file.flush()
            os.fsync(self._file.fileno())

    def _wanted_crc(self) -> int:
        return int.from_bytes(base64.b64decode(self.blob.crc32c), "big")

    def _delete_other_generations(self) -> None:
        for path in glob.glob(f"{glob.escape(self.path)}.*.part"):
            if path != self._part:
                log(f"{_name(self.blob)} has changed: starting over")
                os.remove(path)


def retries() -> Retry:
    """Return the client library's retry policy for failures that may pass."""
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_delay(initial=FIRST_WAIT, maximum=10.0).with_timeout(PATIENCE)


def explained(client: Client, what: str) -> contextlib.AbstractContextManager[None]:
    """Turn the client library's exceptions about `what` into one line for the user."""
    hints: google_errors.Hints = {
        "missing": lambda line: "not there (404), or replaced just now: try again",
        "login": lambda line: "not public (401)",
        "denied": lambda line: "access denied (403)",
        "refused": lambda line: f"refused ({line})",
        "no answer": lambda line: (
            f"{line} of {client.api_endpoint}, after {PATIENCE:.0f} s of trying. Check the "
            "network; the same command goes on where it stopped"
        ),
    }
    return google_errors.explained(what, hints)


def _crc_of(path: str) -> int:
    with open(path, "rb") as file:
        return crc32c(file)


def _name(blob: Blob) -> str:
    return f"gs://{blob.bucket.name}/{blob.name}"
