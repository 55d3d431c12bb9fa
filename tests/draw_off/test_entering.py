"""Models that the organiser adds: found where runs lie, here and on gs://, and brought here."""

import json

import pytest
from onnx_files import LABELS, described, onnx_file

from quickdraw import storage
from quickdraw.draw_off import entering
from quickdraw.draw_off.contest import Contest
from quickdraw.errors import QuickdrawError
from quickdraw.sandbox import checking

pytest.importorskip("onnxruntime")


def test_runs_of_a_folder_are_found_and_brought_from_gs(server, runs, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    there = entering.runs_below(str(runs))
    assert there == ["damaged", "suns", "torn"]
    for path in [*runs.glob("*/*.*")]:
        with storage.write_whole(f"gs://b/all runs/{path.parent.name}/{path.name}", "wb") as file:
            file.write(path.read_bytes())
    assert entering.runs_below("gs://b/all runs") == there
    name, data = entering.exported_run("gs://b/all runs", "suns")
    assert (name, data) == ("suns", (runs / "suns/model.onnx").read_bytes())
    assert checking.check(data).description.labels == ["cat", "dog", "sun"]


@pytest.mark.parametrize("folder", ["gs://b/nothing", "nowhere"])
def test_no_folder_has_no_runs(server, tmp_path, folder):
    assert entering.runs_below(folder if "//" in folder else str(tmp_path / folder)) == []


def test_a_start_anew_checks_nothing_again_and_warns_of_nothing(
    handed_in, tmp_path, monkeypatch, capsys
):
    contest, files = Contest(), entering.files_of([], str(handed_in))
    assert len(entering.enter_all(contest, files, str(tmp_path))) == 2
    assert "broken.onnx is left out" in capsys.readouterr().err
    monkeypatch.setattr(checking, "check", lambda data: pytest.fail("checked again"))
    good = [each for each in files if each[0] != "broken"]
    assert entering.enter_all(contest, good, str(tmp_path)) == []
    said = capsys.readouterr().err
    assert said.count("has entered already") == 2 and "warning" not in said


def test_a_run_that_is_too_large_is_not_read(runs, monkeypatch):
    monkeypatch.setattr(checking, "MOST_BYTES", 1 << 4)
    with pytest.raises(QuickdrawError, match="at most 0 MB expected"):
        entering.exported_run(str(runs), "suns")


def renamed(helper, model):
    model.producer_name, model.graph.name = "another version", "again"
    for node in model.graph.node:
        node.name = f"again_{node.output[0]}"


@pytest.mark.parametrize(
    ("again", "enters"),
    [
        ({"change": renamed}, False),
        ({"metadata": described(LABELS, versions={"quickdraw": "9"})}, False),
        ({"seed": 1}, True),
        ({"labels": [*LABELS[1:], "tree"]}, True),
    ],
)
def test_a_model_that_is_exported_again_does_not_enter_twice(again, enters, tmp_path):
    contest, files = Contest(), []
    for name, data in (("first", onnx_file()), ("second", onnx_file(**again))):
        (tmp_path / f"{name}.onnx").write_bytes(data)
        files.append((name, "file", str(tmp_path / f"{name}.onnx")))
    assert files and files[0] != files[1]
    assert len(entering.enter_all(contest, files, str(tmp_path / "contest"))) == 1 + enters


def test_models_are_known_again_where_the_contest_is_read_anew(tmp_path):
    contest, (path, again) = Contest(), (tmp_path / "a.onnx", tmp_path / "b.onnx")
    path.write_bytes(onnx_file())
    again.write_bytes(onnx_file(change=renamed))
    events = entering.enter_all(contest, [("a", "run", str(path))], str(tmp_path / "contest"))
    anew = Contest()
    for event in json.loads(json.dumps(events)):
        anew.apply(event)
    assert entering.enter_all(anew, [("b", "file", str(again))], str(tmp_path / "contest")) == []
