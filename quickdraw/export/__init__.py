"""Export of trained models: SavedModel, ONNX, LiteRT, or a web page that guesses.

    python -m quickdraw.export --train_dir=runs/cnn --format=onnx
    python -m quickdraw.export --train_dir=runs/cnn --format=saved_model,onnx,litert --quantize=int8
    python -m quickdraw.export --train_dir=runs/cnn,runs/resnet --format=onnx --output_dir=exports
    python -m quickdraw.export --train_dir=runs/cnn,runs/resnet --format=web --output_dir=page

The inputs of an export are those of the model, uint8 `image` [batch, size, size, channels] with
strokes 255 on 0, int16 `ink` [batch, points, 3] or both; its output is `probabilities` [batch,
classes], calibrated if quickdraw.calibrate was run. Several runs become one ensemble. export.json
beside the files, and the metadata of the ONNX and LiteRT files, have the names of the classes and
how to draw strokes.

Each file is loaded again by its own runtime and compared with Keras on 300 validation drawings: no
probability may differ by more than 0.0001. --quantize=int8 makes a LiteRT file a quarter as large,
and 99 % of its predictions must be those of Keras. Nothing appears in --output_dir before all
formats agree. CnnModel: about 15 seconds for all formats, most of it to start TensorFlow.

web writes index.html, which opens by double click, without a network, in Chromium and Firefox: the
runs of --train_dir guess on the device what is drawn on it. folder/ beside it is for hosting. The
page takes 5.6 MB and 1.4 times each ONNX file. Its runtime, onnxruntime-web, is fetched once with
npm, checked, and kept in the cache.

It needs extras: pip install -e '.[export]' for onnx and litert, '.[export,web]' for web.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Literal

from quickdraw import cli, environment, storage
from quickdraw.console import log
from quickdraw.errors import UsageError
from quickdraw.fields import field

FORMATS = ("saved_model", "onnx", "litert", "web")


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of this command."""

    train_dir: str = field(
        environment.TRAIN_DIR,
        "The folder of the run, local or gs://; several, separated by commas, are one ensemble.",
        path=True,
    )
    format: tuple[str, ...] = field(
        ("onnx",), "What to write, separated by commas: saved_model, onnx, litert, web."
    )
    quantize: Literal["none", "int8"] = field(
        "none", "none keeps float32; int8 stores the weights of litert in a quarter of the space."
    )
    tta: bool = field(False, "Predict each drawing and its mirror image, and take the mean.")
    ensemble_weights: tuple[str, ...] | None = field(
        None, "How much each run of an ensemble counts."
    )
    checkpoint: Literal["best", "latest"] = field("best", "Which model to export.")
    output_dir: str | None = field(
        None, "Where the files go, local or gs://. Without it, train_dir/export.", path=True
    )
    gallery: bool = field(
        False, "Also write gallery.json: a few validation drawings of each class, for a page."
    )
    runtime_dir: str | None = field(
        None,
        "For web where there is no network: a folder with onnxruntime-web, or npm's package of it.",
        path=True,
    )


def command(flags: Flags) -> None:
    """Load the runs, write and compare each format, and print the paths."""
    formats = _formats(flags)
    try:
        given = flags.ensemble_weights
        weights = None if given is None else [float(each) for each in given]
    except ValueError:
        raise UsageError(
            f"--ensemble_weights must be numbers. Received: {list(flags.ensemble_weights or ())}"
        ) from None
    folders = storage.folders_in(environment.train_dir(flags.train_dir))
    output_dir = flags.output_dir or os.path.join(folders[0], "export")
    cli.load_tensorflow()
    from quickdraw import runs
    from quickdraw.export import write
    from quickdraw.export.gallery import gallery
    from quickdraw.runs.ensemble import warn_of_mirroring
    from quickdraw.runs.exported import GALLERY

    models = [runs.load(folder, flags.checkpoint) for folder in folders]
    for folder, model in zip(folders, models, strict=True):
        log(f"exporting the model of step {model.step:,} of {folder}")
        if flags.tta:
            warn_of_mirroring(folder, model.run)
    prepared = write.prepare(models, folders, weights, flags.tta)
    pages = []
    if "web" in formats and len(models) > 1:  # the page shows each model's guesses
        pages = [
            write.prepare([model], [folder], tta=flags.tta)
            for folder, model in zip(folders, models, strict=True)
        ]
    files = write.export(
        prepared, formats, output_dir, flags.quantize == "int8", pages, flags.runtime_dir
    )
    if flags.gallery:
        storage.write_json(os.path.join(output_dir, GALLERY), gallery(prepared.graph.ensemble))
    for made in files.values():
        print(os.path.join(output_dir, made["path"]))


def _formats(flags: Flags) -> list[str]:
    formats = list(dict.fromkeys(flags.format))
    if unknown := [each for each in formats if each not in FORMATS]:
        raise UsageError(f"--format: some of {', '.join(FORMATS)} expected. Received: {unknown[0]}")
    if not formats:
        raise UsageError(f"--format: some of {', '.join(FORMATS)} expected. Received: none")
    if flags.quantize != "none" and "litert" not in formats:
        raise UsageError(f"--quantize={flags.quantize} is for --format=litert")
    return formats


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-export`; return its exit code."""
    return cli.run(Flags, command, argv)
