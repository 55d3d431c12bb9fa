"""Patterns of files: what they name, and what is there when nothing matches."""

import glob

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw import storage
from quickdraw.errors import QuickdrawError


@pytest.fixture
def folder(tmp_path):
    """Holds shards, a description and a half-written shard."""
    for name in (
        "train-1.tfrecord",
        "train-0.tfrecord",
        "valid-0.tfrecords.gz",
        "dataset.json",
        "train-2.tfrecord.tmp",
    ):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def names(files: list[str]) -> list[str]:
    return [file.rpartition("/")[2] for file in files]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("{}/train-*", ["train-0.tfrecord", "train-1.tfrecord"]),
        ("{}/train-1.tfrecord", ["train-1.tfrecord"]),
        ("{}/train-*,{}/train-0.tfrecord", ["train-0.tfrecord", "train-1.tfrecord"]),
        (" {}/train-[1-9]*, {}/valid-?.* ,", ["train-1.tfrecord", "valid-0.tfrecords.gz"]),
        ("{}", ["train-0.tfrecord", "train-1.tfrecord", "valid-0.tfrecords.gz"]),
        ("{}/", ["train-0.tfrecord", "train-1.tfrecord", "valid-0.tfrecords.gz"]),
    ],
)
def test_patterns_name_files_each_once(folder, patterns, expected):
    assert names(storage.expand(patterns.replace("{}", str(folder)))) == expected


def test_a_name_with_brackets_is_a_name(tmp_path):
    folder = tmp_path / "data [1]"
    folder.mkdir()
    (folder / "train-0.tfrecord").write_bytes(b"x")
    expected = [str(folder / "train-0.tfrecord")]
    assert storage.expand(str(folder / "train-0.tfrecord")) == expected
    assert storage.expand(str(folder)) == expected


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("{}/test-*", "no file matches '{}/test-*': {} holds dataset.json, train-0.tfrecord"),
        ("{}/nowhere/test-*", "no file matches '{}/nowhere/test-*': there is no folder {}/nowhere"),
        ("{}/train-*,{}/test-*", "no file matches '{}/test-*'"),
        ("{}/*/train", "no file matches '{}/*/train'"),
        ("", "no file pattern given. Received: ''"),
        (" , ", "no file pattern given"),
    ],
)
def test_a_pattern_without_files_is_told_with_what_is_there(folder, pattern, told):
    with pytest.raises(QuickdrawError) as caught:
        storage.expand(pattern.replace("{}", str(folder)))
    assert str(caught.value).startswith(told.replace("{}", str(folder)))


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("‘{}/train-*’", "The quotation marks are part of it here"),
        ("'{}/train-*'", "The quotation marks are part of it here"),
        (r"C:\data\train-*", "It is a path of Windows: under WSL it is /mnt/c/data/train-*"),
    ],
)
def test_a_pattern_of_another_shell_or_system_is_told(folder, pattern, told):
    with pytest.raises(QuickdrawError) as caught:
        storage.expand(pattern.replace("{}", str(folder)))
    assert told in str(caught.value)


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(QuickdrawError, match="holds nothing"):
        storage.expand(str(tmp_path))


@pytest.mark.parametrize("name", ["x,y", "x [1]", "a, [b],*c?", "[", "],[", "봄, 여름"])
def test_a_path_has_a_pattern_of_its_own(tmp_path, name):
    for each in (name, "x", "y", "x 1"):
        (tmp_path / each).mkdir(exist_ok=True)
        (tmp_path / each / "train-0.tfrecord").write_bytes(b"x")
    folder = storage.pattern_of(str(tmp_path / name))
    expected = [str(tmp_path / name / "train-0.tfrecord")]
    assert storage.expand(f"{folder}/train-*") == expected
    both = storage.expand(f"{tmp_path}/y/train-*,{folder}/train-*")
    assert both == [str(tmp_path / "y/train-0.tfrecord"), *expected]


@given(
    st.lists(
        st.text("ab,[]*? ").filter(lambda text: text == text.strip() != ""), min_size=1, max_size=4
    )
)
def test_commas_separate_patterns_of_paths(paths):
    patterns = [storage.pattern_of(path) for path in paths]
    assert storage.patterns_in(" , ".join(patterns)) == patterns
    for path, pattern in zip(paths, patterns, strict=True):
        assert glob.fnmatch.fnmatchcase(path, pattern)


def test_a_folder_with_brackets_needs_no_others(tmp_path):
    (tmp_path / "x [1]").mkdir()
    (tmp_path / "x [1]/train-0.tfrecord").write_bytes(b"x")
    assert names(storage.expand(f"{tmp_path}/x [1]/train-*")) == ["train-0.tfrecord"]


def test_a_comma_in_a_name_is_told(tmp_path):
    with pytest.raises(QuickdrawError, match=r"A comma separates patterns: \[,\] stands for one"):
        storage.expand(f"{tmp_path}/x,y/train-*")


@pytest.mark.parametrize("between", ["; ", " "])
def test_patterns_without_commas_between_are_told(tmp_path, between):
    with pytest.raises(QuickdrawError, match=r"\. Several patterns are separated by commas"):
        storage.expand(f"{tmp_path}/train-*{between}{tmp_path}/valid-*")


def test_a_folder_may_have_a_comma(tmp_path):
    (tmp_path / "a,b").mkdir()
    assert storage.folders_in(f"{tmp_path}/a,b") == [f"{tmp_path}/a,b"]
    assert storage.folders_in("runs/a, runs/b") == ["runs/a", "runs/b"]
