"""ONNX files as teams hand them in: a small one that is right, and those that are not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

LABELS = ["cat", "dog", "sun"]
SIDE = 28


def onnx_file(
    labels: Sequence[str] = LABELS,
    *,
    favourite: int | None = None,
    seed: int = 0,
    metadata: dict[str, str] | None = None,
    change: Callable[[Any, Any], None] | None = None,
) -> bytes:
    """A file that guesses by the sum of random weights; or one word for everything.

    Args:
        labels: of the classes.
        favourite: the class that it always answers.
        seed: of the weights.
        metadata: in the place of the description.
        change: called with `onnx.helper` and the model, to spoil it.
    """
    onnx = pytest.importorskip("onnx")
    helper, count = onnx.helper, len(labels)
    weights = np.random.default_rng(seed).normal(0, 0.001, (SIDE * SIDE, count)).astype(np.float32)
    bias = np.zeros(count, np.float32)
    if favourite is not None:
        weights[:] = 0
        bias[favourite] = 6
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Reshape", ["floats", "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weights"], ["sums"]),
        helper.make_node("Add", ["sums", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    image = helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, ["batch", SIDE, SIDE, 1])
    output = helper.make_tensor_value_info(
        "probabilities", onnx.TensorProto.FLOAT, ["batch", count]
    )
    constants = [
        onnx.numpy_helper.from_array(array, name)
        for name, array in (
            ("flat", np.array([-1, SIDE * SIDE])),
            ("weights", weights),
            ("bias", bias),
        )
    ]
    graph = helper.make_graph(nodes, "team", [image], [output], constants)
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    helper.set_model_props(model, described(labels) if metadata is None else metadata)
    if change:
        change(helper, model)
    return model.SerializeToString()


def described(labels: Sequence[str], **changes: Any) -> dict[str, str]:
    """The metadata that quickdraw.export writes."""
    description = {
        "labels": list(labels),
        "named": True,
        "inputs": {"image": {"shape": [None, SIDE, SIDE, 1]}},
        "outputs": {"probabilities": {"shape": [None, len(labels)]}},
        "image_size": SIDE,
        "channels": 1,
        "max_points": 0,
        "rendering": {"style": "quickdraw", "line_width": 16.0, "padding": 16.0},
        "runs": [],
        "tta": False,
        "versions": {},
        "format": 1,
    }
    return {"quickdraw": json.dumps({**description, **changes})}


def _after_logits(helper: Any, model: Any, *nodes: Any) -> None:
    """Put nodes between the sums and the softmax: from `logits` to `spoilt`."""
    softmax = model.graph.node[-1]
    softmax.input[0] = "spoilt"
    kept = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*kept[:-1], *nodes, kept[-1]])


def hanging(helper: Any, model: Any) -> None:
    """Let it compute for ever."""
    import onnx

    def constant(name: str, value: Any) -> None:
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value), name))

    constant("times", 1 << 60)
    constant("yes", True)
    kinds = onnx.TensorProto
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Relu", ["value"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", kinds.INT64, []),
            helper.make_tensor_value_info("go", kinds.BOOL, []),
            helper.make_tensor_value_info("value", kinds.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", kinds.BOOL, []),
            helper.make_tensor_value_info("next", kinds.FLOAT, None),
        ],
    )
    loop = helper.make_node("Loop", ["times", "yes", "logits"], ["spoilt"], body=body)
    _after_logits(helper, model, loop)


def greedy(helper: Any, model: Any) -> None:
    """Let it take sixteen gigabytes."""
    import onnx

    size = onnx.numpy_helper.from_array(np.array([1 << 32]), "size")
    model.graph.initializer.append(size)
    _after_logits(
        helper,
        model,
        helper.make_node("ConstantOfShape", ["size"], ["much"]),
        helper.make_node("ReduceMax", ["much"], ["most"], keepdims=0),
        helper.make_node("Add", ["logits", "most"], ["spoilt"]),
    )


def not_a_number(helper: Any, model: Any) -> None:
    """Let it answer NaN."""
    _after_logits(
        helper,
        model,
        helper.make_node("Sub", ["logits", "logits"], ["zero"]),
        helper.make_node("Div", ["zero", "zero"], ["spoilt"]),
    )


def without_softmax(helper: Any, model: Any) -> None:
    """Let it answer logits."""
    model.graph.node[-1].CopyFrom(helper.make_node("Identity", ["logits"], ["probabilities"]))


def of_its_own(helper: Any, model: Any) -> None:
    """Let it need an operation that only its author has."""
    model.opset_import.append(helper.make_opsetid("evil", 1))
    _after_logits(helper, model, helper.make_node("Shell", ["logits"], ["spoilt"], domain="evil"))


def from_another_file(helper: Any, model: Any) -> None:
    """Let its weights be those of another file of this machine."""
    (tensor,) = [each for each in model.graph.initializer if each.name == "bias"]
    tensor.ClearField("raw_data")
    tensor.data_location = 1  # EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../../etc/passwd"


def fixed_batch(helper: Any, model: Any) -> None:
    """Let it take one drawing at a time."""
    dim = model.graph.input[0].type.tensor_type.shape.dim[0]
    dim.ClearField("dim_param")
    dim.dim_value = 1
