"""Csv files of images: labels first or last, named or not, ids, and values that are no pixels."""

from __future__ import annotations

import csv
import gzip
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reading import noise, parsed

from quickdraw.datasets import prepare
from quickdraw.datasets.sources import open_source
from quickdraw.errors import QuickdrawError

IMAGES = noise(5)
LABELS = ["3", "1", "4", "1", "5"]
PIXELS = [f"pixel{number}" for number in range(64)]


def table(header, column=None, images=IMAGES, last=False):
    text = io.StringIO()
    rows = csv.writer(text)
    if header:
        rows.writerow(header)
    for row, image in enumerate(images.reshape(len(images), -1).tolist()):
        beside = [] if column is None else [column[row]]
        rows.writerow([*image, *beside] if last else [*beside, *image])
    return text.getvalue()


def opened(folder, scratch, **options):
    scratch.mkdir(exist_ok=True)
    return open_source(str(folder), str(scratch), **options).files


@pytest.mark.parametrize(
    "text",
    [
        table(["label", *PIXELS], LABELS),
        table([f"{y}x{x}" for y in range(8) for x in range(8)] + ["class"], LABELS, last=True),
        table([*PIXELS, "label"], LABELS, last=True),
        table([], LABELS),
        table(["label", *PIXELS], [f"{label}.0" for label in LABELS]),
        table(["label", *PIXELS], LABELS).replace("\n", "\r\n") + "\n" + "," * 64 + "\n",
        "\ufeff" + table(["label", *PIXELS], LABELS),
        table(["label", *PIXELS], LABELS).replace(",", ";") + ";" * 64 + "\n",
        table([], LABELS).replace(",", "\t"),
    ],
)
def test_labels_and_pixels(tmp_path, text):
    (tmp_path / "train.csv").write_text(text)
    (file,) = opened(tmp_path / "train.csv", tmp_path / "scratch")
    drawings = parsed(file)
    assert [drawing.word for drawing in drawings] == LABELS
    for drawing, image in zip(drawings, IMAGES, strict=True):
        np.testing.assert_array_equal(drawing.image, image)
    assert file.split == "train"


@pytest.mark.parametrize(
    ("header", "column", "ids"),
    [(PIXELS, None, ["1", "2", "3", "4", "5"]), (["id", *PIXELS], range(5), list("01234"))],
)
def test_images_without_labels_are_known_by_their_id_or_row(tmp_path, header, column, ids):
    (tmp_path / "test.csv.gz").write_bytes(gzip.compress(table(header, column).encode()))
    (file,) = opened(tmp_path / "test.csv.gz", tmp_path / "scratch")
    drawings = parsed(file)
    assert [(drawing.word, drawing.key_id) for drawing in drawings] == [(None, id) for id in ids]
    assert [at for at, _ in file.scan(2, 3)]
    assert file.place(next(file.scan(2, 3))[0]).endswith("test.csv.gz, row 2")


def test_prepare_keeps_train_and_test_apart(tmp_path, capsys):
    source, output = tmp_path / "digits", tmp_path / "out"
    source.mkdir()
    images = noise(40)
    (source / "train.csv").write_text(table(["label", *PIXELS], [n % 4 for n in range(40)], images))
    (source / "test.csv").write_text(table(PIXELS, images=images[:7]))
    (source / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    assert prepare.main(["prepare", f"--source={source}", f"--output_dir={output}"]) == 0
    assert "not read: sample_submission.csv" in capsys.readouterr().err
    info = json.loads((output / "dataset.json").read_text())
    assert info["labels"] == ["0", "1", "2", "3"]
    assert info["splits"]["test"]["records"] == 7
    assert info["splits"]["train"]["records"] + info["splits"]["valid"]["records"] == 33


def test_emnist_is_turned_upright(tmp_path, capsys):
    (tmp_path / "emnist-letters-train.csv").write_text(table([], LABELS))
    (file,) = opened(tmp_path / "emnist-letters-train.csv", tmp_path / "scratch")
    for drawing, image in zip(parsed(file), IMAGES, strict=True):
        np.testing.assert_array_equal(drawing.image, image.T)
    assert "turned upright" in capsys.readouterr().err


def test_pixels_as_fractions(tmp_path):
    (tmp_path / "train.csv").write_text(table([], LABELS, IMAGES / 255))
    (file,) = opened(tmp_path, tmp_path / "scratch")
    np.testing.assert_array_equal([drawing.image for drawing in parsed(file)], IMAGES)


@pytest.mark.parametrize(
    "names",
    [
        [str(number) for number in range(65)],
        ["0", "0.1", "0.2", "13", *[f"0.{number}" for number in range(3, 64)]],
    ],
    ids=["numbers", "an image, as pandas has read and written it"],
)
def test_names_of_columns_may_be_numbers(tmp_path, names):
    (tmp_path / "train.csv").write_text(table(names, LABELS))
    drawings = parsed(*opened(tmp_path, tmp_path / "scratch"))
    np.testing.assert_array_equal([drawing.image for drawing in drawings], IMAGES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (table([], LABELS, np.zeros_like(IMAGES), last=True), "in the first column expected"),
        (table(["label", *PIXELS], ["a", "", "c", "d", "e"]), "row 2: no word"),
        (table(["label", *PIXELS], [1, 2, -1, 2, 1]), "row 3: a label expected, .* Received: -1"),
        (table(["label", *PIXELS], [1, 2.5, 1, 2, 1]), "row 2: a label expected, .* Received: 2.5"),
        (table(["id", *PIXELS], ["5.83E+15"] * 5), "row 1: an id that has lost digits"),
        (table(["label", *PIXELS], LABELS)[:-20], "row 5: 65 columns expected"),
        (table(["label", "Usage", *PIXELS], LABELS), r"Received: 66 \(label, Usage, pixel0"),
        (table(["label", *PIXELS]), "row 1: 65 columns expected. Received: 64"),
        (",".join(["label", *PIXELS]), "without a row"),
        (table([], LABELS, IMAGES / 9), "or fractions from 0 to 1. Received: "),
        (table([], LABELS, IMAGES.astype(int) - 1), "from 0 to 255 .* Received: -1"),
        (table([], LABELS, IMAGES.astype(int) + 1), "from 0 to 255 .* Received: 256"),
        (table(["label", *PIXELS], LABELS, np.full((5, 8, 8), np.nan)), "Received: nan"),
        (table(["label", *PIXELS], LABELS, np.full((5, 8, 8), "x")), "row 1: pixels from 0 to 255"),
    ],
)
def test_what_is_no_table_of_images_is_refused(tmp_path, text, message):
    (tmp_path / "train.csv").write_text(text)
    with pytest.raises(QuickdrawError, match=message):
        opened(tmp_path / "train.csv", tmp_path / "scratch")


@given(arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(9), st.just(9))), st.booleans())
def test_any_pixels_come_out_as_they_are(tmp_path_factory, images, last):
    folder = tmp_path_factory.mktemp("pixels")
    names = [f"p{number}" for number in range(81)]
    header = [*names, "label"] if last else ["label", *names]
    words = [f"class {n}" for n in range(len(images))]
    (folder / "x.csv").write_text(table(header, words, images, last))
    (file,) = opened(folder / "x.csv", folder / "scratch", polarity="light_on_dark")
    drawings = parsed(file)
    assert [drawing.word for drawing in drawings] == words
    np.testing.assert_array_equal([drawing.image for drawing in drawings], images)
