"""The framing of TFRecord shards, read and written without TensorFlow.

The format is public and small. Doing it here makes preparing data start at once (TensorFlow takes
seconds to import), and lets an error name the record it is about, which tf.data cannot.

Source: (tensorflow/core/lib/io/record_writer.h): uint64 length, uint32 masked CRC-32C of the
length, the data, uint32 masked CRC-32C of the data; little endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

import google_crc32c

from quickdraw.errors import BadRecordError
from quickdraw.records import packed
from quickdraw.storage.lfs import WHAT, is_pointer

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_LARGEST_RECORD = 1 << 30
_LONGEST_POINTER = 1024


def _masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def frame(data: bytes) -> bytes:
    """Frame `data` as a record, ready to be appended to a shard."""
    length = struct.pack("<Q", len(data))
    return b"".join(
        (length, _FOOTER.pack(_masked_crc(length)), data, _FOOTER.pack(_masked_crc(data)))
    )


def read(file: BinaryIO, path: str) -> Iterator[bytes | BadRecordError]:
    """Yield the data of each record of an open shard, plain or packed by gzip or zlib.

    A damaged record is yielded as an error instead of raised, so that a caller may skip it and
    go on; where the framing itself is lost, the error is the last thing yielded.
    """
    magic = file.read(_HEADER.size)
    file.seek(0)
    if not begins_record(magic):
        file = packed.unpacked(file, magic)
    number = 0
    try:
        while header := file.read(_HEADER.size):
            length, crc = _HEADER.unpack(header) if len(header) == _HEADER.size else (0, None)
            if crc != _masked_crc(header[:8]):
                what = "corrupted length (not a TFRecord file, or damaged here)"
                if number == 0 and is_pointer(header + file.read(_LONGEST_POINTER)):
                    what = WHAT
                elif len(header) < _HEADER.size:
                    what = "truncated header"
                yield BadRecordError(path, number, what)
                return
            body = file.read(length + 4) if length <= _LARGEST_RECORD else b""
            if len(body) < length + 4:
                yield BadRecordError(
                    path,
                    number,
                    f"truncated: {length} bytes expected, {max(len(body) - 4, 0)} left in the file",
                )
                return
            data = body[:-4]
            if _FOOTER.unpack_from(body, length)[0] == _masked_crc(data):
                yield data
            else:
                yield BadRecordError(path, number, "corrupted data (its checksum does not match)")
            number += 1
    except packed.DAMAGE as error:
        yield BadRecordError(path, number, f"damaged gzip or zlib stream ({error})")


def begins_record(start: bytes) -> bool:
    """Return whether the first bytes of a file, twelve or more, begin a record that is not packed.

    The checksum tells for sure, while the length may begin as the magic number of any format.
    """
    return _is_header(start[: _HEADER.size])


def _is_header(header: bytes) -> bool:
    return len(header) == _HEADER.size and _masked_crc(header[:8]) == _HEADER.unpack(header)[1]
