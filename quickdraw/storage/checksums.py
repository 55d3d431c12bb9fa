"""CRC-32C, the checksum that Cloud Storage keeps of every object."""

from __future__ import annotations

from typing import BinaryIO

import google_crc32c

_CHUNK = 8 << 20


def crc32c(file: BinaryIO, target: BinaryIO | None = None, crc: int = 0) -> int:
    """Read a file to its end, and return the CRC-32C that goes on from `crc`.

    Args:
        file: where to read from.
        target: gets a copy of what is read.
        crc: of what came before.
    """
    while chunk := file.read(_CHUNK):
        crc = google_crc32c.extend(crc, chunk)
        if target:
            target.write(chunk)
    return crc
