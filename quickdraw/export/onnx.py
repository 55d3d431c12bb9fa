"""ONNX: for onnxruntime on servers, in browsers and on phones."""

from __future__ import annotations

import contextlib
import logging
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from quickdraw.errors import QuickdrawError
from quickdraw.export.graph import OUTPUT, Graph, Predicting
from quickdraw.extras import needs
from quickdraw.runs.exported import KEY, Description

if TYPE_CHECKING:
    import onnx

NAME = "model.onnx"
_OPSET = 17
_UNSUPPORTED = re.compile(r"Unsupported ops: Counter\(\{(.*?)\}\)")


def write(graph: Graph, path: str, description: Description, quantized: bool = False) -> None:
    """Write an ONNX file with its description as metadata.

    Args:
        graph: the graph to export.
        path: a local file.
        description: stored in the file's metadata.
        quantized: ignored: not supported for ONNX.

    Raises:
        QuickdrawError: ONNX does not support an operation.
    """
    with needs("export"):
        import onnx
        import tf2onnx
    with _errors() as lines, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf2onnx warns about NumPy 2
        model, _ = tf2onnx.convert.from_function(
            graph.predict,
            graph.predict.input_signature,
            opset=_OPSET,
            custom_op_handlers={"Erfc": (_erfc, [])},
        )
    if found := _UNSUPPORTED.search("\n".join(lines)):
        names = re.findall(r"'(\w+)'", found[1])
        raise unsupported(names, "ONNX")
    _name_axes(model, description)
    model.producer_name = "quickdraw"
    onnx.helper.set_model_props(
        model, {KEY: description.as_text(), "labels": "\n".join(description.labels)}
    )
    onnx.save(model, path)


def unsupported(names: list[str], format: str) -> QuickdrawError:
    """Return the error that a format does not support some operations."""
    what = f"the operation{'s' * (len(names) > 1)} {', '.join(names)}" if names else "an operation"
    return QuickdrawError(
        f"{what} of TensorFlow in this model has no counterpart in {format}: nothing was written. "
        "Build the layer of other operations, or take --format=saved_model, which holds any"
    )


def load(path: str) -> Predicting:
    """Return a function from inputs by name to probabilities, float32 `[batch, num_classes]`.

    Raises:
        QuickdrawError: onnxruntime cannot load the file.
    """
    with needs("export"):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a different class for each kind of damage
        if found := re.search(r"No Op registered for (\w+)", str(error)):
            raise unsupported([found[1]], "ONNX") from None
        line = " ".join(str(error).split())[:300]
        raise QuickdrawError(f"{path}: onnxruntime does not take it: {line}") from None

    def predict(arrays: dict[str, np.ndarray]) -> np.ndarray:
        (probabilities,) = session.run([OUTPUT], arrays)
        return probabilities

    return predict


def _name_axes(model: onnx.ModelProto, description: Description) -> None:
    """Name the batch axis, of any size, consistently in all inputs and outputs."""
    for value in (*model.graph.input, *model.graph.output):
        axes = (description.inputs | description.outputs)[value.name]
        for name, size, dim in zip(
            axes["axes"], axes["shape"], value.type.tensor_type.shape.dim, strict=True
        ):
            if size is None:
                dim.dim_param = name
            dim.denotation = f"DATA_{name.upper()}"
    del model.graph.value_info[:]  # tf2onnx names the batch differently in these


def _erfc(context: Any, node: Any, name: str, arguments: Any) -> Any:
    """Convert Erfc, which the exact GELU needs and ONNX lacks, to 1 - Erf."""
    from tf2onnx import utils

    node.type = "Erf"
    value = node.output[0]
    one = context.make_const(utils.make_name("one"), np.array(1, np.float32)).output[0]
    rest = context.make_node(
        "Sub", [one, value], dtypes=[context.get_dtype(value)], shapes=[context.get_shape(value)]
    )
    others = [each for each in context.get_nodes() if each.name != rest.name]
    context.replace_all_inputs(value, rest.output[0], ops=others)
    return node


@contextlib.contextmanager
def _errors() -> Iterator[list[str]]:
    """Capture the log of tf2onnx, which only logs some errors."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    names = ["tf2onnx", *(name for name in logging.root.manager.loggerDict if "tf2onnx" in name)]
    loggers = [logging.getLogger(name) for name in names]
    before = [each.propagate for each in loggers]
    for each in loggers:
        each.addHandler(handler)
        each.propagate = False
    try:
        yield lines
    finally:
        for each, was in zip(loggers, before, strict=True):
            each.removeHandler(handler)
            each.propagate = was
