"""Objects in Cloud Storage, by gs:// path: what `storage` does where a path is not local.

A write makes a new generation of the object, whole or not at all.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import fnmatch
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.storage.checksums import crc32c
from quickdraw.storage.client import client, explained, options, split

if TYPE_CHECKING:
    from google.cloud.storage import Blob

_ATTEMPTS_AT_CHECKSUM = 3
_MAGIC = re.compile(r"[*?\[]")


def _blob(path: str) -> Blob:
    bucket, name = split(path)
    if not name:
        raise QuickdrawError(f"{path}: the path of an object expected, not a bucket alone")
    return client().bucket(bucket).blob(name)


def _list(path: str, prefix: str, **arguments: object) -> Iterable[Any]:
    with explained(path):
        found = client().list_blobs(split(path)[0], prefix=prefix, **arguments, **options(path))
        blobs = list(found)
        return [*blobs, *found.prefixes]


def _below(path: str) -> str:
    """Return the prefix of everything in a folder."""
    name = split(path)[1].rstrip("/")
    return f"{name}/" if name else ""


def is_object(path: str) -> bool:
    """Return whether an object has this name."""
    if not split(path)[1] or path.endswith("/"):
        return False
    with explained(path):
        return _blob(path).exists(**options(path))


def is_folder(path: str) -> bool:
    """Return whether the names of some objects begin as if they lay in this folder."""
    return bool(_list(path, _below(path), max_results=1)) or not split(path)[1]


def listdir(path: str) -> list[str]:
    """Return the names in a folder; none where there is no such folder."""
    prefix = _below(path)
    names = (getattr(entry, "name", entry) for entry in _list(path, prefix, delimiter="/"))
    return sorted({name.removeprefix(prefix).rstrip("/") for name in names} - {""})


def matching(pattern: str) -> list[str]:
    """Return the objects that a pattern names; `*` and `?` match no slash."""
    bucket, wanted = split(pattern)
    magic = _MAGIC.search(wanted)
    prefix = wanted[: magic.start()] if magic else wanted
    # With a delimiter Cloud Storage leaves out what lies deeper; a slash after the first wildcard
    # needs those names, too.
    folded = "" if "/" in wanted[len(prefix) :] else "/"
    parts = wanted.split("/")
    return [
        f"gs://{bucket}/{blob.name}"
        for blob in _list(pattern, prefix, delimiter=folded or None)
        if not isinstance(blob, str)
        and len(names := blob.name.split("/")) == len(parts)
        and all(map(fnmatch.fnmatchcase, names, parts))
    ]


def size_and_crc(path: str) -> tuple[int, int]:
    """Return the size of an object in bytes, and its CRC-32C."""
    blob = _blob(path)
    with explained(path):
        blob.reload(**options(path))
    return blob.size, int.from_bytes(base64.b64decode(blob.crc32c), "big")


def written_at(path: str) -> datetime.datetime | None:
    """Return when an object was written, by Cloud Storage's clock; None where there is none."""
    from google.api_core.exceptions import NotFound

    blob = _blob(path)
    with explained(path), contextlib.suppress(NotFound):
        blob.reload(**options(path))
        return blob.updated
    return None


def read(path: str, file: BinaryIO) -> None:
    """Write the content of an object, checked, to a local file that can be read, too.

    Raises:
        QuickdrawError: it cannot be read, or what arrives has another checksum each time.
    """
    for _ in range(_ATTEMPTS_AT_CHECKSUM):
        blob = _blob(path)
        with explained(path):
            # The library checks no checksum where it had to go on with a broken download.
            blob.download_to_file(file, raw_download=True, checksum=None, **options(path))
        if _crc(file) == blob.crc32c:
            return
        log(f"warning: {path}: what arrived has another checksum: trying again")
        file.seek(0)
        file.truncate()
    raise QuickdrawError(
        f"{path}: the checksum was wrong {_ATTEMPTS_AT_CHECKSUM} times. Something on the way "
        "changes the data; try another network"
    )


def _crc(file: BinaryIO) -> str:
    """Return the checksum of a file as Cloud Storage writes it."""
    file.seek(0)
    return base64.b64encode(crc32c(file).to_bytes(4, "big")).decode()


def write(path: str, local: str) -> None:
    """Make the content of a local file the new generation of an object."""
    with explained(path):
        _blob(path).upload_from_filename(local, checksum="crc32c", **options(path))


def write_if(path: str, content: bytes, generation: int, patience: float) -> int | None:
    """Write an object if its live generation is this one, 0 for none; return the new one.

    None means that another generation is there. The server compares and writes in one operation, so
    of two processes that both saw the old generation only one succeeds: this is what a lock needs.
    """
    from google.api_core.exceptions import PreconditionFailed

    blob = _blob(path)
    with explained(path), contextlib.suppress(PreconditionFailed):
        blob.upload_from_string(content, if_generation_match=generation, **options(path, patience))
        return blob.generation
    return None


def read_generation(path: str) -> tuple[int, bytes]:
    """Return the live generation of an object, 0 for none, and its content."""
    from google.api_core.exceptions import NotFound

    blob = _blob(path)
    with explained(path), contextlib.suppress(NotFound):
        blob.reload(**options(path))
        return blob.generation, blob.download_as_bytes(**options(path))
    return 0, b""


def delete_if(path: str, generation: int, patience: float) -> None:
    """Delete an object if its live generation is this one."""
    from google.api_core.exceptions import NotFound, PreconditionFailed

    with explained(path), contextlib.suppress(NotFound, PreconditionFailed):
        _blob(path).delete(if_generation_match=generation, **options(path, patience))


def copy(source: str, target: str) -> None:
    """Copy an object inside Cloud Storage."""
    made, token = _blob(target), None
    with explained(source):
        while True:  # a large object is copied in several calls; the token says where to go on
            token, _, _ = made.rewrite(_blob(source), token=token, **options(target))
            if token is None:
                return


def rename(source: str, target: str) -> None:
    """Copy an object, or all of a folder, and delete the source."""
    objects = [source] if is_object(source) else below(source)
    for path in objects:
        copy(path, target + path.removeprefix(source))
        delete(path)


def delete(path: str) -> None:
    """Delete an object, or all of a folder; what is not there is no error."""
    from google.api_core.exceptions import NotFound

    _blob(path)  # a bucket alone is refused
    for name in [path.rstrip("/"), *below(path)]:
        with explained(name), contextlib.suppress(NotFound):
            _blob(name).delete(**options(name))


def bucket_location(bucket: str) -> str | None:
    """Return where a bucket lies (US-CENTRAL1, EU); None where this account may not know.

    Raises:
        QuickdrawError: there is no such bucket.
    """
    from google.api_core.exceptions import Forbidden

    path = f"gs://{bucket}"
    with explained(path), contextlib.suppress(Forbidden):
        return client().get_bucket(bucket, **options(path)).location
    return None


def below(path: str) -> list[str]:
    """Return the objects in a folder and in those in it."""
    bucket = split(path)[0]
    return [f"gs://{bucket}/{blob.name}" for blob in _list(path, _below(path))]
