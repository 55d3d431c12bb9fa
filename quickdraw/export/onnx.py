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
    """Write an ONNX file that says in its metadata what it is.

    Args:
        graph: what is exported.
        path: a local file.
        description: stands in the file's metadata.
        quantized: is not possible here, and left out.

    Raises:
        QuickdrawError: an operation has no counterpart in ONNX.
    """
    with needs("export"):
        import onnx
        import tf2onnx
    with _errors() as lines, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tf2onnx about NumPy 2
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
    """Return the error that operations of TensorFlow have no counterpart in a format."""
    what = f"the operation{'s' * (len(names) > 1)} {', '.join(names)}" if names else "an operation"
    return QuickdrawError(
        f"{what} of TensorFlow in this model has no counterpart in {format}: nothing was written. "
        "Build the layer of other operations, or take --format=saved_model, which holds any"
    )


def load(path: str) -> Predicting:
    """Return a function from inputs by name to probabilities, float32 `[batch, num_classes]`.

    Raises:
        QuickdrawError: onnxruntime does not take the file.
    """
    with needs("export"):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for each kind of damage
        if found := re.search(r"No Op registered for (\w+)", str(error)):
            raise unsupported([found[1]], "ONNX") from None
        line = " ".join(str(error).split())[:300]
        raise QuickdrawError(f"{path}: onnxruntime does not take it: {line}") from None

    def predict(arrays: dict[str, np.ndarray]) -> np.ndarray:
        (probabilities,) = session.run([OUTPUT], arrays)
        return probabilities

    return predict


def _name_axes(model: onnx.ModelProto, description: Description) -> None:
    """Name the axes: the batch, which may have any size, as one in all inputs and outputs."""
    for value in (*model.graph.input, *model.graph.output):
        axes = (description.inputs | description.outputs)[value.name]
        for name, size, dim in zip(
            axes["axes"], axes["shape"], value.type.tensor_type.shape.dim, strict=True
        ):
            if size is None:
                dim.dim_param = name
            dim.denotation = f"DATA_{name.upper()}"
    del model.graph.value_info[:]  # what tf2onnx calls the batch there is another name


def _erfc(context: Any, node: Any, name: str, arguments: Any) -> Any:
    """Convert Erfc, of the exact GELU, which ONNX has not: 1 - Erf."""
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
    """Yield what tf2onnx logs, which goes nowhere else: of some errors it only logs."""
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
