"""Uploads as csv: plain, or unpacked from gz or zip as a stream, up to a limit."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import BinaryIO

from quickdraw.errors import QuickdrawError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_DIRECTORY = 1 << 16
"""The largest central directory, in bytes, that a zip file with one csv needs."""
_END, _END_SIZE, _COMMENT = b"PK\x05\x06", 22, 1 << 16


class _Limited(io.RawIOBase):
    """A stream that raises an error beyond a number of bytes."""

    def __init__(self, file: BinaryIO, limit: int):
        self._file, self._left, self._limit = file, limit, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        try:
            data = self._file.read(len(buffer))
        except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
            raise QuickdrawError(f"the file cannot be unpacked ({error})") from None
        self._left -= len(data)
        if self._left < 0:
            raise QuickdrawError(f"the file is larger than {self._limit >> 20} MB when unpacked")
        buffer[: len(data)] = data
        return len(data)


def unpacked(file: BinaryIO, limit: int) -> BinaryIO:
    """Return a stream of the csv in a file.

    Args:
        file: the upload; seekable.
        limit: bytes that the csv may have; reading more raises QuickdrawError.

    Raises:
        QuickdrawError: a zip file that is broken, encrypted, or holds not exactly one file.
    """
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    if head.startswith(_GZIP):
        file = gzip.GzipFile(fileobj=file, mode="rb")  # type: ignore[assignment]
    elif head.startswith(_ZIP):
        file = _only_member(file)
    return io.BufferedReader(_Limited(file, limit), 1 << 16)


def _only_member(file: BinaryIO) -> BinaryIO:
    _check_directory(file)
    try:
        archive = zipfile.ZipFile(file)
        members = [
            each
            for each in archive.infolist()
            if not each.is_dir() and not each.filename.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            raise QuickdrawError(f"a zip with one file expected. Received: {len(members)} files")
        if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise QuickdrawError("a zip compressed by deflate expected. Received: another method")
        return archive.open(members[0])  # type: ignore[return-value]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, OSError) as error:
        raise QuickdrawError(f"the zip file cannot be read ({str(error)[:200]})") from None


def _check_directory(file: BinaryIO) -> None:
    """Refuse a central directory of a million names before it is read."""
    size = file.seek(0, io.SEEK_END)
    start = max(0, size - _END_SIZE - _COMMENT)
    file.seek(start)
    tail = file.read()
    file.seek(0)
    at = tail.rfind(_END)
    if at < 0 or int.from_bytes(tail[at + 12 : at + 16], "little") > _DIRECTORY:
        raise QuickdrawError("a zip with one file expected. Received: a list of contents too long")
