"""From files of strokes to shards: what is taken, what is skipped, what is in a record."""

import csv
import gzip
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quickdraw import readers
from quickdraw.datasets import prepare, splits
from quickdraw.datasets.doodles.draw import draw
from quickdraw.datasets.recipe import Recipe
from quickdraw.drawings.drawing import from_fields
from quickdraw.drawings.rasterise import rasterise
from quickdraw.errors import QuickdrawError
from quickdraw.records import dataset_info, tfrecord
from quickdraw.records.example import Example
from quickdraw.records.ink import ink_of

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def drawings(category, count, seed=0):
    rng = np.random.default_rng((seed, len(category)))
    return [draw(category, rng) for _ in range(count)]


def write_lines(path, word, strokes, **fields):
    path.parent.mkdir(exist_ok=True)
    objects = (
        {"word": word, "key_id": f"{word}{i}", "countrycode": "KR", **fields, "drawing": drawing}
        for i, drawing in enumerate(strokes)
    )
    path.write_text("".join(f"{json.dumps(each)}\n" for each in objects))


@pytest.fixture
def source(tmp_path):
    for word, category in (("cake", "cake"), ("hot dog", "lion")):
        write_lines(tmp_path / "source" / f"{word}.ndjson", word, drawings(category, 40))
    return tmp_path / "source"


def made(source, folder, processes=1, format=None, **settings):
    recipe = Recipe(**settings)
    return prepare.prepare(str(source), str(folder), recipe, processes=processes, format=format)


def examples(folder, info, split):
    for name in info.splits[split]["shards"]:
        with open(Path(folder) / name, "rb") as file:
            for data in tfrecord.read(file, name):
                assert isinstance(data, bytes)
                yield Example.FromString(data).features.feature


def value(example, name):
    feature = example[name]
    (values,) = [value.value for _, value in feature.ListFields()]
    return values[0]


def pixels(example):
    return np.asarray(Image.open(io.BytesIO(value(example, "image"))))


def totals(info):
    return {
        label: sum(content["per_class"][label] for content in info.splits.values())
        for label in info.labels
    }


def test_records_are_the_drawings_as_the_rasteriser_draws_them(source, tmp_path):
    info = made(source, tmp_path / "made", image_size=32)
    assert info.labels == ["cake", "hot dog"]
    expected = {rasterise(d, 32).tobytes(): 0 for d in drawings("cake", 40)}
    expected |= {rasterise(d, 32).tobytes(): 1 for d in drawings("lion", 40)}
    for split in ("train", "valid"):
        for example in examples(tmp_path / "made", info, split):
            label = expected.pop(pixels(example).tobytes())
            assert label == value(example, "label")
            assert value(example, "key_id").decode()[0] == "ch"[label]
            assert value(example, "countrycode") == b"KR"
    for example in examples(tmp_path / "made", info, "test"):
        expected.pop(pixels(example).tobytes())
        assert set(example) == {"image", "image_id", "countrycode"}  # key_id gives the word away
    assert not expected


def test_the_readers_read_them(source, tmp_path):
    made(source, tmp_path / "made", keep_strokes=True)
    reader = readers.QuickDrawFeatureReader()
    images, labels = next(reader.batches(f"{tmp_path / 'made'}/train-*", 10))
    assert images.shape == (10, 28, 28, 1)
    assert set(labels) <= {0, 1}


def test_the_strokes_are_kept(source, tmp_path):
    info = made(source, tmp_path / "made", keep_strokes=True)
    inks = {ink_of(d).tobytes() for word in ("cake", "lion") for d in drawings(word, 40)}
    for split in info.splits:
        for example in examples(tmp_path / "made", info, split):
            ink = np.array(example["ink"].float_list.value, np.float32)
            assert list(example["shape"].int64_list.value) == [len(ink) // 3, 3]
            inks.remove(ink.tobytes())
    assert not inks


def test_metadata_is_kept_if_asked_for(source, tmp_path):
    write_lines(source / "pig.ndjson", "pig", drawings("pig", 30), recognized=False)
    kept = made(source, tmp_path / "kept", keep_metadata=True)
    plain = made(source, tmp_path / "plain")
    for split in ("train", "valid"):
        for example, other in zip(
            examples(tmp_path / "kept", kept, split),
            examples(tmp_path / "plain", plain, split),
            strict=True,
        ):
            is_pig = kept.labels[value(example, "label")] == "pig"
            assert set(example) - set(other) == ({"recognized"} if is_pig else set())
            assert not is_pig or value(example, "recognized") == 0
            assert all(example[name] == other[name] for name in other)


def test_what_is_not_known_is_not_kept():
    timed = [[[0, 9, 255], [0, 90, 10], [7, 40, 93]], [[3, 9], [8, 8], [200, 207]]]
    drawing = from_fields({"drawing": timed, "recognized": False}, "pig", raw=False)
    recipe = Recipe(keep_strokes=True, keep_metadata=True)
    features = Example.FromString(recipe.record(drawing, 0, "")).features.feature
    assert features["recognized"].int64_list.value == [0]
    assert features["times"].int64_list.value == [0, 33, 86, 193, 200]
    # The same drawing without that is the same record.
    bare = from_fields({"drawing": [stroke[:2] for stroke in timed]}, "pig", raw=False)
    assert recipe.record(bare, 0, "") == Recipe(keep_strokes=True).record(drawing, 0, "")
    assert (
        "recognized" not in Example.FromString(recipe.record(drawing, None, "7")).features.feature
    )


def test_three_channels(source, tmp_path):
    info = made(source, tmp_path / "made", channels=3)
    assert info.channels == 3
    images, _ = next(readers.QuickDrawFeatureReader().batches(f"{tmp_path / 'made'}/train-*", 4))
    assert images.shape == (4, 28, 28, 3)
    assert (images[..., 0] != images[..., 2]).any()


def test_gzip(source, tmp_path):
    plain, packed = made(source, tmp_path / "plain"), made(source, tmp_path / "packed", gzip=True)
    for split in splits.SPLITS:
        one = [pixels(e).tobytes() for e in examples(tmp_path / "plain", plain, split)]
        assert one == [pixels(e).tobytes() for e in examples(tmp_path / "packed", packed, split)]
        assert all(name.endswith(".tfrecords.gz") for name in packed.splits[split]["shards"])


def test_tensorflow_reads_gzipped_shards(source, tmp_path, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr("quickdraw.datasets.writing.packing.AT_ONCE", 7)  # many gzip members
    info = made(source, tmp_path / "made", gzip=True)
    files = [str(tmp_path / "made" / name) for name in info.splits["train"]["shards"]]
    read = list(tf.data.TFRecordDataset(files, compression_type="GZIP"))
    assert len(read) == info.splits["train"]["records"] > 14


def test_processes_make_the_same_bytes(source, tmp_path):
    for processes in (1, 2):
        made(source, tmp_path / str(processes), processes)
    one, two = (
        {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (tmp_path / n).iterdir()}
        for n in "12"
    )
    assert one == two


def test_an_index_in_parts_makes_the_same_bytes(source, tmp_path, monkeypatch):
    made(source, tmp_path / "one", balance=True)
    monkeypatch.setattr("quickdraw.datasets.writing.index._BYTES_A_PART", 1000)
    monkeypatch.setattr("quickdraw.datasets.writing.scanning._PACKED", 7)
    monkeypatch.setattr("quickdraw.datasets.writing.writer._PIECE", 2000)
    made(source, tmp_path / "many", balance=True)
    one, many = (
        {p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("one", "many")
    )
    assert one == many


def test_formats_of_the_same_drawings_make_the_same_images(source, tmp_path):
    with open(tmp_path / "train.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\r\n")
        rows.writerow(["word", "drawing"])
        for word, category in (("hot dog", "lion"), ("cake", "cake")):
            rows.writerows([word, json.dumps(drawing)] for drawing in drawings(category, 40))
    lines, table = made(source, tmp_path / "a"), made(tmp_path / "train.csv", tmp_path / "b")
    assert lines.labels == table.labels
    for split in splits.SPLITS:
        one = [pixels(e).tobytes() for e in examples(tmp_path / "a", lines, split)]
        assert one == [pixels(e).tobytes() for e in examples(tmp_path / "b", table, split)]


def test_copies_are_written_once_whatever_their_order(source, tmp_path):
    copies = [d[::-1] for d in drawings("cake", 5)] + drawings("cake", 3)
    write_lines(source / "pie.ndjson", "pie", [*copies, *drawings("pig", 10)])
    info = made(source, tmp_path / "made")
    assert info.skipped == {"duplicate of a drawing of another class": 8}
    assert totals(info) == {"cake": 40, "hot dog": 40, "pie": 10}


def test_bad_drawings_are_counted_and_named(source, tmp_path, capsys):
    with open(source / "cake.ndjson", "a") as file:
        file.write('{"word": "cake", "drawing": [[[1], [1]]]}\nnonsense\nnonsense\n')
        file.write('{"word": "../cake", "drawing": [[[1, 2], [1, 2]]]}\n')
    info = made(source, tmp_path / "made")
    assert info.skipped == {
        "one point only": 1,
        "broken JSON": 2,
        "an unusable name of a category": 1,
    }
    assert totals(info) == {"cake": 40, "hot dog": 40}
    error = capsys.readouterr().err
    assert "cake.ndjson, line 41: one point only" in error
    assert "cake.ndjson, line 42: broken JSON" in error
    assert dataset_info.load(str(tmp_path / "made")).skipped == info.skipped
    assert {path.name for path in tmp_path.iterdir()} == {"source", "made"}


def test_nothing_usable(tmp_path, capsys):
    (tmp_path / "cat.ndjson").write_text("nonsense\n")
    with pytest.raises(QuickdrawError, match=r"no usable drawing, 1 skipped \(broken JSON\)"):
        made(tmp_path / "cat.ndjson", tmp_path / "made")


def test_categories_that_differ_in_case(source, tmp_path):
    write_lines(source / "Cake.ndjson", "Cake", drawings("pig", 5))
    if len(list(source.iterdir())) < 3:
        pytest.skip("this disk does not tell upper case from lower case")
    with pytest.raises(QuickdrawError, match="'Cake' and 'cake' are too alike"):
        made(source, tmp_path / "made")


def test_recognized_only(source, tmp_path, capsys):
    write_lines(source / "pig.ndjson", "pig", drawings("pig", 6), recognized=False)
    info = made(source, tmp_path / "made", recognized_only=True)
    assert info.labels == ["cake", "hot dog"]
    assert info.skipped == {"not recognized": 6}
    assert "for instance" not in capsys.readouterr().err


def test_balance(source, tmp_path):
    write_lines(source / "pig.ndjson", "pig", drawings("pig", 17))
    info = made(source, tmp_path / "made", balance=True)
    assert totals(info) == {"cake": 17, "hot dog": 17, "pig": 17}
    assert info.skipped == {"left out for balance": 46}
    write_lines(source / "pig.ndjson", "pig", drawings("cake", 1))  # copies of a cake
    with pytest.raises(QuickdrawError, match=r"no drawing is left, .* 80 skipped \(left out for"):
        made(source, tmp_path / "none", balance=True)


@pytest.mark.parametrize("processes", [1, 2])
def test_per_category_takes_the_first(source, tmp_path, processes):
    (source / "cake.ndjson").rename(source / "all.ndjson")
    with open(source / "all.ndjson", "a") as file:
        file.write((source / "hot dog.ndjson").read_text())
    (source / "hot dog.ndjson").unlink()
    info = made(source, tmp_path / "made", processes, per_category=7)
    assert totals(info) == {"cake": 7, "hot dog": 7}
    first = {rasterise(d).tobytes() for word in ("cake", "lion") for d in drawings(word, 7)}
    for split in splits.SPLITS:
        for example in examples(tmp_path / "made", info, split):
            first.remove(pixels(example).tobytes())


def test_a_fraction_is_part_of_a_larger_one(source, tmp_path):
    ids = []
    for fraction in (0.2, 0.5, 1.0):
        folder = tmp_path / str(fraction)
        info = made(source, folder, fraction=fraction)
        ids.append({pixels(e).tobytes() for s in splits.SPLITS for e in examples(folder, info, s)})
    small, half, whole = ids
    assert small < half < whole
    assert 5 <= len(small) <= 30 and len(whole) == 80


def test_no_drawing_moves_when_others_come(source, tmp_path):
    few = made(source, tmp_path / "few")
    write_lines(source / "pig.ndjson", "pig", drawings("pig", 30))
    many = made(source, tmp_path / "many")
    for split in splits.SPLITS:
        old = [pixels(e).tobytes() for e in examples(tmp_path / "few", few, split)]
        new = [pixels(e).tobytes() for e in examples(tmp_path / "many", many, split)]
        assert old == [image for image in new if image in old]


def test_a_test_table_of_kaggle(tmp_path, capsys):
    rows = [f'{1000 + i},KR,"{json.dumps(d)}"' for i, d in enumerate(drawings("cake", 9))]
    (tmp_path / "test.csv").write_text("\n".join(["key_id,countrycode,drawing", *rows]))
    flags = [f"--source={tmp_path / 'test.csv'}", f"--output_dir={tmp_path / 'made'}"]
    assert prepare.main(["prepare.py", *flags]) == 0
    assert "python -m quickdraw.inference --input_data_pattern=" in capsys.readouterr().out
    info = dataset_info.load(str(tmp_path / "made"))
    assert (info.labels, info.splits["test"]["records"]) == ([], 9)
    assert not (tmp_path / "made/solution.csv").exists()
    reader = readers.QuickDrawTestFeatureReader()
    ((_, ids),) = reader.batches(f"{tmp_path / 'made'}/test-*", 20)
    assert sorted(ids) == [str(1000 + i).encode() for i in range(9)]
    assert prepare.main(["prepare.py", *flags]) == 0


def test_records_of_this_package_are_a_source_too(source, tmp_path):
    first = made(source, tmp_path / "first", keep_strokes=True)
    again = made(tmp_path / "first", tmp_path / "again")
    assert again.labels == first.labels
    assert sum(c["records"] for c in again.splits.values()) == 80
    assert again.splits["test"]["records"] >= first.splits["test"]["records"]


def test_idx_keeps_its_test_set(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    for name, part in (("train", images[:40]), ("t10k", images[30:])):
        head = b"\0\0\x08\3" + b"".join(n.to_bytes(4, "big") for n in part.shape)
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(
            gzip.compress(head + part.tobytes())
        )
        labels = b"\0\0\x08\1" + len(part).to_bytes(4, "big") + bytes(i % 11 for i in part[:, 0, 0])
        (tmp_path / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    info = made(tmp_path, tmp_path / "made", image_size=8)
    assert info.labels == [str(i) for i in range(11)]
    assert info.splits["test"]["records"] == 30
    assert info.skipped == {"duplicate": 10}
    test = {pixels(e).tobytes() for e in examples(tmp_path / "made", info, "test")}
    assert test == {image.tobytes() for image in images[30:]}


REAL = {
    "quickdraw/simplified": (344, 9575),
    "quickdraw/raw": (10, 263),
    "quickdraw/kaggle_csv": (100, 8000),
    "quickdraw/png_254": (14, 840),
}


@pytest.mark.parametrize("folder", REAL)
def test_real_files(tmp_path, folder):
    if not (DATA / folder).exists():
        pytest.skip(f"needs real drawings, which are not part of the repository: {DATA / folder}")
    categories, count = REAL[folder]
    info = made(DATA / folder, tmp_path / "made", fraction=0.2)
    assert len(info.labels) in range(categories - 2, categories + 1)
    total = sum(content["records"] for content in info.splits.values())
    assert abs(total - 0.2 * count) < 0.05 * count
    assert set(info.skipped) <= {"duplicate"}
