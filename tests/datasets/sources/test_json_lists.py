"""JSON files that hold a list of drawings, or objects over several lines."""

import gzip
import json

import pytest
from reading import drawings_of

from quickdraw.datasets.sources import open_source
from quickdraw.errors import QuickdrawError

STROKES = [[[0, 9], [0, 9]]]
DRAWINGS = [
    {"word": "cat", "key_id": "5829304141217792", "drawing": STROKES},
    {"word": "고양이", "key_id": "5", "drawing": STROKES},
]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(DRAWINGS),
        json.dumps(DRAWINGS, indent=2),
        "\ufeff" + json.dumps(DRAWINGS, indent="\t", ensure_ascii=False).replace("\n", "\r\n"),
        "\n".join(json.dumps(drawing, indent=1) for drawing in DRAWINGS),
        "\n".join(map(json.dumps, DRAWINGS)),
        "[\n" + ",\n".join(map(json.dumps, DRAWINGS)) + "\n]\n",
    ],
)
@pytest.mark.parametrize("name", ["all.json", "all.ndjson", "all.json.gz"])
def test_every_way_to_write_a_list(tmp_path, tmp_path_factory, text, name):
    data = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    (tmp_path / "dataset.json").write_text('{"labels": ["cat"]}')
    for path in (tmp_path, tmp_path / name):
        found = drawings_of(path, tmp_path_factory.mktemp("scratch"))
        assert [(drawing.word, drawing.key_id) for drawing in found] == [
            ("cat", "5829304141217792"),
            ("고양이", "5"),
        ]


def test_a_number_that_lost_digits_is_seen_as_it_is_written(tmp_path, tmp_path_factory):
    (tmp_path / "a.json").write_text(json.dumps(DRAWINGS).replace('"5829304141217792"', "5.83E+15"))
    lost, _ = drawings_of(tmp_path, tmp_path_factory.mktemp("scratch"))
    assert "5.83E+15 has lost its last digits" in lost


def test_a_drawing_is_known_by_the_file_that_the_user_has(tmp_path, tmp_path_factory):
    (tmp_path / "a.json").write_text(json.dumps(DRAWINGS, indent=2))
    (file,) = open_source(str(tmp_path), str(tmp_path_factory.mktemp("scratch"))).files
    (_, _), (second, _) = file.scan(0, file.size)
    assert file.place(second) == f"{tmp_path / 'a.json'}, drawing 2"
    (tmp_path / "a.json").write_text("\n".join(map(json.dumps, DRAWINGS)))
    (file,) = open_source(str(tmp_path), str(tmp_path_factory.mktemp("scratch"))).files
    assert file.place(file.size // 2 + 1).endswith("a.json, line 2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps(DRAWINGS)[:-9], "a.json: broken JSON"),
        (json.dumps(DRAWINGS)[:-1], "a.json: broken JSON: the list has no end"),
        (json.dumps(DRAWINGS) + "x", "a.json: broken JSON: the list has no end, or something"),
        (
            '{"cat": [{"drawing": []}]}',
            "a.json: drawings with a field 'drawing' .* Received: 'cat'",
        ),
    ],
)
def test_other_json_is_refused(tmp_path, tmp_path_factory, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(QuickdrawError, match=message):
        drawings_of(tmp_path, tmp_path_factory.mktemp("scratch"))
