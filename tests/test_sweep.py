"""A sweep: trials recorded, the failed ones too; killed and gone on with."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from quickdraw import sweep
from quickdraw.tuning import study

# Stands for train: notes that it was started, and leaves run.json and a metrics.csv. Waits, in the
# trial that HOLD names, for the file GO; its model's code has the digest CODE.
TRAIN = """
import fcntl, json, os, sys, time
from pathlib import Path

flags = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
train_dir = Path(flags["train_dir"])
train_dir.mkdir(exist_ok=True)
fcntl.flock(os.open(train_dir, os.O_RDONLY), fcntl.LOCK_EX)
with open(train_dir / "starts", "a") as file:
    file.write(json.dumps(flags) + "\\n")
held = train_dir.name == os.environ.get("HOLD")
rate = float(flags["base_learning_rate"])
top1 = 0.01 if held else 1 - 10 * abs(rate - 0.003)
run = dict.fromkeys(["model", "label_loss", "data_fingerprint", "started"], "")
run |= dict.fromkeys(["model_params", "loss_params", "settings", "versions"], {})
run |= {"labels": ["a", "b"], "image_size": 28, "resized": False, "channels": 1}
run |= {"code": {"my_models.MyModel": os.environ.get("CODE", "1")}}
Path(train_dir, "run.json").write_text(json.dumps(run))
Path(train_dir, "metrics.csv").write_text(f"step,eval_top1\\n1,{top1}\\n")
while held and not Path(os.environ["GO"]).exists():
    time.sleep(0.02)
if rate > 0.09:
    sys.exit("python -m quickdraw.train: the loss is not a number\\nSee train --help")
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch) -> Path:
    """Trials run the stand-in; returns it."""
    path = tmp_path / "stand_in.py"
    path.write_text(TRAIN)
    monkeypatch.setattr(study, "_TRAIN", [sys.executable, str(path)])
    monkeypatch.setattr(study, "_POLL_SECONDS", 0.02)
    monkeypatch.setenv("GO", str(tmp_path / "go"))
    paths = [str(Path(sweep.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    return path


@pytest.fixture
def study_dir(tmp_path) -> Path:
    return tmp_path / "study"


SEARCH = "--search=base_learning_rate=log:0.001..0.05"


def flags_of(study_dir: Path, *given: str) -> list[str]:
    return ["sweep", f"--study_dir={study_dir}", *(given or (SEARCH, "--trials=3"))]


def table_of(study_dir: Path) -> list[dict[str, str]]:
    with open(study_dir / "results.csv", newline="") as file:
        return list(csv.DictReader(file))


def starts(study_dir: Path) -> dict[str, list[float]]:
    """The learning rates that each trial was started with."""
    return {
        path.parent.name: [
            float(json.loads(line)["base_learning_rate"]) for line in path.read_text().splitlines()
        ]
        for path in sorted(study_dir.glob("*/starts"))
    }


def test_trials_are_tried_and_ranked(stand_in, study_dir, capsys):
    assert sweep.main(flags_of(study_dir)) == 0
    rows = table_of(study_dir)
    top1 = [float(row["eval_top1"]) for row in rows]
    rates = [float(row["base_learning_rate"]) for row in rows]
    assert len(rows) == 3 and top1 == sorted(top1, reverse=True)
    assert top1 == pytest.approx([1 - 10 * abs(rate - 0.003) for rate in rates])
    assert all(0.001 <= rate <= 0.05 for rate in rates)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["trial", "top-1", "minutes", "base_learning_rate"]
    assert [line.split()[0] for line in printed[1:]] == [row["trial"] for row in rows]
    with Image.open(study_dir / "results.png") as image:
        assert image.format == "PNG"


def test_more_trials_are_added_as_if_never_stopped(stand_in, study_dir, tmp_path):
    assert sweep.main(flags_of(study_dir)) == 0
    assert sweep.main(flags_of(study_dir)) == 0  # there are enough: nothing more to do
    assert len(starts(study_dir)) == 3
    assert sweep.main(flags_of(study_dir, SEARCH, "--trials=4")) == 0
    assert sweep.main(flags_of(tmp_path / "whole", SEARCH, "--trials=4")) == 0
    assert starts(study_dir) == starts(tmp_path / "whole")


def test_a_grid_ends_and_a_failed_trial_is_recorded(stand_in, study_dir, capsys):
    grid = ["--search=base_learning_rate=0.003|0.1, optimizer=adamw|sgd", "--sampler=grid"]
    assert sweep.main(flags_of(study_dir, *grid)) == 0
    rows = table_of(study_dir)
    assert [row["state"] for row in rows] == ["done", "done", "failed", "failed"]
    assert {row["error"] for row in rows[2:]} == {"the loss is not a number"}
    assert {row["base_learning_rate"] for row in rows[2:]} == {"0.1"}
    assert len({row["base_learning_rate"] + row["optimizer"] for row in rows}) == 4
    printed = capsys.readouterr()
    assert "every combination has been tried" in printed.err
    assert printed.out.splitlines()[-1].endswith("the loss is not a number")


@pytest.mark.slow
def test_killed_in_the_middle_of_a_trial_it_goes_on_there(
    stand_in, study_dir, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOLD", "trial-001")
    code = (
        "import sys\n"
        "from quickdraw import sweep\n"
        "from quickdraw.tuning import study\n"
        f"study._TRAIN = {study._TRAIN!r}\n"
        f"sweep.main({flags_of(study_dir)!r})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not (study_dir / "trial-001/metrics.csv").exists():
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()

    def log(message: str) -> None:
        # The training that was left behind goes on until the sweep has noticed it.
        if message.startswith("waiting for the training that still goes on"):
            (tmp_path / "go").touch()

    monkeypatch.setattr(study, "log", log)
    assert sweep.main(flags_of(study_dir)) == 0
    assert (tmp_path / "go").exists()
    started = starts(study_dir)
    assert len(table_of(study_dir)) == len(started) == 3
    first, again = started["trial-001"]
    assert first == again  # in the same folder, with the same values
    monkeypatch.delenv("HOLD")
    assert sweep.main(flags_of(tmp_path / "whole")) == 0
    rates = [set(rates) for rates in started.values()]
    assert rates == [set(rates) for rates in starts(tmp_path / "whole").values()]


def test_code_that_is_edited_between_trials_is_told(stand_in, study_dir, capfd, monkeypatch):
    assert sweep.main(flags_of(study_dir)) == 0
    assert "edited" not in capfd.readouterr().err
    monkeypatch.setenv("CODE", "2")
    assert sweep.main(flags_of(study_dir, SEARCH, "--trials=4")) == 0
    assert "warning: my_models.MyModel: edited since the first trials" in capfd.readouterr().err


@pytest.mark.parametrize("prune", [True, False])
def test_a_trial_below_the_median_is_ended_early(stand_in, study_dir, tmp_path, monkeypatch, prune):
    monkeypatch.setenv("HOLD", "trial-005")
    if not prune:
        (tmp_path / "go").touch()
    flags = [SEARCH, "--trials=6", f"--prune={str(prune).lower()}"]
    assert sweep.main(flags_of(study_dir, *flags)) == 0
    last = table_of(study_dir)[-1]
    assert (last["trial"], last["eval_top1"]) == ("trial-005", "0.01")
    assert last["state"] == ("pruned" if prune else "done")


def test_no_trial_starts_after_max_minutes(stand_in, study_dir):
    assert sweep.main(flags_of(study_dir, SEARCH, "--max_minutes=0")) == 0
    assert starts(study_dir) == {}


def test_without_a_completed_trial_there_is_no_picture(stand_in, study_dir, capsys):
    failing = ["--search=base_learning_rate=0.1..0.2", "--trials=1"]
    assert sweep.main(flags_of(study_dir, *failing)) == 0
    assert [row["state"] for row in table_of(study_dir)] == ["failed"]
    assert not (study_dir / "results.png").exists()
    assert "no trial has been completed" in capsys.readouterr().err


def test_a_sweep_of_something_else_is_refused(stand_in, study_dir, capsys):
    assert sweep.main(flags_of(study_dir, SEARCH, "--trials=1")) == 0
    other = "--search=base_learning_rate=0.1..0.2"
    assert sweep.main(flags_of(study_dir, other)) == 1
    assert "holds a sweep with other search: " in capsys.readouterr().err
    assert sweep.main([*flags_of(study_dir, SEARCH), "--", "--batch_size=8"]) == 1
    assert "holds a sweep with other flags: {} → {'batch_size': 8}" in capsys.readouterr().err


def test_a_sweep_on_other_records_is_refused(stand_in, study_dir, tmp_path, capsys):
    for split in ("train", "valid"):
        (tmp_path / f"{split}-0.tfrecord").write_bytes(split.encode())
    (tmp_path / "flags.json").write_text('{"batch_size": 8}')
    passed = [f"--train_data_pattern={tmp_path}/train-*", f"--eval_data_pattern={tmp_path}/valid-*"]
    flags = [*flags_of(study_dir, SEARCH, "--trials=1"), "--", *passed]
    assert sweep.main([*flags, f"--config={tmp_path}/flags.json"]) == 0
    assert sweep.main([*flags, "--batch_size=8"]) == 0  # the same, said in another way
    (tmp_path / "flags.json").write_text('{"batch_size": 9}')
    assert sweep.main([*flags, f"--config={tmp_path}/flags.json"]) == 1
    assert "with other flags: " in capsys.readouterr().err
    (tmp_path / "valid-0.tfrecord").write_bytes(b"VALID")
    assert sweep.main([*flags, "--batch_size=8"]) == 1
    assert "holds a sweep with other records: '2 files, " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([SEARCH], "--study_dir is needed"),
        ([SEARCH, "--study_dir=gs://bucket/sweep"], "--study_dir is needed: a local folder"),
        (["--study_dir=s"], "--search is needed"),
        (["--study_dir=s", SEARCH, "--sampler=grid"], "--sampler=grid needs values"),
        (["--study_dir=s", SEARCH, "--", "--batchsize=3"], "batch_size"),
        (["--study_dir=s", SEARCH, "--", "--batch_size=0"], "must be at least 1"),
        (["--study_dir=s", SEARCH, "--", "--train_dir=r"], "--train_dir: each trial has its own"),
        (["--study_dir=s", SEARCH, "--", "--dry_run"], "train nothing that trials could show"),
        (["--study_dir=s", SEARCH, "--", "--train_data_pattern=x"], "--eval_data_pattern=… is"),
    ],
)
def test_mistakes_of_the_command_line(given, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sweep.main(["sweep", *given]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["optuna", "matplotlib"])
def test_without_the_extra_it_says_what_to_install(missing, tmp_path):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from quickdraw import sweep\n"
        f"sys.exit(sweep.main(['sweep', '--study_dir=s', {SEARCH!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 1
    assert "pip install 'quickdraw[sweep]'" in done.stderr and "Traceback" not in done.stderr


def test_help_needs_neither_optuna_nor_tensorflow():
    code = (
        "import sys\n"
        "from quickdraw import sweep\n"
        "assert sweep.main(['sweep', '--help']) == 0\n"
        "print(sorted({'optuna', 'matplotlib', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--study_dir" in done.stdout and done.stdout.endswith("[]\n")


@pytest.mark.slow
def test_real_trainings(tiny_data, study_dir):
    flags = ["--search=model_params.units=(8,)|(0.5,)", "--sampler=grid"]
    trained = [
        f"--train_data_pattern={tiny_data.train}",
        f"--eval_data_pattern={tiny_data.valid}",
        "--model=MlpModel",
        "--batch_size=10",
        "--num_epochs=5",
    ]
    assert sweep.main([*flags_of(study_dir, *flags), "--", *trained]) == 0
    good, bad = table_of(study_dir)
    assert float(good["eval_top1"]) > 0.5 and good["model_params.units"] == "(8,)"
    run = json.loads((study_dir / good["trial"] / "run.json").read_text())
    assert run["model_params"]["units"] == [8]
    assert bad["error"].startswith("MlpModel.units must be of type int")
