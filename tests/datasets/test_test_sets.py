"""Records of a test set are sacred: each comes out with its id, in order, in no other split."""

import csv
import gzip
import io
import json
import struct

import numpy as np
import pytest
from picturing import doodle
from PIL import Image

from quickdraw.datasets.doodles.draw import draw
from quickdraw.datasets.prepare import prepare
from quickdraw.datasets.recipe import Recipe
from quickdraw.errors import QuickdrawError
from quickdraw.evaluation.scoring import score
from quickdraw.readers import QuickDrawTestFeatureReader, StrokeTestReader
from quickdraw.records import example, tfrecord


def drawings(count, seed=0):
    rng = np.random.default_rng(seed)
    return [json.dumps(draw("cake", rng)) for _ in range(count)]


def table(path, header, rows):
    path.parent.mkdir(exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def made(tmp_path, name="out", source="in", **settings):
    recipe = Recipe(**settings)
    return prepare(str(tmp_path / source), str(tmp_path / name), recipe, processes=1)


def records(folder, split="test"):
    for path in sorted(folder.glob(f"{split}-*")):
        with open(path, "rb") as file:
            for data in tfrecord.read(file, str(path)):
                yield example.Example.FromString(data).features.feature


def ids(folder):
    return [each["image_id"].bytes_list.value[0].decode() for each in records(folder)]


IDS = [str(5_000_000_000_000_007 + 13 * n) for n in range(14)]
FLAWED = [
    *drawings(8),
    drawings(1)[0],  # a copy
    "[[[5],[7]]]",  # a dot
    "[]",
    "[[[1, 2, 3], [1, 2]]]",
    "[[[1, 2], [1,",
    "[[[-5, 900], [0, 1]]]",
]


@pytest.fixture
def kaggle(tmp_path):
    """Kaggle's test set, of 14 drawings, six of which nothing can be trained on."""
    table(tmp_path / "in/test.csv", ("key_id", "drawing"), zip(IDS, FLAWED, strict=True))
    return tmp_path


def labelled(path, words=("cat", "dog"), count=40, seed=1, start=9000):
    """A training set with key_ids."""
    rows = [
        (words[number % len(words)], each, start + number)
        for number, each in enumerate(drawings(count, seed))
    ]
    table(path, ("word", "drawing", "key_id"), rows)


@pytest.mark.parametrize(
    "settings", [{}, {"shard_megabytes": 0.001}, {"keep_strokes": True}], ids=str
)
def test_every_record_comes_out_in_order(kaggle, settings, capsys):
    info = made(kaggle, **settings)
    assert ids(kaggle / "out") == IDS
    assert info.splits["test"]["records"] == len(IDS)
    assert info.skipped == {}
    assert sum(info.adjusted.values()) == 5
    pattern = str(kaggle / "out/test-*")
    reader = StrokeTestReader() if settings.get("keep_strokes") else QuickDrawTestFeatureReader()
    images = np.concatenate(
        [
            batch["image"] if isinstance(batch, dict) else batch
            for batch, _ in reader.batches(pattern, 4)
        ]
    )
    assert images[8].tolist() == images[0].tolist()
    assert images[9, 13:15, 13:15].min() > 80  # a dot is drawn as one
    assert not images[10:].any()


def test_in_three_channels_too(kaggle):
    made(kaggle, channels=3)
    assert ids(kaggle / "out") == IDS


def test_recognition_does_not_matter(tmp_path):
    rows = zip(IDS, drawings(14), ["False"] * 14, strict=True)
    table(tmp_path / "in/test.csv", ("key_id", "drawing", "recognized"), rows)
    made(tmp_path, recognized_only=True)
    assert ids(tmp_path / "out") == IDS


def test_a_row_that_is_none_is_refused(kaggle):
    with open(kaggle / "in/test.csv", "a", encoding="utf-8") as file:
        file.write(",,\r\n,\n1,2,3\n")
    with pytest.raises(QuickdrawError, match=r"test.csv, line 18: a test record cannot be read"):
        made(kaggle)
    assert not (kaggle / "out").exists()


def test_beside_a_training_set_they_are_the_whole_test_set(kaggle, capsys):
    labelled(kaggle / "in/train.csv")
    info = made(kaggle)
    assert ids(kaggle / "out") == IDS
    assert info.splits["train"]["records"] + info.splits["valid"]["records"] == 40
    assert info.splits["valid"]["records"]
    assert not (kaggle / "out/solution.csv").exists()
    assert "the 14 drawings without a label are the test set" in capsys.readouterr().err


def test_a_drawing_of_the_test_set_is_not_trained_on(kaggle):
    rows = [("cat", each, "") for each in drawings(8)]  # the same drawings
    rows += [("dog", each, key) for each, key in zip(drawings(8, 5), IDS, strict=False)]
    rows += [("dog", each, "") for each in drawings(6, 6)]
    table(kaggle / "in/train.csv", ("word", "drawing", "key_id"), rows)
    info = made(kaggle)
    assert info.skipped == {"duplicate": 8, "key_id of another drawing": 8}
    assert info.splits["train"]["records"] + info.splits["valid"]["records"] == 6
    assert ids(kaggle / "out") == IDS


def test_one_key_id_is_in_one_split(tmp_path):
    for name, seed in (("a", 1), ("b", 2)):  # the same ids with other drawings, as raw files have
        labelled(tmp_path / f"in/{name}.csv", seed=seed)
    info = made(tmp_path)
    assert info.skipped == {"key_id of another drawing": 40}
    assert sum(content["records"] for content in info.splits.values()) == 40
    assert made(tmp_path, "alone", "in/a.csv").fingerprint == info.fingerprint


def test_a_key_id_that_is_none_is_told(tmp_path):
    rows = [("cat", each, 1) for each in drawings(10)]
    table(tmp_path / "in/train.csv", ("word", "drawing", "key_id"), rows)
    with pytest.raises(
        QuickdrawError, match="9 of 10 drawings have that of another one: leave out"
    ):
        made(tmp_path)


def test_an_id_that_is_there_twice_is_refused(kaggle):
    table(kaggle / "in/test_raw.csv", ("key_id", "drawing"), [(IDS[3], drawings(1, 7)[0])])
    with pytest.raises(
        QuickdrawError, match=r"test.csv, line 5 and .*test_raw.csv, line 2 have one"
    ):
        made(kaggle)


def test_a_record_without_its_id_is_refused(tmp_path):
    rows = zip([*IDS[:4], "", *IDS[4:]], drawings(15), strict=True)
    table(tmp_path / "in/test.csv", ("key_id", "drawing"), rows)
    with pytest.raises(QuickdrawError, match=r"test.csv, line 6: a test record without a key_id"):
        made(tmp_path)


@pytest.mark.parametrize("line", ['"key_id": 5.83e+15', '"key_id": "5.83E+15"'])
@pytest.mark.parametrize("word", ['"word": "cat", ', ""])
def test_an_id_that_has_lost_digits_is_refused(tmp_path, line, word):
    (tmp_path / "in.ndjson").write_text(f'{{{word}{line}, "drawing": {drawings(1)[0]}}}\n')
    with pytest.raises(QuickdrawError, match=r"line 1: the key_id 5.83[eE]\+15 has lost its last"):
        made(tmp_path, source="in.ndjson")


def test_ids_that_were_rounded_to_fifteen_digits_are_refused(tmp_path):
    rounded = [f"{key[:15]}0" for key in IDS]
    table(tmp_path / "in/test.csv", ("key_id", "drawing"), zip(rounded, drawings(14), strict=True))
    with pytest.raises(QuickdrawError, match="the key_ids of all 14 test records end in 0"):
        made(tmp_path)


def test_ids_that_pandas_wrote_are_repaired(tmp_path):
    floats = [f"{key}.0" for key in IDS]
    table(tmp_path / "in/test.csv", ("key_id", "drawing"), zip(floats, drawings(14), strict=True))
    lines = [f'{{"key_id": {key}.0, "drawing": {d}}}' for key, d in zip(IDS, FLAWED, strict=True)]
    (tmp_path / "test.ndjson").write_text("\n".join(lines[:8]))
    made(tmp_path)
    assert ids(tmp_path / "out") == IDS
    made(tmp_path, "lines", "test.ndjson")
    assert ids(tmp_path / "lines") == IDS[:8]


def idx(folder, name, images, labels):
    folder.mkdir(exist_ok=True)
    for kind, array in (("images-idx3", images), ("labels-idx1", np.asarray(labels, np.uint8))):
        head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        (folder / f"{name}-{kind}-ubyte").write_bytes(head + array.tobytes())


def test_a_test_set_beside_its_packed_form_is_there_once(tmp_path, capsys):
    """As torchvision leaves MNIST: each file packed, and unpacked beside."""
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8), np.uint8)
    idx(tmp_path / "in", "train", images[:20], np.arange(20) % 3)
    idx(tmp_path / "in", "t10k", images[20:], np.arange(10) % 3)
    for path in list((tmp_path / "in").iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    info = made(tmp_path, image_size=8)
    assert info.splits["test"]["records"] == 10
    assert info.unread == {"*.gz": 4}
    assert "test records show" not in capsys.readouterr().err


def test_a_test_set_that_is_there_twice_is_told(tmp_path, capsys):
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8), np.uint8)
    for name in ("t10k", "t10k (1)"):
        idx(tmp_path / "in", name, images, np.arange(9) % 3)
    assert made(tmp_path, image_size=8).splits["test"]["records"] == 18
    assert "warning: 9 test records show what another one shows" in capsys.readouterr().err


def test_copies_in_a_labelled_test_set_stay_and_are_told_apart(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8), np.uint8)
    images[7] = 0
    test = images[[0, 1, 1, 7, 7, 1]]
    idx(tmp_path / "in", "train", images, np.arange(30) % 3)
    idx(tmp_path / "in", "t10k", test, [0, 1, 2, 0, 0, 1])
    info = made(tmp_path, image_size=8)
    assert info.splits["test"]["records"] == 6
    assert info.skipped == {"blank": 1, "duplicate": 2}
    assert info.adjusted == {"kept, as a test record (blank)": 2}
    assert len(set(ids(tmp_path / "out"))) == 6
    lines = (tmp_path / "out/solution.csv").read_text().splitlines()[1:]
    answers = [line.split(",") for line in lines]
    assert [each for each, _ in answers] == ids(tmp_path / "out")
    found: dict[bytes, list[str]] = {}
    for (_, label), record in zip(answers, records(tmp_path / "out"), strict=True):
        pixels = Image.open(io.BytesIO(record["image"].bytes_list.value[0])).tobytes()
        found.setdefault(pixels, []).append(label)
    assert found == {
        images[0].tobytes(): ["0"],
        images[1].tobytes(): ["1", "1", "2"],
        images[7].tobytes(): ["0", "0"],
    }
    predictions = tmp_path / "predictions.csv"
    table(predictions, ("image_id", "label"), answers)
    assert "1.0000 (6 drawings)" in str(score(str(predictions), str(tmp_path / "out/solution.csv")))


def test_a_test_set_with_labels_beside_one_without_is_refused(tmp_path):
    labelled(tmp_path / "in/train.csv")
    labelled(tmp_path / "in/test_a.csv", seed=4, count=5, start=100)
    table(tmp_path / "in/test_b.csv", ("key_id", "drawing"), zip(IDS, drawings(14), strict=True))
    with pytest.raises(
        QuickdrawError, match=r"test_a.csv, .* with a label, and .*test_b.csv, line"
    ):
        made(tmp_path)


def test_each_class_of_each_split_has_its_share(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    idx(tmp_path / "in", "train", images[:40], np.arange(40) % 2)
    idx(tmp_path / "in", "t10k", images[40:], np.arange(20) % 2)
    info = made(tmp_path, image_size=8, per_category=6)
    assert info.splits["test"]["per_class"] == {"0": 6, "1": 6}
    assert info.splits["train"]["records"] + info.splits["valid"]["records"] == 12


def test_blank_drawings_are_not_trained_on_and_counted(tmp_path, capsys):
    images = np.random.default_rng(0).integers(0, 256, (20, 784), np.uint8)
    images[3], images[4] = 0, 255
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in/cat.npy", images)
    np.save(tmp_path / "in/dog.npy", np.zeros((5, 784), np.uint8))
    np.save(tmp_path / "in/lion.npy", images[5:9])
    info = made(tmp_path)
    assert info.skipped == {"blank": 7, "duplicate of a drawing of another class": 4}
    assert sum(content["records"] for content in info.splits.values()) == 18
    assert info.labels == ["cat", "lion"]
    assert "warning: no drawing is left of 'lion': see what was skipped" in capsys.readouterr().err


def test_a_class_without_a_drawing_to_train_on_is_said(tmp_path, capsys):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    idx(tmp_path / "in", "train", images[:40], np.arange(40) % 2)
    idx(tmp_path / "in", "t10k", images[40:], np.arange(20) % 3)
    made(tmp_path, image_size=8)
    assert "warning: there is no drawing to train on of '2'" in capsys.readouterr().err


def test_one_class_alone_is_said(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in/images.npy", np.random.default_rng(0).integers(0, 256, (9, 784), "u1"))
    made(tmp_path)
    assert "all drawings are of one class, 'images': there is nothing" in capsys.readouterr().err


def test_a_class_without_a_usable_drawing_is_named(tmp_path, capsys):
    source = tmp_path / "in"
    for ink, name in enumerate(("cat", "dog", "eel")):
        (source / name).mkdir(parents=True)
        doodle(ink=9 * ink).save(source / name / "0.png")
    (source / "dog" / "0.png").write_text("<html>404</html>")
    prepare(str(source), str(tmp_path / "out"))
    assert "no drawing is left of 'dog', which is no class then" in capsys.readouterr().err


def test_a_file_without_a_usable_drawing_is_named(tmp_path, capsys):
    source = tmp_path / "in"
    source.mkdir()
    (source / "cat.ndjson").write_text("<html>404</html>\n")
    for name, x in (("dog", 9), ("eel", 5)):
        line = {"word": name, "drawing": [[[0, x, 255], [0, 255, x]]]}
        (source / f"{name}.ndjson").write_text(json.dumps(line))
    prepare(str(source), str(tmp_path / "out"))
    assert f"{source}/cat.ndjson: no drawing in it can be used" in capsys.readouterr().err
