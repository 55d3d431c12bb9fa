"""Which tensors of a compiled function would go from a GPU to the host, on a machine without one.

TensorFlow's wheel for Linux has the kernels for GPUs: they say which operations run there for which
types, and which of their inputs and outputs lie in the host's memory all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import kernels, op_def_registry

# What is never in a GPU's memory, as TensorFlow's placement of arguments says.
_ON_HOST = {each.as_datatype_enum for each in (tf.int32, tf.string, tf.resource, tf.variant)}
_CALLS = {
    *("While", "StatelessWhile", "If", "StatelessIf"),
    *("PartitionedCall", "StatefulPartitionedCall", "IdentityN", "NoOp", "Placeholder"),
}


def knows_gpus() -> bool:
    """Whether this TensorFlow has kernels for GPUs."""
    return any(kernel.device_type == "GPU" for kernel in _kernels("GatherV2"))


def from_device_to_host(function: Any) -> list[str]:
    """Return a line for each input that the host has to wait for, of a concrete function."""
    graph = function.graph.as_graph_def()
    library = {each.signature.name: each for each in graph.library.function}
    found, left, seen = [], [("top", graph.node, [])], set()
    while left:
        where, nodes, arguments = left.pop()
        found += [f"{where}: {line}" for line in _crossings(nodes, arguments)]
        for name in _called(nodes):
            if name in library and name not in seen:
                seen.add(name)
                signature = library[name].signature
                left.append((name, library[name].node_def, signature.input_arg))
    return found


def _called(nodes: Iterable[Any]) -> Iterator[str]:
    for node in nodes:
        for value in node.attr.values():
            if value.WhichOneof("value") == "func":
                yield value.func.name


def _crossings(nodes: Iterable[Any], arguments: Iterable[Any]) -> Iterator[str]:
    """Yield what goes from the device to the host within one function."""
    nodes = {node.name: node for node in nodes}
    given = {each.name: each.type in _ON_HOST for each in arguments}
    for node in nodes.values():
        expected = _sides(node, op_def_registry.get(node.op).input_arg)
        for name, on_host in zip(
            (each for each in node.input if not each.startswith("^")), expected, strict=True
        ):
            source, _, output = name.partition(":")
            made_on_host = (
                given[source] if source in given else _is_made_on_host(nodes[source], output)
            )
            if on_host and not made_on_host:
                yield f"{node.op} ({node.name}) needs {name}"


def _is_made_on_host(node: Any, output: str) -> bool:
    outputs = op_def_registry.get(node.op).output_arg
    if node.op == "Const":
        return True  # where it is needed
    name, _, number = output.rpartition(":")
    names = [each.name for each in outputs for _ in range(_count(node, each))]
    at = names.index(name) if name else 0
    return _sides(node, outputs)[at + int(number or 0)]


def _sides(node: Any, arguments: Iterable[Any]) -> list[bool]:
    """Return for each input or output of a node whether it lies in the host's memory."""
    if node.op in _CALLS:
        return [kind in _ON_HOST for each in arguments for kind in _types(node, each)]
    kernel = None if "CPU" in node.device else _kernel(node)
    return [
        kernel is None or each.name in kernel.host_memory_arg
        for each in arguments
        for _ in range(_count(node, each))
    ]


def _types(node: Any, argument: Any) -> list[int]:
    if argument.type_list_attr:
        return list(node.attr[argument.type_list_attr].list.type)
    kind = node.attr[argument.type_attr].type if argument.type_attr else argument.type
    return [kind] * _count(node, argument)


def _count(node: Any, argument: Any) -> int:
    if argument.type_list_attr:
        return len(node.attr[argument.type_list_attr].list.type)
    return node.attr[argument.number_attr].i if argument.number_attr else 1


def _kernel(node: Any) -> Any:
    """Return the kernel that a GPU would run, or None."""
    for kernel in _kernels(node.op):
        allowed = {each.name: each.allowed_values.list.type for each in kernel.constraint}
        if all(not types or node.attr[name].type in types for name, types in allowed.items()):
            return kernel
    return None


def _kernels(op: str) -> list[Any]:
    every = kernels.get_registered_kernels_for_op(op).kernel
    return [kernel for kernel in every if kernel.device_type in ("GPU", "DEFAULT")]
