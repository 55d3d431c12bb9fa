"""LiteRT (formerly TensorFlow Lite), for phones and small computers, one drawing at a time."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

import numpy as np

from quickdraw.errors import QuickdrawError
from quickdraw.export.graph import Graph, Predicting
from quickdraw.export.onnx import unsupported
from quickdraw.extras import needs
from quickdraw.runs.exported import KEY, Description

NAME = "model.tflite"
_SIGNATURE = "serving_default"
_OP = re.compile(r"(?:'tf\.|tf\.|Flex)(\w+)(?:' op|\(tensor|\()")


def write(graph: Graph, path: str, description: Description, quantized: bool = False) -> None:
    """Write a .tflite file, for batches of 1: LiteRT in browsers, and an LSTM, take no others.

    Args:
        graph: the graph to export.
        path: a local file.
        description: stored in the file's metadata.
        quantized: store weights as int8, a quarter of the size; inputs stay uint8.

    Raises:
        QuickdrawError: LiteRT does not support an operation.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.concrete(1)], graph)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if quantized:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with _quiet() as printed:
        try:
            data = converter.convert()
        except Exception as error:  # the converter's passes raise many kinds
            printed.append(str(error))
            data = None
    if data is None:
        text = "\n".join(printed)
        raise unsupported(sorted(set(_OP.findall(text))), "LiteRT")
    with open(path, "wb") as file:
        file.write(_with_metadata(data, description))


def load(path: str) -> Predicting:
    """Return a function from inputs by name to probabilities, float32 `[batch, num_classes]`.

    Raises:
        QuickdrawError: LiteRT cannot load the file.
    """
    with needs("export"):
        from ai_edge_litert.interpreter import Interpreter
    try:
        with _quiet():
            interpreter = Interpreter(path, num_threads=1)
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        if found := re.findall(r"Flex(\w+)", str(error)):
            raise unsupported(found, "LiteRT") from None
        line = " ".join(str(error).split())[:300]
        raise QuickdrawError(f"{path}: LiteRT does not take it: {line}") from None
    # By the name of the tensor: the converter keeps it, as `image:0` or with a prefix.
    places = {_plain(each["name"]): each["index"] for each in interpreter.get_input_details()}
    output = interpreter.get_output_details()[0]["index"]

    def predict(arrays: dict[str, np.ndarray]) -> np.ndarray:
        rows = []
        for number in range(len(next(iter(arrays.values())))):
            for name, array in arrays.items():
                interpreter.set_tensor(places[name], array[number : number + 1])
            interpreter.invoke()
            rows.append(interpreter.get_tensor(output))
        return np.concatenate(rows)

    return predict


def _plain(name: str) -> str:
    return name.removeprefix(f"{_SIGNATURE}_").partition(":")[0]


def _with_metadata(data: bytes, description: Description) -> bytes:
    """Return a model with the description added to its metadata."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(description.as_text().encode(), np.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = KEY, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    model.description = "quickdraw"
    builder = flatbuffers.Builder(len(data) + len(buffer.data) + 1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def read_metadata(data: bytes) -> str | None:
    """Return the description in a .tflite file; None without one."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    for entry in model.metadata or []:
        if _text(entry.name) == KEY:
            return bytes(model.buffers[entry.buffer].data).decode()
    return None


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


@contextlib.contextmanager
def _quiet() -> Iterator[list[str]]:
    """Capture what TensorFlow's compiler prints to stderr, for an error message."""
    lines: list[str] = []
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            captured.seek(0)
            lines.append(captured.read().decode(errors="replace"))
