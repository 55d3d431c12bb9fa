"""Nothing that lies in a source is passed over in silence."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from quickdraw.datasets.sources import open_source
from quickdraw.datasets.sources.unread import counted, said
from quickdraw.errors import QuickdrawError

LINE = json.dumps({"word": "cat", "drawing": [[[0, 9], [0, 9]]]})


@pytest.fixture
def bitmaps(tmp_path):
    for name in ("bird", "cat"):
        np.save(tmp_path / f"{name}.npy", np.ones((2, 784), np.uint8))
    return tmp_path


def picture(path):
    path.parent.mkdir(exist_ok=True)
    Image.new("L", (9, 9), 255).save(path)


def opened(path, tmp_path_factory, **options):
    return open_source(str(path), str(tmp_path_factory.mktemp("scratch")), **options)


def test_files_of_other_kinds_are_named_and_counted(bitmaps, tmp_path_factory, capsys):
    for name in ("notes.txt", "a.heic", "b.heic", "README.md", ".DS_Store"):
        (bitmaps / name).write_text("x")
    (bitmaps / "empty").mkdir()
    (bitmaps / "old").mkdir()
    np.save(bitmaps / "old" / "dog.npy", np.ones((2, 784), np.uint8))
    source = opened(bitmaps, tmp_path_factory)
    assert source.unread == {"*.heic": 2, "empty/": 0, "notes.txt": 1, "old/": 1}
    assert (
        "warning: not read: *.heic (2 files), empty/ (empty), notes.txt, old/"
        in capsys.readouterr().err
    )


def test_nothing_is_said_where_all_is_read(bitmaps, tmp_path_factory, capsys):
    assert opened(bitmaps, tmp_path_factory).unread == {}
    assert capsys.readouterr().err == ""


def test_what_lies_in_the_folders_of_classes(tmp_path, tmp_path_factory):
    for name in ("bird/1.png", "fish/1.png"):
        picture(tmp_path / name)
    for name in ("fish/1.heic", "fish/2.heic", "bird/.hidden", "stray.png"):
        (tmp_path / name).write_text("x")
    (tmp_path / "dog").mkdir()
    (tmp_path / "fish" / "more").mkdir()
    picture(tmp_path / "fish" / "more" / "1.png")
    source = opened(tmp_path, tmp_path_factory)
    assert [file.category for file in source.files] == ["bird", "fish"]
    assert source.unread == {"dog/": 0, "fish/*.heic": 2, "fish/more/": 1, "stray.png": 1}


def test_several_formats_are_refused_and_one_can_be_told(bitmaps, tmp_path_factory):
    picture(bitmaps / "plots" / "1.png")
    with pytest.raises(QuickdrawError, match=r"2 numpy bitmaps \(bird.npy, cat.npy\), 1 pictures"):
        opened(bitmaps, tmp_path_factory)
    source = opened(bitmaps, tmp_path_factory, format="bitmaps")
    assert [file.category for file in source.files] == ["bird", "cat"]
    assert source.unread == {"plots/": 1}
    source = opened(bitmaps, tmp_path_factory, format="pictures")
    assert [file.category for file in source.files] == ["plots"]
    assert source.unread == {"*.npy": 2}


@pytest.mark.parametrize("above", ["", "data", "data/raw"])
def test_drawings_some_floors_below_are_pointed_at(tmp_path, tmp_path_factory, above):
    (tmp_path / above / "images").mkdir(parents=True)
    for name in ("cat", "dog"):
        picture(tmp_path / above / "images" / name / "1.png")
    with pytest.raises(QuickdrawError, match=r"none of them; but in .*images: 2 pictures \(cat, d"):
        opened(tmp_path, tmp_path_factory)


@pytest.mark.parametrize(
    ("name", "words"), [("1.png", "pictures that are in no folder"), ("all.zip", "unpack it first")]
)
def test_what_to_do_with_what_is_there_instead(tmp_path, tmp_path_factory, name, words):
    picture(tmp_path / "1.png") if name == "1.png" else (tmp_path / name).write_bytes(b"PK\3\4")
    with pytest.raises(QuickdrawError, match=words):
        opened(tmp_path, tmp_path_factory)


def test_columns_that_are_not_read(tmp_path, tmp_path_factory, capsys):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text('drawing,age,Timestamp\n"[[[0, 9], [0, 9]]]",3,now\n')
    source = opened(tmp_path, tmp_path_factory)
    assert source.unread == {"column 'age'": 2}
    said = capsys.readouterr().err
    assert "a.csv: no column 'word', so these are records for a test, unlabelled" in said
    assert "not read: column 'age'" in said


@pytest.mark.parametrize("column", ["y", "Label", "category", "class_id"])
def test_a_column_that_sounds_like_the_class(tmp_path, tmp_path_factory, column):
    (tmp_path / "a.csv").write_text(f'drawing,{column}\n"[[[0, 9], [0, 9]]]",3\n')
    with pytest.raises(QuickdrawError, match=f"a.csv: no column 'word'.*--label_key={column}"):
        opened(tmp_path, tmp_path_factory)
    (file,) = opened(tmp_path, tmp_path_factory, label_key=column).files
    assert [file.parse(*record).word for record in file.scan(0, file.size)] == ["3"]


@pytest.mark.parametrize("value", ['"3"', "3"])
def test_a_field_that_sounds_like_the_class(tmp_path, tmp_path_factory, value):
    (tmp_path / "train.ndjson").write_text(LINE.replace('"word": "cat"', f'"label": {value}'))
    with pytest.raises(QuickdrawError, match="train.ndjson: no column 'word'.*--label_key=label"):
        opened(tmp_path, tmp_path_factory)
    (file,) = opened(tmp_path, tmp_path_factory, label_key="label").files
    assert [file.parse(*record).word for record in file.scan(0, file.size)] == ["3"]
    with pytest.raises(QuickdrawError, match="no field 'labl'. Did you mean 'label'"):
        opened(tmp_path, tmp_path_factory, label_key="labl")


def test_lines_without_a_drawing_are_no_test_set(tmp_path, tmp_path_factory):
    (tmp_path / "a.ndjson").write_text(2 * '{"strokes": [[[0, 9], [0, 9]]], "key_id": "1"}\n')
    with pytest.raises(QuickdrawError, match="field 'drawing' expected. Received: 'strokes', 'key"):
        opened(tmp_path, tmp_path_factory)


def test_fields_of_lines_that_are_not_read(tmp_path, tmp_path_factory, capsys):
    (tmp_path / "train.ndjson").write_text(LINE.replace("word", "age"))
    source = opened(tmp_path, tmp_path_factory)
    assert source.unread == {"column 'age'": 1}
    assert "so these are drawings of the class 'train'" in capsys.readouterr().err


def test_an_empty_file_of_drawings(tmp_path, tmp_path_factory):
    (tmp_path / "cat.ndjson").write_text(LINE)
    (tmp_path / "dog.ndjson").write_text("")
    (tmp_path / "sun.ndjson").write_text("\n\n")
    assert opened(tmp_path, tmp_path_factory).unread == {"dog.ndjson": 1, "sun.ndjson": 1}


def test_the_same_drawings_raw_and_simplified(tmp_path, tmp_path_factory):
    (tmp_path / "full_simplified_cat.ndjson").write_text(LINE)
    (tmp_path / "full_raw_cat.ndjson").write_text(LINE.replace("[0, 9]]]", "[0, 9], [0, 1]]]"))
    with pytest.raises(QuickdrawError, match="drawings of 'cat' twice, raw in .*full_raw_cat"):
        opened(tmp_path, tmp_path_factory)


def test_a_long_list_is_cut(tmp_path):
    names = [str(tmp_path / f"x.{ending}") for ending in range(30)]
    counts = counted(names, str(tmp_path))
    assert len(counts) == 30
    assert said(counts).endswith("and 22 more")


def test_a_folder_in_a_bucket(server, tmp_path_factory):
    array = io.BytesIO()
    np.save(array, np.ones((3, 784), np.uint8))
    for name in ("cat.npy", "dog.npy", "notes.txt", "old/fish.npy", "README.md"):
        server.store.put("b", f"in/{name}", array.getvalue())
    source = opened("gs://b/in", tmp_path_factory)
    assert [file.category for file in source.files] == ["cat", "dog"]
    assert source.unread == {"notes.txt": 1, "old/": 1}
