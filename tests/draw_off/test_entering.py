"""Models that the organiser adds: found where runs lie, here and on gs://, and brought here."""

import pytest

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
