"""Packed files, as TensorFlow packs shards: gzip, and zlib without gzip's header."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import BinaryIO

GZIP = b"\x1f\x8b\x08"
DAMAGE = (gzip.BadGzipFile, EOFError, zlib.error)
"""What reading a packed file that is damaged raises."""
_BLOCK = 1 << 16


class _Zlib(io.RawIOBase):
    """What a zlib stream unpacks to: `TFRecordOptions(compression_type="ZLIB")` writes them."""

    def __init__(self, packed: BinaryIO):
        self._packed, self._stream = packed, zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # typeshed's is private
        while not self._stream.eof:
            packed = self._stream.unconsumed_tail or self._packed.read(_BLOCK)
            data = self._stream.decompress(packed, len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)
            if not packed:
                raise EOFError("the zlib stream is cut off")
        return 0


def unpacked(file: BinaryIO, start: bytes) -> BinaryIO:
    """Return what an open file unpacks to; the file itself if it is not packed.

    Args:
        file: at its beginning.
        start: its first bytes, two at least.
    """
    if start.startswith(GZIP):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if _is_zlib(start):
        return io.BufferedReader(_Zlib(file), _BLOCK)
    return file


def is_packed(start: bytes) -> bool:
    """Return whether bytes begin as a packed file does."""
    return start.startswith(GZIP) or _is_zlib(start)


def _is_zlib(start: bytes) -> bool:
    """Return whether bytes begin as a zlib stream does: RFC 1950, with a window of 32 KiB."""
    return start[:1] == b"\x78" and int.from_bytes(start[:2]) % 31 == 0
