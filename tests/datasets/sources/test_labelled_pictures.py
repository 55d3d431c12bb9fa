"""Pictures whose classes stand in csv files, as Kaggle ships them."""

import pytest
from picturing import doodle, saved
from reading import parsed

from quickdraw.datasets.sources import open_source
from quickdraw.errors import QuickdrawError


def pictures(folder, *names):
    folder.mkdir(exist_ok=True, parents=True)
    for name in names:
        (folder / name).write_bytes(saved(doodle()))
    return folder


def found(path, **flags):
    """Of each picture that is read its split, class and id."""
    source = open_source(str(path), "", **flags)
    return {
        file.place(at).removeprefix(f"{path}/"): (file.split, drawing.word, drawing.key_id)
        for file in source.files
        for at, drawing in enumerate(parsed(file))
    }, source


@pytest.mark.parametrize(
    "text",
    [
        "filename,label\na.png,cat\nb.png,dog\n",
        "id,class\na,cat\nb,dog\n",
        "image;category\r\na.png;cat\r\nb.png;dog\r\n",
        "\ufeffId,Label\na.png,cat\nb.png, dog \n",
        "path,word\n./images/a.png,cat\nimages\\b.png,dog\n",
        "breed,id\ncat,a\ndog,b\n",
        "a.png,cat\nb.png,dog\n",
        "filename, cat, dog\na.png, 1, 0\nb.png, 0, 1\n",
        ',file,label\n0,a.png,cat\n1,"b.png","dog"\n,,\n',
    ],
)
@pytest.mark.parametrize("folder", ["", "images", "data/images"])
def test_the_table_tells_the_classes(tmp_path, text, folder):
    if folder or "images" not in text:
        pictures(tmp_path / folder, "a.png", "b.png")
        (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
        classes, source = found(tmp_path)
        assert [word for _, word, _ in classes.values()] == ["cat", "dog"]
        assert source.unread == {}
        assert str(tmp_path / "labels.csv") in source.inputs


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("_classes.csv", "filename, cat, dog\n{0}.jpg,1,0\n{1}.jpg,0,1\n"),
        ("metadata.jsonl", '{{"file_name": "{0}.jpg", "text": "cat"}}\n'
         '{{"text": "dog", "file_name": "{1}.jpg"}}\n'),
    ],
)  # fmt: skip
def test_a_table_in_each_split(tmp_path, name, text):
    for split, *pair in (("train", "a", "b"), ("valid", "c", "d")):
        pictures(tmp_path / split, *(f"{each}.jpg" for each in pair))
        (tmp_path / split / name).write_text(text.format(*pair))
    classes, source = found(tmp_path)
    assert classes == {
        f"{split}/{name}.jpg": (split, word, "")
        for split, name, word in (
            *(("train", "a", "cat"), ("train", "b", "dog")),
            *(("valid", "c", "cat"), ("valid", "d", "dog")),
        )
    }
    assert source.unread == {}


def test_metadata_at_the_top(tmp_path):
    pictures(tmp_path, "a.png", "b.png")
    (tmp_path / "metadata.jsonl").write_text(
        '{"file_name": "a.png", "label": 0}\n{"file_name": "b.png", "label": 1, "objects": {}}\n'
    )
    classes, source = found(tmp_path)
    assert [word for _, word, _ in classes.values()] == ["0", "1"]
    assert source.unread == {"column 'objects' of metadata.jsonl": 1}


def test_metadata_that_is_broken(tmp_path):
    pictures(tmp_path, "a.png")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png"\n')
    with pytest.raises(QuickdrawError, match=r"metadata.jsonl: one JSON object a line expected"):
        found(tmp_path)


def test_several_classes_a_picture_are_refused(tmp_path):
    pictures(tmp_path, "a.png", "b.png")
    (tmp_path / "_classes.csv").write_text("filename,cat,dog\na.png,1,1\nb.png,0,1\n")
    with pytest.raises(QuickdrawError, match="which column has the classes: 'cat' or 'dog'"):
        found(tmp_path)


def test_the_table_wins_over_the_folders(tmp_path):
    pictures(tmp_path / "dog", "a.png", "b.png")
    pictures(tmp_path / "cat", "c.png")
    (tmp_path / "train.csv").write_text("image,class\na.png,cat\nb.png,dog\nc.png,3.0\n")
    assert {path: word for path, (_, word, _) in found(tmp_path)[0].items()} == {
        "dog/a.png": "cat",
        "dog/b.png": "dog",
        "cat/c.png": "3",
    }


def test_what_has_no_row_or_no_picture_is_named(tmp_path, capsys):
    pictures(tmp_path / "images", "a.png", "b.png", "c.png")
    (tmp_path / "labels.csv").write_text("id,label\na,cat\nb,\nx,cat\ny,cat\n")
    classes, source = found(tmp_path)
    assert [*classes] == ["images/a.png"]
    assert source.unread == {
        "images/*.png": 2,
        "rows of labels.csv without a picture, such as 'x'": 2,
        "rows of labels.csv without a class, such as 'b'": 1,
    }
    assert "such as 'x' (2 rows)" in capsys.readouterr().err


def test_a_test_set_stays_one_and_the_sample_submission_is_no_label(tmp_path):
    pictures(tmp_path / "train", "0.png", "1.png")
    pictures(tmp_path / "test", "0.png", "1.png")
    (tmp_path / "train.csv").write_text("id,label\n0,cat\n1,dog\n")
    (tmp_path / "sample_submission.csv").write_text("id,label\n0,cat\n1,cat\n")
    classes, source = found(tmp_path)
    assert classes == {
        "train/0.png": ("train", "cat", ""),
        "train/1.png": ("train", "dog", ""),
        "test/0.png": ("test", None, "0"),
        "test/1.png": ("test", None, "1"),
    }
    assert source.unread == {"sample_submission.csv": 1}


def test_one_folder_and_a_table_of_each_split(tmp_path):
    pictures(tmp_path / "images", "a.png", "b.png", "c.png")
    (tmp_path / "train.csv").write_text("id,label\na,cat\n")
    (tmp_path / "valid.csv").write_text("id,label\nb,dog\n")
    (tmp_path / "test.csv").write_text("id\nc\n")
    assert {*found(tmp_path)[0].values()} == {
        ("train", "cat", ""),
        ("valid", "dog", ""),
        ("test", None, "c"),
    }


def test_a_table_in_the_folder_of_a_split(tmp_path):
    for split, word in (("train", "cat"), ("test", "dog")):
        pictures(tmp_path / split, "a.png")
        (tmp_path / split / "metadata.csv").write_text(f"file_name,label\na.png,{word}\n")
    assert {*found(tmp_path)[0].values()} == {("train", "cat", ""), ("test", "dog", "")}


def test_the_column_is_chosen(tmp_path):
    pictures(tmp_path / "images", "a.png", "b.png")
    (tmp_path / "labels.csv").write_text("id,label,label_name\na,0,cat\nb,1,dog\n")
    with pytest.raises(QuickdrawError, match=r"--label_key tells .*: 'label' or 'label_name'"):
        found(tmp_path)
    classes, _ = found(tmp_path, label_key="label_name")
    assert [word for _, word, _ in classes.values()] == ["cat", "dog"]
    with pytest.raises(QuickdrawError, match="no column 'labels'"):
        found(tmp_path, label_key="labels")
    with pytest.raises(QuickdrawError, match="--image_key is for TFRecords"):
        found(tmp_path, label_key="label", image_key="picture")


def test_tables_about_something_else_are_not_read(tmp_path):
    for name in ("cat", "dog"):
        pictures(tmp_path / name, "0.png", "1.png", f"{name}.png")
    (tmp_path / "counts.csv").write_text("class,count\ncat,1\ndog,0\n")
    (tmp_path / "sizes.csv").write_text("file,width\ncat.png,28\ndog.png,28\n")
    (tmp_path / "ragged.csv").write_text("a,b\n1\n2,3,4\n")
    classes, source = found(tmp_path)
    assert {word for _, word, _ in classes.values()} == {"cat", "dog"}
    assert source.unread == {"*.csv": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,label\na,cat\na,dog\n", "one class a picture expected. Received: a: 'cat' and 'dog'"),
        ("id,label\nb,cat\n", r"'b' is images/b.jpg and images/b.png: name them with"),
        ("id,cat,dog\na,1,1\n", "--label_key tells which column has the classes: 'cat' or 'dog'"),
        ("id,label\na,cat,1\n", "labels.csv, row 2: 2 columns expected. Received: 3"),
    ],
)
def test_what_cannot_be_told_is_refused(tmp_path, text, message):
    pictures(tmp_path / "images", "a.png", "b.png", "b.jpg")
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(QuickdrawError, match=message):
        found(tmp_path)


def test_two_tables_must_agree(tmp_path):
    pictures(tmp_path / "images", "a.png")
    (tmp_path / "labels.csv").write_text("id,label\na,cat\n")
    (tmp_path / "more.csv").write_text("id,label\na,dog\n")
    with pytest.raises(QuickdrawError, match=r"labels.csv and .*more.csv: one class a picture"):
        found(tmp_path)


@pytest.mark.parametrize("called", ["7", "07", "7.png", "7.PNG", "images/7.png", "0007.png"])
def test_names_as_table_programs_leave_them(tmp_path, called):
    pictures(tmp_path / "images", "0007.png", "0010.PNG")
    (tmp_path / "train.csv").write_text(f"id,label\n{called},cat\n10,dog\n")
    assert {place: word for place, (_, word, _) in found(tmp_path)[0].items()} == {
        "images/0007.png": "cat",
        "images/0010.PNG": "dog",
    }


def test_a_name_that_may_be_of_two_pictures_is_refused(tmp_path):
    pictures(tmp_path / "images", "007.png", "0007.png")
    (tmp_path / "train.csv").write_text("id,label\n7,cat\n0007,dog\n")
    with pytest.raises(QuickdrawError, match="'7' is images/.* and images/.*: name them"):
        found(tmp_path)
    (tmp_path / "train.csv").write_text("id,label\n007,cat\n0007,dog\n")
    assert {word for _, word, _ in found(tmp_path)[0].values()} == {"cat", "dog"}


def test_a_column_may_tell_the_splits_and_others_are_named(tmp_path):
    pictures(tmp_path / "images", "a.png", "b.png", "c.png")
    text = "filename,label,Split,note\na.png,cat,train,x\nb.png,dog,val,\nc.png,dog,test,\n"
    text = text.replace(",", "\t")
    (tmp_path / "labels.tsv").write_text(text)
    classes, source = found(tmp_path)
    assert {name[7]: split for name, (split, _, _) in classes.items()} == {
        "a": "train",
        "b": "valid",
        "c": "test",
    }
    assert source.unread == {"column 'note' of labels.tsv": 1}
