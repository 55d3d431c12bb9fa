"""JSON files: read as they were written; what is none, or says a thing twice, is named."""

import json

import pytest

from quickdraw import storage
from quickdraw.errors import QuickdrawError


def test_json_is_written_and_read(tmp_path):
    path = str(tmp_path / "a.json")
    value = {"labels": ["고양이", "hot dog"], "n": [1, 2.5, None]}
    storage.write_json(path, value)
    assert storage.read_json(path) == value
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert "고양이" in text
    assert json.loads(text) == value


@pytest.mark.parametrize("content", [b"{", b"", b"{'a': 1}", b"\xff\xfe\xfd", b"[" * 100_000])
def test_what_is_not_json_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(QuickdrawError, match=r"a\.json: not a JSON file"):
        storage.read_json(str(path))


def test_a_name_that_comes_twice_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"labels": {"a": 1, "b": 2, "a": 3}}')
    with pytest.raises(QuickdrawError, match=r"a\.json: not a JSON file \(it names 'a' twice\)"):
        storage.read_json(str(path))
