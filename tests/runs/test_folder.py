"""The folder of a run: never somebody else's, and one process at a time."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quickdraw import runs
from quickdraw.errors import QuickdrawError
from quickdraw.runs.folder import open_folder
from quickdraw.storage.lock import lock
from quickdraw.training import Settings, fit


@pytest.fixture
def run() -> runs.Run:
    return runs.Run(
        model="LogisticModel",
        model_params={},
        label_loss="CrossEntropyLoss",
        loss_params={},
        labels=["a", "b"],
        image_size=8,
        resized=False,
        channels=1,
        settings={"batch_size": 4},
        data_fingerprint="abc",
        versions={},
    )


@pytest.fixture
def train_dir(tmp_path) -> Path:
    return tmp_path / "runs" / "mine"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def foreign(folder: Path) -> Path:
    """A folder with what somebody else keeps in it."""
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("years of work")
    (folder / ".lock").write_text("of another program")
    return folder


# Whose it is


def test_a_new_folder_becomes_that_of_the_run(run, train_dir):
    assert open_folder(run, str(train_dir), start_new=False) is False
    assert runs.read(str(train_dir)) == run


def test_the_same_run_goes_on(run, train_dir):
    open_folder(run, str(train_dir), start_new=False)
    later = dataclasses.replace(run, started="later")
    assert open_folder(later, str(train_dir), start_new=False) is True
    assert runs.read(str(train_dir)).started == run.started


def test_another_run_is_refused_with_what_differs_and_the_ways_out(run, train_dir):
    open_folder(run, str(train_dir), start_new=False)
    before = contents(train_dir)
    other = dataclasses.replace(run, settings={"batch_size": 8})
    with pytest.raises(QuickdrawError) as caught:
        open_folder(other, str(train_dir), start_new=False)
    for told in ("batch_size 4 → 8", "the same settings", "another --train_dir", "--start_new_mod"):
        assert told in str(caught.value)
    assert contents(train_dir) == before


def test_a_run_whose_code_was_edited_is_refused_with_the_ways_out(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    earlier = runs.read(tiny_run)
    edited = {"quickdraw.models.LogisticModel.create_model": "another"}
    other = dataclasses.replace(earlier, code=earlier.code | edited)
    with pytest.raises(QuickdrawError) as caught:
        open_folder(other, str(tmp_path / "run"), start_new=False)
    for told in (*edited, "undo the edit", "another --train_dir", "--start_new_model"):
        assert told in str(caught.value)
    # A run of a version that did not keep its code can only be believed.
    dataclasses.replace(earlier, code={}).save(str(tmp_path / "run"))
    assert open_folder(other, str(tmp_path / "run"), start_new=False) is True


def test_code_that_was_edited_before_anything_was_trained_goes_on(run, train_dir):
    open_folder(dataclasses.replace(run, code={"a": "1"}), str(train_dir), start_new=False)
    edited = dataclasses.replace(run, code={"a": "2"})
    assert open_folder(edited, str(train_dir), start_new=False) is True
    assert runs.read(str(train_dir)).code == {"a": "2"}


@pytest.mark.parametrize("slash", ["", "/"])
def test_start_new_model_moves_earlier_runs_aside(run, train_dir, slash):
    path = str(train_dir) + slash
    for number in range(3):
        open_folder(dataclasses.replace(run, started=f"{number}"), path, start_new=True)
        (train_dir / "best.keras").write_text(f"the model of {number}")
    folders = sorted(folder.name for folder in train_dir.parent.iterdir())
    assert folders == ["mine", "mine-old-1", "mine-old-2"]
    for name, number in (("mine-old-1", 0), ("mine-old-2", 1), ("mine", 2)):
        folder = train_dir.parent / name
        assert runs.read(str(folder)).started == f"{number}"
        assert (folder / "best.keras").read_text() == f"the model of {number}"


@pytest.mark.parametrize("start_new", [True, False])
def test_a_folder_that_is_no_run_is_refused_and_left_alone(run, train_dir, start_new):
    foreign(train_dir)
    before = contents(train_dir)
    with pytest.raises(QuickdrawError, match=r"is not empty and no run .* thesis\.txt"):
        open_folder(run, str(train_dir), start_new)
    assert contents(train_dir) == before
    assert [folder.name for folder in train_dir.parent.iterdir()] == ["mine"]


@pytest.mark.parametrize("start_new", [True, False])
def test_training_leaves_a_folder_that_is_no_run_alone(tiny_data, train_dir, start_new):
    foreign(train_dir)
    (train_dir / ".lock").unlink()
    before = contents(train_dir)
    with pytest.raises(QuickdrawError, match="is not empty and no run"):
        fit(
            Settings(
                train_data_pattern=tiny_data.train,
                train_dir=str(train_dir),
                start_new_model=start_new,
            )
        )
    assert contents(train_dir) == before


def test_a_lock_file_of_another_program_keeps_its_content(train_dir):
    foreign(train_dir)
    before = contents(train_dir)
    with lock(str(train_dir)):
        pass
    assert contents(train_dir) == before


def test_a_run_that_was_stopped_in_its_first_moments_starts_again(run, train_dir):
    train_dir.mkdir(parents=True)
    (train_dir / "run.json.tmp").write_text("{")
    assert open_folder(run, str(train_dir), start_new=False) is False


def test_a_file_in_the_way_is_told(run, train_dir):
    train_dir.parent.mkdir()
    train_dir.write_text("a file")
    with pytest.raises(QuickdrawError, match="the folder cannot be made"):
        open_folder(run, str(train_dir), start_new=False)


# One process at a time


def assert_locked(train_dir: Path) -> None:
    told = f"another process is training in {train_dir}"
    with pytest.raises(QuickdrawError, match=told), lock(str(train_dir)):
        pytest.fail("two trainings in one folder")


def test_a_second_training_is_refused_until_the_first_ends(train_dir):
    for _ in range(2):
        with lock(str(train_dir)):
            assert_locked(train_dir)
            with lock(f"{train_dir}-other"):
                pass


def test_the_lock_ends_with_an_error_too(train_dir):
    with pytest.raises(ValueError, match="x"), lock(str(train_dir)):
        raise ValueError("x")
    with lock(str(train_dir)):
        pass


def test_a_new_model_is_locked_like_the_one_moved_aside(run, train_dir):
    open_folder(run, str(train_dir), start_new=False)
    with lock(str(train_dir)):
        open_folder(run, str(train_dir), start_new=True)
        assert_locked(train_dir)


def test_a_killed_process_leaves_no_lock(train_dir):
    code = (
        "import sys, time\n"
        "from quickdraw.storage.lock import lock\n"
        "with lock(sys.argv[1]):\n"
        "    print('locked', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(train_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        assert_locked(train_dir)
        other.send_signal(signal.SIGKILL)
        other.wait()
    with lock(str(train_dir)):
        pass
