"""Quick, Draw!'s .bin files."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import parsed

from quickdraw.datasets.sources.binary import Binary
from quickdraw.drawings.drawing import Drawing

STROKES = [[[0, 255], [0, 200]], [[3, 4, 5], [6, 7, 8]]]


def packed(strokes, key_id=5, country=b"KR", recognized=1):
    """As Google's example reads it, field by field."""
    data = struct.pack("<Q", key_id) + country + struct.pack("<b", recognized)
    data += struct.pack("<I", 1490000000) + struct.pack("<H", len(strokes))
    for xs, ys in strokes:
        data += struct.pack("<H", len(xs)) + bytes(xs) + bytes(ys)
    return data


@pytest.fixture
def made(tmp_path):
    def make(data):
        (tmp_path / "cat.bin").write_bytes(data)
        return Binary(str(tmp_path / "cat.bin"), "cat")

    return make


def test_drawings(made):
    file = made(packed(STROKES) + packed(STROKES, 2**63 + 1, b"\0\0", 0))
    first, second = parsed(file)
    assert first == Drawing("cat", STROKES, None, "5", "KR", True)
    assert (second.key_id, second.recognized) == (str(2**63 + 1), False)


@pytest.mark.parametrize("cut", range(1, 30))
def test_truncated_files_give_what_is_whole(made, cut):
    first, second = parsed(made(packed(STROKES) + packed(STROKES)[:cut]))
    assert (first.word, second) == ("cat", "truncated")


def test_where_the_layout_is_lost_reading_ends(made):
    file = made(packed(STROKES) + b"<html>this is another file</html>")
    first, second = parsed(file)
    assert (first.word, second) == ("cat", "not the layout of a .bin file from here on")


def test_drawings_that_cannot_be_used(made):
    reasons = parsed(made(packed([]) + packed([[[3], [4]]]) + packed(STROKES)))
    assert reasons[:2] == ["no strokes", "one point only"]
    assert reasons[2].word == "cat"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_are_read_to_an_end(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "cat.bin"
    path.write_bytes(data)
    parsed(Binary(str(path), "cat"))
