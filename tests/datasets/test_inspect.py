"""`python -m quickdraw.datasets.inspect`: what it prints, and what it does about mistakes."""

import re
import subprocess
import sys

import pytest
from inspecting import TRAIN, doodle, record, write

from quickdraw.datasets import inspect
from quickdraw.datasets.inspection.look import look


def run(*flags):
    return inspect.main(["inspect.py", *map(str, flags)])


def test_what_is_printed(shards, capsys):
    assert run(shards, f"--output={shards / 'page.html'}") == 0
    printed = capsys.readouterr()
    assert re.search(r"dog +52 +0 +0\n", printed.out)
    assert re.search(r"\(no label\) +0 +0 +30\n", printed.out)
    assert re.search(r"all together +105 +0 +30\n", printed.out)
    assert "28x28, 1 channel: 135 records" in printed.out
    assert "image_id (bytes): 30 records\nlabel (int64): 107 records\nword (bytes)" in printed.out
    assert "bad records: 5" in printed.out
    path = shards / TRAIN
    for line in (
        f"  {path}, record 105: not a tf.train.Example (",
        f"  {path}, record 106: not a PNG image. Received: 13 bytes starting with b'<b>no pn'",
        f"  {path}, record 107: the label must be 0…1. Received: 9",
        f"  {path}, record 108: neither 'label' nor 'image_id'. The record has: image, word",
        f"  {shards}/valid-00000-of-00001.tfrecords, record 0: the file is empty",
        "! train and test share 10 drawings, pixel by pixel",
        "! 1 drawing under more than one label",
        "train: 2 drawings with the pixels of another one",
        "Suspicious drawings: empty: 1, one dot: 1, scribbles: 1.",
    ):
        assert line in printed.out
    assert printed.out.endswith(f"page: {shards / 'page.html'}\n")
    assert "drawings/s" in printed.err


def test_test_records_alone_and_no_dataset_json(tmp_path, capsys):
    write(tmp_path, "test-0.tfrecords", *(record(doodle(s), image_id=b"x") for s in range(20)))
    assert run(tmp_path, f"--output={tmp_path / 'page.html'}") == 0
    printed = capsys.readouterr().out
    assert "There is no dataset.json" in printed and "(no label)" in printed
    assert "Most alike" not in (tmp_path / "page.html").read_text()
    write(tmp_path, "train-0.tfrecords", *(record(doodle(s), label=s % 3) for s in range(20)))
    assert sorted(look(str(tmp_path)).classes) == [-1, 0, 1, 2]


def test_several_patterns_quoted_or_not(shards, monkeypatch, capsys):
    monkeypatch.chdir(shards)
    names = [TRAIN, "test-00000-of-00001.tfrecords"]
    for arguments in (names, [",".join(names)], [f"--data_pattern={','.join(names)}"], ["t*s"]):
        assert run(*arguments) == 0
        assert re.search(r"all together +105 +30\n", capsys.readouterr().out)
        (shards / "inspect.html").unlink()


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        ([], 2, "a pattern is needed"),
        (["nowhere/x*"], 1, "no file matches 'nowhere/x*'"),
        (["valid-*"], 1, "no usable record in 1 file(s). The first: valid-00000"),
        ([TRAIN, "--output=dataset.json/page.html"], 1, "dataset.json: the folder cannot be made"),
        ([TRAIN, "--output=."], 1, ".: the name of a file expected"),
        (["--outptu=x"], 2, "outptu"),
    ],
)
def test_mistakes_are_one_line(shards, monkeypatch, capsys, flags, code, message):
    monkeypatch.chdir(shards)
    assert run(*flags) == code
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_importing_needs_no_tensorflow():
    code = "import sys, quickdraw.datasets.inspect; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
