"""Lists of names: compared by name, written and read."""

import json
import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.errors import QuickdrawError
from quickdraw.records import dataset_info, labels
from quickdraw.records.dataset_info import DatasetInfo

NAMES = st.lists(
    st.text("abc ,;\"'고양이éß", min_size=1).map(str.strip).filter(bool),
    min_size=1,
    unique_by=lambda name: " ".join(name.split()),
)


@given(NAMES, st.randoms())
def test_numbers_lead_to_the_same_names(names: list[str], random: random.Random):
    shuffled = random.sample(names, len(names))
    numbers = labels.numbers_in(names, shuffled)
    assert [shuffled[number] for number in numbers] == names
    assert labels.same_classes(names, shuffled)
    assert labels.same(names, shuffled) == (names == shuffled)
    assert labels.numbers_in(names, shuffled[1:]) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("hot dog", "hot_dog"), ("고양이", unicodedata.normalize("NFD", "고양이")), ("cat", " cat ")],
)
def test_one_name_in_two_writings_is_one(one, other):
    assert labels.same([one], [other])
    assert labels.numbers_in([one], ["x", other]) == [1]


def test_upper_and_lower_case_are_two():
    assert labels.numbers_in(["A"], ["a"]) is None


@given(NAMES)
def test_a_table_is_read_as_it_was_written(tmp_path_factory, names):
    path = str(tmp_path_factory.mktemp("table") / "solution.labels.csv")
    labels.write(path, names)
    assert labels.read(path) == names


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.txt", "cat\nhot dog\nsun\n"),
        ("labels.txt", "\ufeffcat\r\nhot dog\r\nsun\r\n\r\n"),
        ("labels.csv", "label,name\n0,cat\n1,hot dog\n2,sun\n"),
        ("labels.json", '["cat", "hot dog", "sun"]'),
        ("dataset.json", '{"labels": ["cat", "hot dog", "sun"], "image_size": 28}'),
    ],
)
def test_names_come_in_several_files(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode())
    assert labels.read(str(tmp_path / name)) == ["cat", "hot dog", "sun"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("l.txt", b"", "l.txt: no name for the label 0"),
        ("l.txt", b"cat\n\nsun\n", "l.txt: no name for the label 1"),
        ("l.txt", b"hot dog\nsun\nhot_dog\n", "the labels 0 and 2 have one name: 'hot_dog'"),
        ("l.txt", b"\xff\xfe", "not a UTF-8 text file"),
        ("l.csv", b"label,name\n1,cat\n", "line 2: the label 0 and its name expected. Received"),
        ("l.csv", b"label,name\n0\n", "line 2: the label 0 and its name expected. Received"),
        ("l.json", b'{"names": []}', "a list of names expected. Received: None"),
        ("l.json", b"[1, 2]", "a list of names expected"),
        ("l.json", b"[", "not a JSON file"),
    ],
)
def test_what_names_no_classes_is_refused(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(QuickdrawError, match=told) as caught:
        labels.read(str(tmp_path / name))
    assert len(str(caught.value).splitlines()) == 1


def test_a_difference_is_told_with_both_lists():
    error = labels.differ("b/dataset.json", ["dog"], "the run", ["bird", "cat"])
    assert str(error) == (
        "b/dataset.json has other labels than the run: expected 2 classes (bird, cat). "
        "Received 1 classes (dog)"
    )


def test_of_long_lists_what_differs_is_told():
    many = [f"class {number}" for number in range(300)]
    told = str(labels.differ("b", [*many[:-1], "dog"], "the run", many))
    assert told.endswith("Not expected: dog. Missing: class 299")
    assert len(told) < 1000


def test_a_dataset_json_with_one_name_twice_is_refused(tmp_path):
    content = {"labels": ["cat", "dog", "cat"], "image_size": 28}
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    with pytest.raises(QuickdrawError, match="the labels 0 and 2 have one name: 'cat'"):
        dataset_info.load(str(tmp_path))


def described(**folders: list[str] | None) -> dict[str, DatasetInfo | None]:
    return {name: None if each is None else DatasetInfo(each) for name, each in folders.items()}


@pytest.mark.parametrize(
    ("folders", "wanted", "names", "numbers"),
    [
        ({"a": ["x", "y"]}, None, ["x", "y"], {}),
        ({"a": None}, None, [], {}),
        ({"a": []}, None, [], {}),
        ({"a": None, "b": ["x"]}, None, ["x"], {}),
        ({"a": ["x", "y"], "b": ["y", "x"]}, None, ["x", "y"], {"b": [1, 0]}),
        ({"a": ["x", "y"], "b": ["y", "x"]}, ["y", "x"], ["y", "x"], {"a": [1, 0]}),
        ({"a": ["z", "x"]}, ["x", "y", "z"], ["x", "y", "z"], {"a": [2, 0]}),
        ({"a": ["x"]}, ["x", "y"], ["x", "y"], {"a": [0]}),
        ({"a": None}, ["x", "y"], ["x", "y"], {}),
    ],
)
def test_folders_are_brought_into_one_order(folders, wanted, names, numbers, capfd):
    assert dataset_info.in_one_order(described(**folders), wanted, "the run") == (names, numbers)
    assert ("are another list than" in capfd.readouterr().err) == bool(numbers)


@pytest.mark.parametrize(
    ("folders", "wanted"),
    [
        ({"a": ["x", "y"], "b": ["x", "z"]}, None),
        ({"a": ["x", "y"], "b": ["x"]}, None),
        ({"a": ["x"], "b": ["x", "y"]}, None),
        ({"a": ["x", "y"]}, ["x"]),
        ({"a": ["x", "z"]}, ["x", "y", "w"]),
    ],
)
def test_other_classes_are_refused(folders, wanted):
    with pytest.raises(QuickdrawError, match=r"dataset.json has other labels than .*expected"):
        dataset_info.in_one_order(described(**folders), wanted, "the run")


def test_test_records_of_two_orders_are_refused():
    assert dataset_info.one_list(described(a=None, b=["x", "y"], c=["x", "y"])) == ["x", "y"]
    with pytest.raises(QuickdrawError, match="numbers the classes as .* does not"):
        dataset_info.one_list(described(a=["x", "y"], b=["y", "x"]))
