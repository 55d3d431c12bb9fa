"""A pattern may name a whole folder: what are no records, or have no label, is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from reading import noise

from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader, QuickDrawTestFeatureReader
from quickdraw.records import listing


@pytest.fixture
def folder(tmp_path: Path, tiny_data) -> Path:
    """A folder as `prepare` leaves it, with a page, a folder and an index beside."""
    whole = tmp_path / "whole"
    shutil.copytree(tiny_data.folder, whole)
    for name in ("page.html", "train-0.tfrecord.idx"):
        (whole / name).write_text("x")
    (whole / "more").mkdir()
    return whole


def found(patterns, target: str = "label") -> tuple[list[str], str]:
    files, told = listing.find(str(patterns), target)
    return [Path(path).name for path in files], told


def test_of_a_whole_folder_the_labelled_records_are_taken_and_the_rest_is_told(folder):
    files, told = found(f"{folder}/*")
    assert files == ["train-0.tfrecord", "train-1.tfrecord", "valid-0.tfrecord"]
    assert told == (
        f"{folder}/*: passing over dataset.json, more, page.html, solution.csv, "
        "train-0.tfrecord.idx (no records) and test-0.tfrecord (records without label)"
    )


def test_for_a_test_set_it_is_the_other_way_round(folder):
    files, told = found(f"{folder}/*", "image_id")
    assert files == ["test-0.tfrecord"]
    assert "train-0.tfrecord, train-1.tfrecord, valid-0.tfrecord (records without image_id)" in told


def test_whoever_names_records_alone_is_told_nothing(folder):
    assert found(f"{folder}/train-*.tfrecord") == (["train-0.tfrecord", "train-1.tfrecord"], "")
    twice = f"{folder}/train-*.tfrecord, {folder}/train-0*"
    assert found(twice)[0] == ["train-0.tfrecord", "train-1.tfrecord"]


def test_a_pattern_of_the_wrong_records_alone_is_left_to_the_reader(folder):
    """It says better what is wrong."""
    assert found(f"{folder}/test-*") == (["test-0.tfrecord"], "")


def test_damaged_and_empty_files_are_not_passed_over(folder):
    (folder / "valid-0.tfrecord").write_bytes(b"no record at all")
    (folder / "test-0.tfrecord").write_bytes(b"")
    files, _ = found(f"{folder}/*")
    assert files[0] == "test-0.tfrecord" and "valid-0.tfrecord" in files


@pytest.mark.parametrize("pattern", ["dataset.json", "*.csv", "solution.csv"])
def test_a_pattern_without_records_is_refused(folder, pattern):
    with pytest.raises(QuickdrawError, match=r"no records, only (dataset.json|solution.csv)$"):
        found(folder / pattern)


@pytest.mark.parametrize("patterns", ["", " , "])
def test_no_pattern_is_refused(patterns):
    with pytest.raises(QuickdrawError, match="no file pattern given"):
        listing.find(patterns, "label")


def test_many_names_are_cut(tmp_path, write_records):
    write_records(tmp_path / "a", noise(1), label=np.zeros(1))
    for number in range(9):
        (tmp_path / f"{number}.json").touch()
    assert found(f"{tmp_path}/*")[1].endswith("3.json, 4.json and 4 more (no records)")


@pytest.mark.parametrize(
    ("reader", "count"), [(QuickDrawFeatureReader, 180), (QuickDrawTestFeatureReader, 40)]
)
def test_readers_take_a_whole_folder(folder, capsys, reader, count):
    assert sum(len(targets) for _, targets in reader().batches(f"{folder}/*", 64)) == count
    assert "passing over dataset.json" in capsys.readouterr().err
