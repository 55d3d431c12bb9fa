"""What format a path holds is seen by looking, or told; and which categories are opened."""

import gzip
import json
import shutil

import numpy as np
import pytest

from quickdraw.datasets.sources import FORMATS, open_source
from quickdraw.datasets.sources.names import check, in_order, is_usable, read_names
from quickdraw.errors import QuickdrawError
from quickdraw.records import example, png, tfrecord

LINE = json.dumps({"word": "cat", "drawing": [[[0, 9], [0, 9]]]})
TABLE = 'word,drawing\ncat,"[[[0, 9], [0, 9]]]"\n'
RECORD = tfrecord.frame(example.serialise(image=png.encode(np.ones((28, 28), np.uint8)), label=0))
IDX = b"\0\0\x08\3" + b"\0\0\0\1" * 3 + b"\7", b"\0\0\x08\1" + b"\0\0\0\1" + b"\3"


def opened(path, tmp_path, **options):
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return open_source(str(path), str(scratch), **options)


@pytest.fixture
def bitmaps(tmp_path):
    np.save(tmp_path / "array.npy", np.ones((2, 784), np.uint8))
    return (tmp_path / "array.npy").read_bytes()


@pytest.mark.parametrize("packed", [False, True])
def test_each_format_is_seen_in_its_content(tmp_path, bitmaps, packed):
    contents = {
        "bitmaps": ("cat.npy", bitmaps),
        "simplified": ("lines", LINE.encode()),
        "csv": ("table", TABLE.encode()),
        "tfrecords": ("records", RECORD),
        "binary": ("cat.bin", bytes(8) + b"KR\1" + bytes(6)),
    }
    for kind, (name, data) in contents.items():
        path = tmp_path / (name + ".gz" * packed)
        path.write_bytes(gzip.compress(data) if packed else data)
        assert opened(path, tmp_path).format == FORMATS[kind]


def test_idx_is_seen(tmp_path):
    for part, data in zip(("images-idx3", "labels-idx1"), IDX, strict=True):
        (tmp_path / f"train-{part}-ubyte").write_bytes(data)
    assert opened(tmp_path, tmp_path).format == "IDX images"


def test_a_folder_of_several_formats_must_be_told(tmp_path, bitmaps):
    (tmp_path / "cat.ndjson").write_text(LINE)
    with pytest.raises(QuickdrawError, match=r"1 numpy bitmaps \(array.npy\), 1 ndjson"):
        opened(tmp_path, tmp_path)
    (file,) = opened(tmp_path, tmp_path, format="simplified").files
    assert file.path.endswith("cat.ndjson")
    with pytest.raises(QuickdrawError, match=r"files of TFRecords expected. Received: 1 numpy"):
        opened(tmp_path, tmp_path, format="tfrecords")


def test_a_pattern(tmp_path):
    for name in ("a.ndjson", "b.ndjson", "c.csv"):
        (tmp_path / name).write_text(LINE if name[0] < "c" else TABLE)
    assert len(opened(tmp_path / "*.ndjson", tmp_path).files) == 2
    with pytest.raises(QuickdrawError, match="no file matches"):
        opened(tmp_path / "*.npy", tmp_path)


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"text"])
def test_other_files(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(QuickdrawError, match="Received: none of them"):
        opened(tmp_path / "x", tmp_path)


def test_what_lies_there_instead_is_named(tmp_path):
    (tmp_path / "drawings.xyz").write_text(f"[{LINE}]")
    with pytest.raises(QuickdrawError, match=r"Received: none of them; not read: drawings.xyz$"):
        opened(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("train-00000-of-00001.parquet", "write its pictures as <class>/<number>.png"),
        ("mnist.h5", "save the arrays by np.savez"),
        ("data.pkl", "save the arrays by np.savez"),
        ("quickdraw.zip", "an archive: unpack it first"),
        ("quickdraw.tar.gz", "an archive: unpack it first"),
        ("fer2013.tsv", "a csv file has a column 'drawing' of strokes, or a label and 784 pixels"),
        ("drawings.txt", "in a file NAME.ndjson or NAME.json"),
    ],
)
def test_what_to_do_about_files_that_are_not_read(tmp_path, name, way):
    (tmp_path / name).write_bytes(b"PAR1\0\0")
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(QuickdrawError, match=f"but {name}: .*{way}"):
            opened(path, tmp_path)


@pytest.mark.parametrize("name", ["x.csv", "x.ndjson", "x.jsonl"])
def test_text_that_is_not_utf8_is_named(tmp_path, name):
    (tmp_path / name).write_text(TABLE, encoding="utf-16")
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(QuickdrawError, match=rf"{name}: UTF-8 text expected.*UTF-16"):
            opened(path, tmp_path)


def test_files_of_other_categories_are_not_read(tmp_path):
    for name in ("cat", "hot dog", "mixed"):
        word = "dog" if name == "mixed" else name
        (tmp_path / f"{name}.ndjson").write_text(LINE.replace("cat", word))
    chosen = opened(tmp_path, tmp_path, categories=["hot_dog", "dog"]).files
    assert [file.category for file in chosen] == ["hot dog", None]
    (tmp_path / "mixed.ndjson").unlink()
    with pytest.raises(QuickdrawError, match=r"no category 'dog'. Did you mean 'hot dog'"):
        opened(tmp_path, tmp_path, categories=["dog"])


def test_packed_files_are_unpacked(tmp_path):
    (tmp_path / "cat.ndjson.gz").write_bytes(gzip.compress(f"{LINE}\n{LINE}".encode()))
    (file,) = opened(tmp_path, tmp_path).files
    assert file.category == "cat"
    assert len(list(file.scan(0, file.size))) == 2
    (tmp_path / "cat.ndjson.gz").write_bytes(gzip.compress(LINE.encode())[:-4])
    shutil.rmtree(tmp_path / "scratch")
    with pytest.raises(QuickdrawError, match=r"cat.ndjson.gz: truncated or damaged gzip"):
        opened(tmp_path, tmp_path)


@pytest.mark.parametrize("name", ["a/b", "..", ".", "", " ", "a\\b", "a\nb", "/etc/passwd"])
def test_names_that_could_lead_elsewhere(name):
    assert not is_usable(name)
    with pytest.raises(QuickdrawError, match="cannot be the name of a category"):
        check([name], "here")


def test_names_that_are_fine():
    check(["t-shirt", "The Eiffel Tower", "a..b", "고양이", "café"], "here")


def test_order_of_labels():
    assert in_order(["10", "9", "1"]) == ["1", "9", "10"]
    assert in_order(["10", "b", "a"]) == ["10", "a", "b"]


@pytest.mark.parametrize("flags", [{"label_key": "y"}, {"image_key": "x"}])
def test_a_key_that_a_format_has_not_is_refused(tmp_path, bitmaps, flags):
    with pytest.raises(QuickdrawError, match=r"--(label|image)_key is for TFRecords.*numpy bitm"):
        opened(tmp_path, tmp_path, **flags)


def test_another_column_with_the_word(tmp_path):
    (tmp_path / "train.csv").write_text(TABLE.replace("word", "word,Class").replace("cat", "x,cat"))
    (file,) = opened(tmp_path, tmp_path, label_key="Class").files
    assert [file.parse(*record).word for record in file.scan(0, file.size)] == ["cat"]
    assert file.unused == ["word"]
    with pytest.raises(QuickdrawError, match=r"no column 'clas'. Did you mean 'Class'"):
        opened(tmp_path, tmp_path, label_key="clas")


def test_names_in_a_file(tmp_path):
    (tmp_path / "names.txt").write_bytes("\ufeff# mine\r\nhot dog\r\n\r\ncat".encode())
    assert read_names([str(tmp_path / "names.txt")]) == ["hot dog", "cat"]
    assert read_names(["cat", " dog "]) == ["cat", "dog"]
