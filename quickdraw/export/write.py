"""Writes a model in several formats, each verified against Keras before it is published."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from quickdraw import storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.export import agreement, litert, onnx, saved_model, web
from quickdraw.export.gallery import gallery
from quickdraw.export.graph import Graph, Predicting, describe, in_float32
from quickdraw.runs import exported
from quickdraw.runs.ensemble import Ensemble
from quickdraw.runs.exported import Description, ExportedFile
from quickdraw.runs.trained import TrainedModel


class Format(Protocol):
    """The interface of a format's module: the name of its file, how to write and load it."""

    NAME: str

    def write(self, graph: Graph, path: str, description: Description, quantized: bool) -> None: ...

    def load(self, path: str) -> Predicting: ...


FORMATS: dict[str, Format] = {"saved_model": saved_model, "onnx": onnx, "litert": litert}
_INT8 = ("litert",)


@dataclasses.dataclass(frozen=True)
class Model:
    """A model to export.

    Attributes:
        graph: its graph.
        description: its description.
        arrays: drawings for the comparison, by input.
        wanted: the predictions of Keras, float32 `[drawings, num_classes]`.
    """

    graph: Graph
    description: Description
    arrays: dict[str, np.ndarray]
    wanted: np.ndarray


def prepare(
    models: Sequence[TrainedModel],
    train_dirs: Sequence[str],
    weights: Sequence[float] | None = None,
    tta: bool = False,
) -> Model:
    """Make the graph of one or several runs, and the predictions of Keras to compare with.

    Args:
        models: the trained models.
        train_dirs: the folders of their runs.
        weights: of the models in the mean; equal if not given.
        tta: average the predictions of each drawing and its mirror image.

    Raises:
        QuickdrawError: incompatible runs; see `Ensemble`.
    """
    ensemble = Ensemble([in_float32(each) for each in models], weights, tta)
    graph = Graph(ensemble)
    description = describe(graph, train_dirs)
    agreement.warn_of_preprocessing(ensemble, description.rendering)
    arrays = agreement.drawings(ensemble, description.rendering)
    return Model(graph, description, arrays, ensemble.probabilities(arrays))


def write(model: Model, format: str, path: str, quantized: bool = False) -> ExportedFile:
    """Write one format to a local path and verify it; return its entry in export.json.

    Raises:
        QuickdrawError: it cannot be converted, or does not agree with Keras; it is deleted then.
    """
    kind = FORMATS[format]
    quantized = quantized and format in _INT8
    try:
        kind.write(model.graph, path, model.description, quantized)
        found = agreement.compare(kind.load(path), model.arrays, model.wanted)
        found.check(path, quantized)
    except BaseException:
        storage.delete(path)
        raise
    made: ExportedFile = {
        "path": os.path.basename(path),
        "bytes": _size(path),
        "quantized": "int8" if quantized else None,
        "agreement": dataclasses.asdict(found),
    }
    if os.path.isfile(path):
        made["sha256"] = _digest(path)
    return made


def export(
    model: Model,
    formats: Sequence[str],
    output_dir: str,
    quantized: bool = False,
    pages: Sequence[Model] = (),
    runtime_dir: str | None = None,
) -> dict[str, ExportedFile]:
    """Write several formats and export.json; nothing is published before all agree with Keras.

    Args:
        model: the result of `prepare`.
        formats: some of `FORMATS`, and "web".
        output_dir: local or gs://.
        quantized: store weights as int8, if the format supports it.
        pages: for "web", the models of the page; None for `model`.
        runtime_dir: see `runtime.folder`.

    Returns:
        The entries of export.json, by format.
    """
    with _unfinished(output_dir) as local:
        files = {}
        for format in formats:
            if format == "web":
                files[format] = _write_web(pages or [model], local, runtime_dir)
            else:
                target = os.path.join(local, FORMATS[format].NAME)
                files[format] = write(model, format, target, quantized)
            log(line(format, files[format]))
        kept = _earlier(output_dir, model.description, formats)
        for made in files.values():
            for name in paths_of(made):
                publish(os.path.join(local, name), output_dir)
        exported.write(output_dir, model.description, {**kept, **files})
    return files


def paths_of(made: ExportedFile) -> list[str]:
    """Return the names of a format's files and folders, by its entry in export.json."""
    return [made["path"], *made.get("also", [])]


def _write_web(models: Sequence[Model], local: str, runtime_dir: str | None) -> ExportedFile:
    """Write the web page; return its entry in export.json."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = [os.path.join(scratch, f"{number}.onnx") for number in range(len(models))]
        made = [write(each, "onnx", path) for each, path in zip(models, paths, strict=True)]
        inside = [(each.description, path) for each, path in zip(models, paths, strict=True)]
        pictures = gallery(models[0].graph.ensemble)
        page, *also = web.write(local, inside, pictures, runtime_dir)
    path = os.path.join(local, page)
    worst = max(made, key=lambda each: each["agreement"]["largest_difference"])
    return {
        **worst,
        "path": page,
        "also": also,
        "models": [each.description.name for each in models],
        "bytes": _size(path),
        "sha256": _digest(path),
    }


def line(format: str, made: ExportedFile) -> str:
    """Return a one-line summary of an exported file."""
    of = made["agreement"]
    quantized = f" ({made['quantized']})" if made["quantized"] else ""
    return (
        f"{format}{quantized}: {made['bytes'] / 1e3:,.0f} kB, {of['milliseconds']:.2f} ms a "
        f"drawing; on {of['drawings']} drawings {of['same_top1']:.1%} as Keras predicts, "
        f"probabilities within {of['largest_difference']:.1g}"
    )


def publish(local: str, folder: str) -> None:
    """Move a finished file or folder to `folder`, replacing what is there."""
    target = os.path.join(folder, os.path.basename(local))
    if os.path.isfile(local):
        storage.move(local, target)
    elif not storage.is_remote(folder):
        aside = f"{local}.earlier"
        if os.path.exists(target):
            os.rename(target, aside)
        os.rename(local, target)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        storage.delete(target)
        for parent, _, names in os.walk(local):
            for name in names:
                path = os.path.join(parent, name)
                storage.move(path, os.path.join(target, os.path.relpath(path, local)))


@contextlib.contextmanager
def _unfinished(output_dir: str) -> Iterator[str]:
    """Yield a temporary folder on the disk of `output_dir`, from which files can be moved."""
    with (
        storage.staging(output_dir) as staging,
        tempfile.TemporaryDirectory(prefix=".unfinished-", dir=staging) as local,
        storage.writing(output_dir),
    ):
        yield local


def _earlier(output_dir: str, now: Description, formats: Sequence[str]) -> dict[str, ExportedFile]:
    """Return the entries of other formats of the same model; delete files of another model."""
    if not storage.exists(os.path.join(output_dir, exported.FILE_NAME)):
        return {}
    before, files = exported.read(output_dir)
    others = {name: files[name] for name in files if name not in formats}
    if before == now:
        return others
    for name, made in others.items():
        log(f"note: {made['path']} ({name}) was of another model, {before.name}: deleted")
        for path in paths_of(made):
            if os.path.dirname(path) or path in ("", ".", ".."):
                raise QuickdrawError(f"{output_dir}: {exported.FILE_NAME} names {path!r}")
            storage.delete(os.path.join(output_dir, path))
    return {}


def _size(path: str) -> int:
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(
        os.path.getsize(os.path.join(parent, name))
        for parent, _, names in os.walk(path)
        for name in names
    )


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
