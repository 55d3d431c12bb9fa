"""`compare`: runs side by side, from what lies in their folders."""

import json
import shutil
import subprocess
import sys

import pytest

from quickdraw import compare
from quickdraw import eval as evaluation
from quickdraw.errors import QuickdrawError
from quickdraw.report.estimates import wilson
from quickdraw.report.run_rows import run_rows, weights_of
from quickdraw.runs import load


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny_run, cnn_run):
    """A folder with both runs, of which one was evaluated, and something else."""
    place = tmp_path_factory.mktemp("side")
    for name, run in (("logistic", tiny_run), ("cnn", cnn_run)):
        shutil.copytree(run, place / name)
    (place / "notes").mkdir()
    assert evaluation.main(["eval", f"--train_dir={place}/logistic", "--run_once"]) == 0
    return place


def test_the_best_comes_first_with_its_interval(folders):
    rows = run_rows([str(folders / "cnn"), f"{folders}/logistic/"])
    assert [row.run for row in rows] == ["logistic", "cnn"]
    first = json.loads((folders / "logistic/eval.json").read_text())
    assert rows[0].top1 == wilson(round(60 * first["top1"]), 60)
    assert (rows[0].ece, rows[0].drawings) == (first["ece"], 60)
    best = json.loads((folders / "cnn/best.json").read_text())
    assert (rows[1].top1.value, rows[1].ece) == (best["top1"], best["ece"])
    assert rows[0].epochs == 10 and rows[0].seconds > 0
    assert rows[1].differs["num_epochs"] == 2 and rows[0].differs["num_epochs"] == 10
    assert "seed" not in rows[0].differs


@pytest.mark.parametrize("run", ["logistic", "cnn"])
def test_weights_are_counted_without_the_model(folders, run):
    assert weights_of(str(folders / run)) == load(str(folders / run)).model.count_params()


def test_the_table_and_its_json(folders, capsys):
    assert compare.main(["compare", *map(str, sorted(folders.iterdir()))]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].split()[:4] == ["run", "model", "weights", "top-1"]
    assert "LogisticModel" in out and "num_epochs=2" in out and "notes" in err
    assert compare.main(["compare", f"--train_dir={folders}/*", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["run"]: row["model"] for row in rows} == {
        "logistic": "LogisticModel",
        "cnn": "CnnModel",
    }


def test_no_run_is_one_line(tmp_path, capsys):
    assert compare.main(["compare", str(tmp_path)]) == 1
    assert compare.main(["compare"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
    with pytest.raises(QuickdrawError, match="no run there"):
        run_rows([str(tmp_path / "nowhere")])


def test_a_damaged_model_is_a_dash(folders, tmp_path):
    run = shutil.copytree(folders / "logistic", tmp_path / "run")
    (run / "best.keras").write_bytes(b"no zip")
    assert run_rows([str(run)])[0].weights is None


def test_it_needs_no_tensorflow(folders):
    code = (
        "import sys; from quickdraw import compare; "
        f"code = compare.main(['compare', {str(folders / 'cnn')!r}]); "
        "sys.exit(code or 'tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
