"""TFRecord shards of `tf.train.Example` messages, read and written without TensorFlow.

Both formats are public and small. Doing them here makes preparing data start at once (TensorFlow
takes seconds to import), and lets an error name the record it is about, which tf.data cannot.

Framing (tensorflow/core/lib/io/record_writer.h): uint64 length, uint32 masked CRC-32C of the
length, the data, uint32 masked CRC-32C of the data; little endian.
"""

from __future__ import annotations

import gzip
import numbers
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import google_crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from quickdraw.errors import BadRecordError

__all__ = ["DecodeError", "Example", "frame", "read", "serialise"]

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_LARGEST_RECORD = 1 << 30


def _masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def frame(data: bytes) -> bytes:
    """The record that holds `data`, ready to be appended to a shard."""
    length = struct.pack("<Q", len(data))
    return b"".join(
        (length, _FOOTER.pack(_masked_crc(length)), data, _FOOTER.pack(_masked_crc(data)))
    )


def read(file: BinaryIO, path: str) -> Iterator[bytes | BadRecordError]:
    """Yields the data of each record of an open shard, plain or gzipped.

    A damaged record is yielded as an error instead of raised, so that a caller may skip it and
    go on; where the framing itself is lost, the error is the last thing yielded.
    """
    magic = file.read(_HEADER.size)
    file.seek(0)
    if magic[:3] == b"\x1f\x8b\x08" and not _is_header(magic):
        file = gzip.GzipFile(fileobj=file)  # type: ignore[assignment]
    number = 0
    try:
        while header := file.read(_HEADER.size):
            if not _is_header(header):
                yield BadRecordError(
                    path,
                    number,
                    "truncated header"
                    if len(header) < _HEADER.size
                    else "corrupted length (not a TFRecord file, or damaged here)",
                )
                return
            (length,) = struct.unpack_from("<Q", header)
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
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        yield BadRecordError(path, number, f"damaged gzip stream ({error})")


def _is_header(header: bytes) -> bool:
    return len(header) == _HEADER.size and _masked_crc(header[:8]) == _HEADER.unpack(header)[1]


def _example_class() -> type:
    """`tf.train.Example` (tensorflow/core/example/{example,feature}.proto) from its field numbers.

    A pool of its own: TensorFlow registers the same names in the default one.
    """
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="quickdraw/example.proto", package="quickdraw", syntax="proto3"
    )

    def message(name: str, *fields: tuple[str, int, int, int, str], parent: Any = file) -> Any:
        add = parent.message_type.add if parent is file else parent.nested_type.add
        result = add(name=name)
        for name, number, label, kind, type_name in fields:
            result.field.add(
                name=name, number=number, label=label, type=kind, type_name=type_name or None
            )
        return result

    one, many, sub = field.LABEL_OPTIONAL, field.LABEL_REPEATED, field.TYPE_MESSAGE
    message("BytesList", ("value", 1, many, field.TYPE_BYTES, ""))
    message("FloatList", ("value", 1, many, field.TYPE_FLOAT, ""))
    message("Int64List", ("value", 1, many, field.TYPE_INT64, ""))
    feature = message(
        "Feature",
        ("bytes_list", 1, one, sub, ".quickdraw.BytesList"),
        ("float_list", 2, one, sub, ".quickdraw.FloatList"),
        ("int64_list", 3, one, sub, ".quickdraw.Int64List"),
    )
    feature.oneof_decl.add(name="kind")
    for member in feature.field:
        member.oneof_index = 0
    features = message("Features", ("feature", 1, many, sub, ".quickdraw.Features.FeatureEntry"))
    entry = message(
        "FeatureEntry",
        ("key", 1, one, field.TYPE_STRING, ""),
        ("value", 2, one, sub, ".quickdraw.Feature"),
        parent=features,
    )
    entry.options.map_entry = True
    message("Example", ("features", 1, one, sub, ".quickdraw.Features"))
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("quickdraw.Example"))


Example: Any = _example_class()


def serialise(**features: Any) -> bytes:
    """A serialised Example: the same features give the same bytes.

    Args:
        features: for each feature bytes, an integer, or a list of floats or integers.
    """
    example = Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif isinstance(value, numbers.Integral):
            feature.int64_list.value.append(int(value))
        elif value and isinstance(value[0], float):
            feature.float_list.value.extend(value)
        else:
            feature.int64_list.value.extend(value)
    return example.SerializeToString(deterministic=True)
