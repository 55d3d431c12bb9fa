"""Strokes in text: .ndjson lines and csv rows, in pieces, and every way to be broken."""

import csv
import io
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import parsed

from quickdraw import storage
from quickdraw.datasets.sources import lines, tables
from quickdraw.datasets.sources.lines import Lines
from quickdraw.datasets.sources.tables import Table
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.errors import QuickdrawError

STROKES = [[[0, 255], [0, 200]], [[3, 4, 5], [6, 7, 8]]]


def line(**changes):
    fields = {"word": "cat", "key_id": "5", "countrycode": "KR", "recognized": True}
    return json.dumps(fields | {"drawing": STROKES} | changes)


def test_a_line_with_everything(tmp_path):
    path = tmp_path / "cat.ndjson"
    path.write_text(line() + "\n")
    (drawing,) = parsed(Lines(str(path)))
    assert drawing == ("cat", STROKES, None, "5", "KR", True, ())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "end"])
def test_line_ends_blank_lines_and_a_byte_order_mark(tmp_path, end, last):
    path = tmp_path / "cat.ndjson"
    text = end.join([line(key_id="1"), "", line(key_id="2"), " "]) + (end if last else "")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert [drawing.key_id for drawing in parsed(Lines(str(path)))] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line()[:-3], "broken JSON"),
        ("\x00\xff", "broken JSON"),
        ("[" * 100_000, "broken JSON"),
        ("[1, 2]", "not a JSON object"),
        ('{"word": "cat"}', "no field 'drawing'"),
        (line(word=3), "the word is not text"),
        (line(drawing=[[[0, 300], [0, 1]]]), "coordinates outside 0...255"),
        (line(drawing=[[[0.1, 0.9], [0, 1]]]), "coordinates in 0...1, not 0...255"),
        (line(drawing=[[[0, 1, 2], [0, 1]]]), "x and y of different lengths"),
        (line(drawing=[[[0, float("nan")], [0, 1]]]), "a coordinate that is not finite"),
    ],
)
def test_bad_lines_are_skipped_and_the_others_stay(tmp_path, text, reason):
    path = tmp_path / "cat.ndjson"
    path.write_text(f"{line()}\n{text}\n{line()}", encoding="utf-8")
    first, second, third = parsed(Lines(str(path)))
    assert (first.word, second, third.word) == ("cat", reason, "cat")


def test_a_line_without_a_word_is_no_test_record_where_others_have_one(tmp_path):
    path = tmp_path / "all.ndjson"
    bare = json.dumps({"drawing": STROKES})
    path.write_text(f"{line()}\n{bare}\n{line(word=None)}\n{line(word='NaN')}\n")
    first, *others = parsed(Lines(str(path)))
    assert (first.word, others) == ("cat", 3 * ["no word: empty, nan, null or None"])
    path.write_text(f"{bare}\n{bare}\n")
    assert [drawing.word for drawing in parsed(Lines(str(path)))] == [None, None]


def test_the_line_is_named(tmp_path):
    path = tmp_path / "cat.ndjson"
    path.write_text(f"{line()}\n\nbroken\n")
    file = Lines(str(path))
    *_, (position, _) = file.scan(0, file.size)
    assert file.place(position) == f"{path}, line 3"


def test_an_endless_line_is_not_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "_LONGEST", 1000)
    path = tmp_path / "cat.ndjson"
    path.write_text(f"{line()}\n{'x' * 5000}\n{line()}\n{'y' * 3000}")
    first, second, third, fourth = parsed(Lines(str(path)))
    assert (first.word, second, third.word, fourth) == ("cat", second, "cat", second)
    assert second == "a line longer than 16 MB"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=12), st.integers(1, 60))
def test_pieces_make_up_the_file(tmp_path_factory, parts, size):
    path = tmp_path_factory.mktemp("pieces") / "cat.ndjson"
    path.write_bytes(b"\n".join(parts))
    file = Lines(str(path))
    whole = list(file.scan(0, max(file.size, 1)))
    assert [record for piece in file.pieces(size) for record in file.scan(*piece)] == whole
    assert [data.rstrip(b"\n") for _, data in whole] == [
        part for part in b"\n".join(parts).split(b"\n") if part and not part.isspace()
    ]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_line_is_a_drawing_or_skipped(data):
    with pytest.raises(SkippedDrawing):
        lines.parse(data)


def table(path, rows, columns=("word", "countrycode", "drawing", "key_id"), end="\n"):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerows([columns, *rows])
    path.write_bytes(text.getvalue().encode())
    return Table(str(path))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_of_a_table(tmp_path, end):
    rows = [("cat", "KR", json.dumps(STROKES), "5"), ("dog", "", json.dumps(STROKES), "6")]
    cat, dog = parsed(table(tmp_path / "train.csv", rows, end=end))
    assert cat == ("cat", STROKES, None, "5", "KR", None, ())
    assert dog.word == "dog"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_as_excel_saves_it(tmp_path, delimiter):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["word", "drawing", "key_id"])
    writer.writerows([word, json.dumps(STROKES), "5"] for word in ("cat", "a, b", "c;d"))
    path = tmp_path / "train.csv"
    path.write_text(f"\ufeff{text.getvalue()}{2 * delimiter}\n", encoding="utf-8")
    assert [drawing.word for drawing in parsed(Table(str(path)))] == ["cat", "a, b", "c;d"]


def test_recognized_is_text(tmp_path):
    rows = [(json.dumps(STROKES), word, "cat") for word in ("True", "False")]
    file = table(tmp_path / "train.csv", rows, ("drawing", "recognized", "word"))
    assert [drawing.recognized for drawing in parsed(file)] == [True, False]


def test_a_table_without_words_is_a_test_set(tmp_path):
    file = table(tmp_path / "test.csv", [("9", json.dumps(STROKES))], ("key_id", "drawing"))
    (drawing,) = parsed(file)
    assert (drawing.word, drawing.key_id) == (None, "9")


def test_a_quoted_newline(tmp_path):
    strokes = json.dumps(STROKES).replace(", ", ",\n", 1)
    rows = [("cat", "K\r\nR", strokes, "5"), ("dog", "", json.dumps(STROKES), "6")]
    cat, dog = parsed(table(tmp_path / "train.csv", rows))
    assert (cat.strokes, cat.countrycode, dog.word) == (STROKES, "K\r\nR", "dog")


@pytest.mark.parametrize("size", [1, 70, 200, 10_000])
def test_pieces_make_up_the_table(tmp_path, size):
    quoted = json.dumps(STROKES).replace(", ", ",\n", 1)
    rows = [("cat", "K\nR", strokes, i) for strokes in (json.dumps(STROKES), quoted) for i in "12"]
    file = table(tmp_path / "train.csv", 3 * rows)
    whole = list(file.scan(0, file.size))
    assert [record for piece in file.pieces(size) for record in file.scan(*piece)] == whole
    assert len(whole) == 12
    assert len(file.pieces(1)) > len(file.pieces(200)) > len(file.pieces(10_000)) == 1


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path):
    path = tmp_path / "train.csv"
    good = f'cat,"{json.dumps(STROKES)}"\n'
    path.write_text("word,drawing\n" + good + 'cat,"[[[1\n' + 100 * good)
    first, second, *rest = parsed(Table(str(path)))
    assert (first.word, second) == ("cat", "broken csv")
    assert [drawing.word for drawing in rest] == ["cat"] * 100


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("cat", "a row of another number of columns"),
        ('cat,"[[[0,"', "broken JSON"),
        ("cat,x,y", "a row of another number of columns"),
        ('cat,"[]"', "no strokes"),
        ("cat,\udcff", "not UTF-8 text"),
    ],
)
def test_bad_rows_are_skipped(tmp_path, row, reason):
    path = tmp_path / "train.csv"
    path.write_bytes(f"word,drawing\n{row}\n".encode(errors="surrogateescape"))
    assert parsed(Table(str(path))) == [reason]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", '"', "key_id,word\n5,cat\n"])
def test_other_tables_are_refused(tmp_path, text):
    path = tmp_path / "train.csv"
    path.write_text(text)
    with pytest.raises(QuickdrawError, match=r"train.csv: .*column 'drawing' in its first line"):
        Table(str(path))


@pytest.mark.parametrize("header", ["word,word,drawing", "Word,word,drawing"])
def test_two_columns_of_one_name_are_refused(tmp_path, header):
    (tmp_path / "train.csv").write_text(f"{header}\ncat,dog,x\n")
    with pytest.raises(QuickdrawError, match="train.csv: one column 'word' expected"):
        Table(str(tmp_path / "train.csv"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_table_is_read_to_its_end(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "train.csv"
    path.write_bytes(b"drawing,word\n" + data)
    file = Table(str(path))
    records = list(file.scan(0, file.size))
    assert all(isinstance(parsed, str) for parsed in parsed(file))
    assert sum(len(row) for _, row in records) <= len(data)


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_an_endless_line_is_read_once_whatever_the_pieces(tmp_path, monkeypatch, kind):
    good = line() if kind == "ndjson" else f'cat,"{json.dumps(STROKES)}"'
    path = tmp_path / f"cat.{kind}"
    header = "" if kind == "ndjson" else "word,drawing\n"
    path.write_text(f"{header}{good}\n{'x' * 1_000_000}\n{good}\n")
    for module in (lines, tables):
        monkeypatch.setattr(module, "_LONGEST", 20_000)
    file = (Lines if kind == "ndjson" else Table)(str(path))
    bytes_read = 0

    class Counted(io.BufferedReader):
        def readline(self, size=-1):
            nonlocal bytes_read
            result = super().readline(size)
            bytes_read += len(result)
            return result

    monkeypatch.setattr(storage, "open_binary", lambda path: Counted(io.FileIO(path)))
    found = [each for piece in file.pieces(20_000) for each in file.scan(*piece)]
    assert [isinstance(data, bytes) for _, data in found] == [True, False, True]
    assert file.parse(*found[2]).word == "cat"
    assert bytes_read < 4_000_000


def test_a_long_drawing_in_a_table_is_read_as_it_is_in_a_line(tmp_path):
    turns = [i / 100 for i in range(12_000)]
    spiral = [
        [
            [round(t * math.cos(t), 6) for t in turns],
            [round(t * math.sin(t), 6) for t in turns],
            list(range(len(turns))),
        ]
    ]
    assert len(json.dumps(spiral)) > 131_072
    (of_table,) = parsed(table(tmp_path / "train.csv", [("cat", "", json.dumps(spiral), "5")]))
    assert of_table.strokes == lines.parse(line(drawing=spiral).encode()).strokes
