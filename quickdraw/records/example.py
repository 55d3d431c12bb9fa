"""`tf.train.Example` without TensorFlow: made, parsed, and its features checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from quickdraw.records import ink

__all__ = [
    "DecodeError",
    "Example",
    "bytes_of",
    "feature",
    "id_of",
    "ink_of",
    "int_of",
    "serialise",
]

_HINTS = {
    "label": ("image_id", "This looks like test data: training and evaluation need labels"),
    "image_id": ("label", "This looks like training data: inference reads test records"),
    "ink": ("image", "Strokes are kept by python -m quickdraw.datasets.prepare --keep_strokes"),
}
_PREPARE = (
    ". python -m quickdraw.datasets.prepare reads other features (--image_key, --label_key), and "
    "labels that are names or one-hot"
)


def feature(example: Any, name: str) -> Any:
    """Return a feature of an Example.

    Raises:
        ValueError: there is none of this name.
    """
    features = example.features.feature
    if name in features:
        return features[name]
    has = ", ".join(sorted(features)) or "none"
    other, hint = _HINTS.get(name, ("", ""))
    end = f". {hint}" if other in features else _PREPARE if name in ("image", "label") else ""
    raise ValueError(f"no feature {name!r}. The record has: {has}{end}")


def bytes_of(example: Any, name: str) -> bytes:
    """Return the value of a feature that is one bytes value.

    Raises:
        ValueError: it is something else, or not there.
    """
    holder = feature(example, name)
    values = holder.bytes_list.value
    if len(values) != 1:
        hint = _PREPARE if name == "image" else ""
        raise ValueError(f"{name!r} must be one bytes value. Received: {_received(holder)}{hint}")
    return values[0]


def id_of(example: Any, name: str) -> bytes:
    """Return the value of a feature that is one bytes value, or one int64: its digits.

    Raises:
        ValueError: it is something else, or not there.
    """
    holder = feature(example, name)
    texts, numbers = holder.bytes_list.value, holder.int64_list.value
    if len(texts) + len(numbers) != 1:
        raise ValueError(
            f"{name!r} must be one bytes value, or one int64. Received: {_received(holder)}"
        )
    return texts[0] if texts else str(numbers[0]).encode()


def int_of(example: Any, name: str) -> int:
    """Return the value of a feature that is one int64, or one float that is whole.

    Raises:
        ValueError: it is something else, or not there.
    """
    holder = feature(example, name)
    values = holder.int64_list.value
    if len(values) == 1:
        return values[0]
    floats = holder.float_list.value
    if len(floats) == 1 and floats[0].is_integer():
        return int(floats[0])
    raise ValueError(f"{name!r} must be one int64. Received: {_received(holder)}{_PREPARE}")


def _received(holder: Any) -> str:
    """Return what a feature holds, in words."""
    kind = holder.WhichOneof("kind")
    values = list(getattr(holder, kind).value) if kind else []
    if not values:
        return "no value"
    name = kind.removesuffix("_list")
    if len(values) == 1:
        return f"one {name}, {str(values[0])[:60]}"
    return f"{len(values):,} values of {name}, {str(values)[:60]}"


def ink_of(example: Any) -> np.ndarray:
    """Return the drawing's strokes, float32 `[points, 3]`; see `quickdraw.records.ink`.

    Raises:
        ValueError: there are none, or they are no ink.
    """
    values = feature(example, "ink").float_list.value
    return ink.from_record(values, feature(example, "shape").int64_list.value)


def shown(data: bytes) -> bytes:
    """Return what a serialised `Example` shows, whatever else it holds: its image, else its ink.

    The bytes say which drawing it is, nothing more; of what is no `Example` they are all there is.
    """
    try:
        features = Example.FromString(data).features.feature
    except DecodeError:
        return data
    name = next((name for name in ("image", "ink") if name in features), None)
    return features[name].SerializeToString(deterministic=True) if name else data


def _example_class() -> type:
    """Build `tf.train.Example` from the field numbers of its .proto files.

    See tensorflow/core/example/{example,feature}.proto.

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
    """Serialise an Example: the same features give the same bytes.

    Args:
        features: for each feature bytes, an integer, or a list of floats or integers; an empty one
            is of floats.
    """
    example = Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif isinstance(value, int | np.integer):
            feature.int64_list.value.append(int(value))
        elif not value or isinstance(value[0], float):
            feature.float_list.value.extend(value)
        else:
            feature.int64_list.value.extend(value)
    return example.SerializeToString(deterministic=True)
