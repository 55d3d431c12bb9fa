"""The output folder: complete or not there, and never mixed with what it held before."""

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from quickdraw import storage
from quickdraw.datasets import prepare
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.sources import Images, Source
from quickdraw.datasets.writing import output, writer
from quickdraw.errors import QuickdrawError
from quickdraw.records import tfrecord


def categories(count=60):
    """What `_KILLED` writes too."""
    return [
        Images(name, np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8))
        for seed, name in enumerate(["cat", "dog"])
    ]


def write(folder, given=None, **settings):
    source = Source("arrays", given or categories())
    return writer.write(source, str(folder), Recipe(**settings), description="a test")


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def test_the_same_again_is_free(tmp_path, monkeypatch, capsys):
    info = write(tmp_path)
    before = contents(tmp_path)
    monkeypatch.setattr(writer, "_write_all", None)
    assert write(tmp_path) == info
    assert contents(tmp_path) == before
    assert "already complete" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "settings", "field"),
    [
        (categories(61), {}, "bytes is 120 instead of 122"),
        (None, {"percentages": (70, 20, 10)}, r"percentages is \[80, 10, 10\] instead of \[70"),
        (None, {"image_size": 14}, "image_size is 28 instead of 14"),
        (None, {"categories": ("dog", "cat")}, "categories is None instead of"),
        (categories()[::-1], {}, "holds another data set: what it was made of"),
    ],
)
def test_other_settings_are_refused(tmp_path, given, settings, field):
    write(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(QuickdrawError, match=field):
        write(tmp_path, given, **settings)
    assert contents(tmp_path) == before


def test_a_missing_shard_is_noticed(tmp_path):
    info = write(tmp_path)
    (tmp_path / info.splits["train"]["shards"][0]).unlink()
    with pytest.raises(QuickdrawError, match=r"train-00000-of-00001.tfrecords is missing"):
        write(tmp_path)


def test_a_shard_that_is_cut_off_is_noticed(tmp_path):
    info = write(tmp_path)
    os.truncate(tmp_path / info.splits["train"]["shards"][0], 1000)
    with pytest.raises(QuickdrawError, match=r"bytes of records expected. Received: "):
        write(tmp_path)


def test_a_missing_solution_is_noticed(tmp_path):
    write(tmp_path)
    (tmp_path / "solution.csv").unlink()
    with pytest.raises(QuickdrawError, match=r"solution.csv is missing"):
        write(tmp_path)


def test_two_at_once(tmp_path):
    with output.whole(str(tmp_path)) as inner:
        (Path(inner) / "notes").write_text("mine")
        with pytest.raises(QuickdrawError, match=f"is writing a data set in {tmp_path}: wait"):
            write(tmp_path)
        assert (Path(inner) / "notes").read_text() == "mine"
    assert write(tmp_path / "another").labels


def test_one_that_comes_when_the_other_is_done(tmp_path, monkeypatch):
    write(tmp_path)
    before = contents(tmp_path)
    monkeypatch.setattr(output, "finished", lambda *_: None)  # as it was before the other's end
    with pytest.raises(QuickdrawError, match="another process has just written a data set"):
        write(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["train-00000-of-00009.tfrecords", "test-1.gz", "solution.csv"])
def test_foreign_files_are_left_alone(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(QuickdrawError, match=f"holds {name}"):
        write(tmp_path)
    assert contents(tmp_path) == {name: b"mine"}


def test_a_foreign_dataset_json_is_left_alone(tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": ["a"]}))
    with pytest.raises(QuickdrawError, match="holds another data set"):
        write(tmp_path)


def test_other_files_do_not_matter(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(QuickdrawError, match="the folder cannot be made"):
        write(tmp_path / "file" / "output")


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tfrecord, "frame", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path)
    assert contents(tmp_path) == {}


def test_an_interruption_while_files_move_leaves_nothing(tmp_path, monkeypatch):
    rename = storage.rename

    def interrupted(source, target):
        if target.endswith("solution.csv"):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(storage, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path)
    assert contents(tmp_path) == {}


_KILLED = """
import os, signal, sys
import numpy as np
from quickdraw import storage
from quickdraw.datasets.writing import writer
from quickdraw.datasets.recipe import Recipe
from quickdraw.datasets.sources import Images, Source

class Rows:
    reads = 0
    def __init__(self, seed):
        self.images = np.random.default_rng(seed).integers(0, 256, (60, 28, 28), np.uint8)
    def __len__(self):
        return 60
    def __getitem__(self, row):
        Rows.reads += 1
        if Rows.reads == {reads}:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.images[row]

def rename(source, target, rename=storage.rename):
    if {at_rename} and os.path.dirname(target) == sys.argv[1] and "train-" in target:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)

storage.rename = rename
source = Source("arrays", [Images("cat", Rows(0)), Images("dog", Rows(1))])
writer.write(source, sys.argv[1], description="a test")
"""


@pytest.mark.parametrize(
    "settings",
    [
        {"reads": 50, "at_rename": False},  # in the index
        {"reads": 270, "at_rename": False},  # in the training shard
        {"reads": -1, "at_rename": True},  # after test and solution got their names
    ],
)
def test_killed_and_run_again(tmp_path, settings):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    script = [sys.executable, "-c", _KILLED.format(**settings), str(killed)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    result = subprocess.run(script, env=environment, check=False)
    assert result.returncode == -signal.SIGKILL
    assert not (killed / "dataset.json").exists()
    info = write(whole)
    for name in {path.name for path in killed.iterdir()} - {output._INNER}:
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert dataclasses.asdict(write(killed)) == dataclasses.asdict(info)
    assert contents(killed) == contents(whole)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize("room", [60, 400])
def test_a_full_disk_is_named_and_nothing_stays(tmp_path, capfd, room):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room}k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let a test mount a disk")
    try:
        noise = np.random.default_rng(0).integers(0, 256, (3000, 784), np.uint8)
        np.save(tmp_path / "cat.npy", noise)
        flags = [f"--source={tmp_path}/cat.npy", f"--output_dir={disk}/out", "--processes=1"]
        assert prepare.main(["prepare", *flags]) == 1
        assert not list(disk.rglob("*"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    error = capfd.readouterr().err.splitlines()[-1]
    assert error.startswith(f"prepare: {disk}/out")
    assert "No space left on device (free some space" in error
