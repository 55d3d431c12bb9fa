"""A web page with the models inside: one file, and a folder for hosting.

index.html opens by double click, without a network: it contains models and runtime. folder/ has the
same as separate files, for a web server with the Content-Security-Policy of folder/headers.txt.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import os
import shutil
from collections.abc import Sequence

from quickdraw.export import runtime
from quickdraw.pages import drawing_page
from quickdraw.runs.exported import Description

PAGE, FOLDER = "index.html", "folder"


def write(
    local: str,
    models: Sequence[tuple[Description, str]],
    gallery: dict[str, list[str]],
    runtime_dir: str | None = None,
) -> list[str]:
    """Write the page and the folder; return their names.

    Args:
        local: a local folder to write to.
        models: the description of each model, and the path of its ONNX file.
        gallery: a few drawings of each label, PNG in base64.
        runtime_dir: see `runtime.folder`.

    Raises:
        QuickdrawError: see `runtime.folder`.
    """
    where = runtime.folder(runtime_dir)
    content: dict[str, object] = {
        "models": [described(each) for each, _ in models],
        "gallery": gallery,
    }
    labels = [label for each, _ in models for label in each.labels]
    paths = [path for _, path in models]
    with open(os.path.join(local, PAGE), "w", encoding="utf-8") as file:
        file.write(_one_file(content, labels, paths, where))
    _write_folder(os.path.join(local, FOLDER), content, labels, paths, where)
    return [PAGE, FOLDER]


def described(description: Description) -> dict[str, object]:
    """Return the description of a model for the page."""
    return {**dataclasses.asdict(description), "name": description.name}


def _one_file(
    content: dict[str, object], labels: Sequence[str], paths: Sequence[str], where: str
) -> str:
    with open(os.path.join(where, runtime.SCRIPT), encoding="utf-8") as file:
        script = file.read()
    blocks = {f"model-{number}": _base64(path) for number, path in enumerate(paths)}
    blocks["ort-mjs"] = _base64(os.path.join(where, runtime.GLUE))
    blocks["ort-wasm"] = _base64(os.path.join(where, runtime.PROGRAM), packed=True)
    licence = "/*\n" + runtime.licence().replace("*/", "* /") + "*/\n"
    return drawing_page.html(
        content,
        "in_browser",
        inline=True,
        labels=labels,
        blocks=blocks,
        runtime={runtime.SCRIPT: licence + script},
    )


def _write_folder(
    folder: str,
    content: dict[str, object],
    labels: Sequence[str],
    paths: Sequence[str],
    where: str,
) -> None:
    os.makedirs(os.path.join(folder, "ort"))
    for name in (runtime.SCRIPT, runtime.GLUE, runtime.PROGRAM):
        shutil.copyfile(os.path.join(where, name), os.path.join(folder, "ort", name))
    for number, path in enumerate(paths):
        shutil.copyfile(path, os.path.join(folder, f"model-{number}.onnx"))
    page = drawing_page.html(
        content,
        "in_browser",
        inline=False,
        labels=labels,
        runtime={f"ort/{runtime.SCRIPT}": ""},
    )
    headers = drawing_page.headers(wasm=True)
    texts = {
        **drawing_page.scripts("in_browser"),
        "index.html": page,
        drawing_page.STYLE: drawing_page.style(),
        f"ort/{runtime.LICENCE}": runtime.licence(),
        "headers.txt": "".join(f"{name}: {value}\n" for name, value in headers.items()),
    }
    for name, text in texts.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def _base64(path: str, packed: bool = False) -> str:
    with open(path, "rb") as file:
        data = file.read()
    return base64.b64encode(gzip.compress(data, mtime=0) if packed else data).decode()
