"""Where the server's files come from: a folder that holds an export is taken as it is."""

from __future__ import annotations

import json
import shutil

import pytest

from quickdraw import storage
from quickdraw.errors import QuickdrawError
from quickdraw.serving import exporting
from quickdraw.serving.recogniser import Recogniser


def test_an_export_is_served_without_a_run(exports, monkeypatch):
    monkeypatch.setattr(exporting.subprocess, "run", None)  # nothing is exported again
    folder = str(exports["cnn"])
    found = exporting.look_at(folder)
    assert found.is_export
    assert exporting.onnx_of(found) == folder
    assert found == exporting.look_at(folder)
    exporting.forget(found)  # it is not the server's to delete
    assert (exports["cnn"] / "model.onnx").exists()


def test_an_export_on_gs_is_copied_once(exports, server, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("model.onnx", "export.json"):
        with storage.write_whole(f"gs://b/exports/cnn/{name}", "wb") as file:
            file.write((exports["cnn"] / name).read_bytes())
    folder = exporting.onnx_of(exporting.look_at("gs://b/exports/cnn"))
    assert folder.startswith(str(tmp_path))
    assert Recogniser(folder).description.labels
    with monkeypatch.context() as patch:
        patch.setattr(exporting, "_fetched", None)
        assert exporting.onnx_of(exporting.look_at("gs://b/exports/cnn")) == folder


def test_an_export_of_another_format_is_told(exports, tmp_path):
    shutil.copy(exports["cnn"] / "export.json", tmp_path)
    with pytest.raises(QuickdrawError, match="format=onnx"):
        exporting.onnx_of(exporting.look_at(str(tmp_path)))


def test_a_new_export_in_the_same_folder_is_seen(exports, tmp_path):
    folder = tmp_path / "export"
    shutil.copytree(exports["cnn"], folder)
    before = exporting.look_at(str(folder))
    content = json.loads((folder / "export.json").read_text("utf-8"))
    content["runs"][0]["step"] += 1
    (folder / "export.json").write_text(json.dumps(content), encoding="utf-8")
    assert exporting.look_at(str(folder)) != before
