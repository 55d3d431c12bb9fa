"""The sample data: made without any download, always the same."""

import json

import pytest

from quickdraw.datasets import sample
from quickdraw.datasets.doodles.draw import CATEGORIES
from quickdraw.errors import QuickdrawError


def run(*flags):
    return sample.main(["sample.py", *map(str, flags)])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    return folder, sample.make_sample(str(folder), per_category=12)


def test_all_ten_categories(made):
    _, info = made
    assert info.labels == list(CATEGORIES)
    assert info.image_size == 28
    counts = [split["per_class"] for split in info.splits.values()]
    skipped = info.skipped.get("duplicate", 0)
    assert sum(sum(count.values()) for count in counts) == 120 - skipped
    assert all(sum(count[label] for count in counts) > 10 for label in info.labels)


def test_says_that_it_is_synthetic_and_where_real_drawings_are(made):
    _, info = made
    assert "synthetic" in info.source
    assert "quickdraw.datasets.prepare" in info.source


def test_the_same_seed_gives_the_same_drawings(made, tmp_path):
    _, info = made
    assert sample.make_sample(str(tmp_path / "same"), per_category=12) == info
    other = sample.make_sample(str(tmp_path / "other"), per_category=12, seed=1)
    assert other.fingerprint != info.fingerprint


def test_running_it_again_draws_nothing(made, monkeypatch):
    folder, info = made
    monkeypatch.setattr(sample, "draw", None)
    assert sample.make_sample(str(folder), per_category=12) == info


def test_other_settings_are_refused(made):
    folder, _ = made
    with pytest.raises(QuickdrawError, match="holds another data set"):
        sample.make_sample(str(folder), per_category=12, seed=1)


def test_the_entry_point(tmp_path, capsys):
    assert run(f"--output_dir={tmp_path}", "--per_category=3", "--seed=5") == 0
    assert "next: python -m quickdraw.train" in capsys.readouterr().out
    info = json.loads((tmp_path / "dataset.json").read_text())
    assert "seed 5" in info["source"]


@pytest.mark.parametrize(
    ("flag", "folder", "code", "told"),
    [
        ("--per_category=0", "", 2, "--per_category must be at least 1. Received: 0"),
        ("--seed=-1", "", 2, "--seed must be at least 0. Received: -1"),
        ("--seed=1", "/dev/null/x", 1, "the folder cannot be made"),
    ],
)
def test_mistakes_get_one_line(tmp_path, capsys, flag, folder, code, told):
    assert run(f"--output_dir={folder or tmp_path}", flag) == code
    lines = capsys.readouterr().err.splitlines()
    assert told in lines[0]
    assert len(lines) == code  # a wrong flag is followed by where the flags are told
