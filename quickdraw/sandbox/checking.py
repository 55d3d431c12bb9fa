"""The check of an untrusted ONNX file: loaded, described, tried and timed in a sandbox."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
import re
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from quickdraw.datasets.doodles.draw import CATEGORIES, draw
from quickdraw.drawings.rendering import Rendering
from quickdraw.errors import QuickdrawError
from quickdraw.records.class_names import is_seen
from quickdraw.runs import exported
from quickdraw.runs.exported import Description
from quickdraw.sandbox.cage import Cage, CageError, CageLimits

MOST_BYTES = 32 << 20
_TYPES = {"image": "tensor(uint8)", "ink": "tensor(int16)"}
_MOST_CLASSES, _LONGEST_LABEL = 1000, 60
_SIDES, _POINTS = range(8, 257), range(8, 1025)
_BATCH, _BATCHES, _BATCH_SECONDS, _PATIENCE = 8, 5, 1.0, 10.0
_CHECK_CPU_SECONDS = 30
_DIGITS = 3  # after the first, of probabilities however small: by them models are told apart
_UNKNOWN = re.compile(r"No Op registered for (\w+)|(\w[\w.:]*)\(-?\d+\) is not a registered")


@dataclasses.dataclass(frozen=True)
class Checked:
    """A file that passed the check.

    Attributes:
        description: its own description, validated.
        sha256: of the file.
        answers: a digest of its answers to some drawings: the same for the same model, exported
            again into a file of other bytes.
        milliseconds: the median time for one drawing, in batches of eight.
        missing: the limits that this system cannot enforce on its process.
    """

    description: Description
    sha256: str
    answers: str
    milliseconds: float
    missing: tuple[str, ...]


def check(data: bytes, limits: CageLimits | None = None) -> Checked:
    """Check a file in a sandboxed process, in about two seconds.

    Args:
        data: the file.
        limits: of loading and trying it.

    Raises:
        QuickdrawError: it is refused; the message is one line that says why.
    """
    if len(data) > MOST_BYTES:
        raise QuickdrawError(
            f"at most {MOST_BYTES >> 20} MB expected. Received: {len(data) / (1 << 20):.1f} MB"
        )
    limits = limits or CageLimits(cpu_seconds=_CHECK_CPU_SECONDS)
    with _cage(data, limits) as cage:
        description = described(cage.facts)
        answers, milliseconds = _tried(cage, description)
        missing = tuple(cage.missing)
    return Checked(description, hashlib.sha256(data).hexdigest(), answers, milliseconds, missing)


@contextlib.contextmanager
def _cage(data: bytes, limits: CageLimits) -> Iterator[Cage]:
    try:
        cage = Cage(data, limits)
    except CageError as error:
        if found := _UNKNOWN.search(str(error)):
            raise QuickdrawError(
                f"it needs the operation {found[1] or found[2]}, which onnxruntime does not have: "
                "operations of one's own are refused"
            ) from None
        if "INVALID_PROTOBUF" in str(error):
            raise QuickdrawError(
                "no ONNX file, or not a whole one: model.onnx expected, as "
                "quickdraw.export --format=onnx writes it"
            ) from None
        raise QuickdrawError(f"onnxruntime does not take it: {error}") from None
    try:
        yield cage
    finally:
        cage.close()


def described(facts: dict[str, Any]) -> Description:
    """Return the description in a file, every part of it validated.

    Raises:
        QuickdrawError: its inputs or outputs are others, or it does not name its classes.
    """
    try:
        return _described(facts)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise QuickdrawError("its description is damaged: export it again") from None


def _described(facts: dict[str, Any]) -> Description:
    inputs = {each["name"]: each for each in facts["inputs"]}
    if len(facts["outputs"]) != 1:
        raise QuickdrawError(f"one output expected. Received: {len(facts['outputs'])}")
    (output,), metadata = facts["outputs"], dict(facts["metadata"])
    if not inputs or not inputs.keys() <= _TYPES.keys():
        raise QuickdrawError(
            f"inputs: image, ink or both expected. Received: {_shown(sorted(map(str, inputs)))}"
        )
    description = _of_metadata(metadata, inputs)
    _check_numbers(description)
    shapes = {
        "image": [description.image_size, description.image_size, description.channels],
        "ink": [description.max_points, 3],
    }
    for name, each in inputs.items():
        _check_value(name, each, _TYPES[name], shapes[name])
    _check_value("probabilities", output, "tensor(float)", [len(description.labels)])
    if output["name"] != "probabilities":
        raise QuickdrawError(f"output: probabilities expected. Received: {_shown(output['name'])}")
    return description


def _of_metadata(metadata: dict[str, Any], inputs: dict[str, Any]) -> Description:
    """Read the description; make one for a file of another tool that has `labels` alone."""
    if exported.KEY in metadata:
        description = exported.from_text(metadata[exported.KEY], "its metadata")
        if set(map(str, description.inputs)) != set(inputs):
            raise QuickdrawError("its inputs are not those that its metadata names")
        return description
    if "labels" not in metadata:
        raise QuickdrawError(
            "its metadata names no classes: 'labels' expected, one a line (quickdraw.export writes "
            "it)"
        )
    shape = inputs.get("image", {}).get("shape") or [None]
    size, channels = (shape[-2], shape[-1]) if len(shape) == 4 else (None, None)
    return Description(
        labels=str(metadata["labels"]).splitlines(),
        named=True,
        inputs=dict(inputs),
        outputs={},
        image_size=size,  # type: ignore[arg-type]  # checked by the caller
        channels=channels,  # type: ignore[arg-type]
        max_points=0,
        rendering=Rendering(),
        runs=[],
    )


def _check_numbers(of: Description) -> None:
    labels = of.labels
    if not isinstance(labels, list) or not 2 <= len(labels) <= _MOST_CLASSES:
        raise QuickdrawError(f"labels: 2…{_MOST_CLASSES} names expected")
    for label in labels:
        if not isinstance(label, str) or len(label) > _LONGEST_LABEL or not is_seen(label):
            raise QuickdrawError(f"labels: names expected. Received: {_shown(label)}")
        if not label.isprintable():
            raise QuickdrawError(f"labels: printable names expected. Received: {_shown(label)}")
    if len(set(labels)) < len(labels):
        raise QuickdrawError("labels: a name is there twice")
    how = of.rendering
    widths = (how.line_width, how.padding)
    if not (
        _is_in(of.image_size, _SIDES)
        and _is_in(of.channels, (1, 3))
        and ("ink" not in of.inputs or _is_in(of.max_points, _POINTS))
        and how.style in ("quickdraw", "mnist", "other")
        and all(type(each) in (int, float) and 0 <= each <= 128 for each in widths)
        and how.line_width > 0
    ):
        raise QuickdrawError(
            f"a picture of {_SIDES.start}…{_SIDES.stop - 1} pixels, 1 or 3 channels, and a pen of "
            "up to 128 units expected: its metadata says something else"
        )


def _check_value(name: str, value: dict[str, object], wanted: str, shape: list[int]) -> None:
    """Check the dtype and shape of an input or output; its first axis, the batch, must be free."""
    kind, given = value.get("type"), value.get("shape")
    axes = given if isinstance(given, list) else []
    if kind != wanted or axes[1:] != shape or not axes or isinstance(axes[0], int):
        raise QuickdrawError(
            f"{name}: {wanted} [batch, {', '.join(map(str, shape))}] expected. "
            f"Received: {_shown(kind)} {_shown(axes)}"
        )


def _is_in(value: object, allowed: range | tuple[int, ...]) -> bool:
    return type(value) is int and value in allowed


def _tried(cage: Cage, description: Description) -> tuple[str, float]:
    """Run it on some drawings; return a digest of its answers, and the milliseconds for one."""
    rng = np.random.default_rng(0)
    every = [description.arrays(draw(CATEGORIES[i % 9], rng)) for i in range(_BATCH)]
    batch = {name: np.stack([each[name] for each in every]) for name in every[0]}
    classes, seconds = len(description.labels), []
    for _ in range(_BATCHES):
        start = time.perf_counter()
        answer = cage.ask(batch, classes, _PATIENCE)
        seconds.append(time.perf_counter() - start)
    if answer.min() < -1e-6 or not np.allclose(answer.sum(axis=1), 1, atol=1e-3):
        raise QuickdrawError(
            "probabilities that are not negative and have the sum 1 expected. Received: a sum of "
            f"{answer[0].sum():.3g} (is a softmax missing?)"
        )
    median = float(np.median(seconds))
    if median > _BATCH_SECONDS or not math.isfinite(median):
        raise QuickdrawError(
            f"{_BATCH} drawings in {_BATCH_SECONDS:g} s expected. Received: {median:.1f} s"
        )
    said = [*description.labels, *(f"{each:.{_DIGITS}e}" for each in answer.ravel())]
    return hashlib.sha256("\n".join(said).encode()).hexdigest(), median / _BATCH * 1e3


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:119]}…"
