"""`python -m quickdraw.datasets.inspect`: what it finds, and the page that it writes."""

import base64
import html.parser
import io
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from quickdraw.datasets import inspect
from quickdraw.datasets.inspection import pictures
from quickdraw.datasets.inspection.page import page
from quickdraw.datasets.inspection.records import split_of
from quickdraw.datasets.inspection.report import look
from quickdraw.datasets.inspection.stats import lookalikes
from quickdraw.errors import QuickdrawError
from quickdraw.formats import png, records
from quickdraw.formats.dataset_info import DatasetInfo

EVIL = "<script>alert('cat')</script>"
TRAIN = "train-00000-of-00001.tfrecords"


def doodle(seed, side=28):
    """A few random lines, never the same."""
    rng = np.random.default_rng(seed)
    image = np.zeros((side, side), np.uint8)
    for y, x in rng.integers(2, side - 4, (3, 2)):
        image[y, 2:x] = image[y : y + 3, x] = rng.integers(128, 256)
    return image


def record(image, **features):
    return records.serialise(image=png.encode(image), **features)


def write(folder, name, *data):
    (folder / name).write_bytes(b"".join(map(records.frame, data)))


def run(*flags):
    return inspect.main(["inspect.py", *map(str, flags)])


@pytest.fixture
def shards(tmp_path):
    """Two classes, a test set, and one of everything that can be wrong."""
    empty, dot = np.zeros((2, 28, 28), np.uint8)
    dot[13:15, 13:15] = 255
    scribble = np.full((28, 28), 255, np.uint8)
    write(
        tmp_path,
        TRAIN,
        *(record(doodle(seed), label=seed % 2) for seed in range(100)),
        record(empty, label=0),
        record(dot, label=1),
        record(scribble, label=1),
        record(doodle(0), label=0),
        record(doodle(1), label=0),
        b"no example",
        records.serialise(image=b"<b>no png</b>", label=1),
        record(doodle(1000), label=9),
        record(doodle(1000), word=b"cat"),
    )
    write(
        tmp_path,
        "test-00000-of-00001.tfrecords",
        *(record(doodle(seed), image_id=b"<i>%d" % seed) for seed in range(90, 120)),
    )
    (tmp_path / "valid-00000-of-00001.tfrecords").write_bytes(b"")
    DatasetInfo([EVIL, "dog"], source="<b>players</b>").save(str(tmp_path))
    return tmp_path


def test_what_is_printed(shards, capsys):
    assert run(shards, f"--output={shards / 'page.html'}") == 0
    printed = capsys.readouterr()
    assert re.search(r"dog +52 +0 +0\n", printed.out)
    assert re.search(r"\(no label\) +0 +0 +30\n", printed.out)
    assert re.search(r"all together +105 +0 +30\n", printed.out)
    assert "28x28, 1 channel: 135 records" in printed.out
    assert "image_id (bytes): 30 records\nlabel (int64): 107 records\nword (bytes)" in printed.out
    assert "bad records: 5" in printed.out
    path = shards / TRAIN
    for line in (
        f"  {path}, record 105: not a tf.train.Example (",
        f"  {path}, record 106: not a PNG image. Received: 13 bytes starting with b'<b>no pn'",
        f"  {path}, record 107: the label must be 0…1. Received: 9",
        f"  {path}, record 108: neither 'label' nor 'image_id'. The record has: image, word",
        f"  {shards}/valid-00000-of-00001.tfrecords, record 0: the file is empty",
        "! train and test share 10 drawings, pixel by pixel",
        "! 1 drawing under more than one label",
        "train: 2 drawings with the pixels of another one",
        "Suspicious drawings: empty: 1, one dot: 1, scribbles: 1.",
    ):
        assert line in printed.out
    assert printed.out.endswith(f"page: {shards / 'page.html'}\n")
    assert "drawings/s" in printed.err


class Page(html.parser.HTMLParser):
    """Checks that what is opened is closed, and collects addresses and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.tags, self.texts = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "br", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag != "rect":
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_needs_nothing_else_and_escapes_everything(shards):
    text = page(look(str(shards)))
    parsed = Page(text)
    assert parsed.open == []
    assert parsed.tags.isdisjoint({"script", "b-", "i-", "link", "iframe"})
    anchors = {address for address in parsed.addresses if address.startswith("#")}
    assert all(f'id="{anchor[1:]}"' in text or f"id={anchor[1:]}>" in text for anchor in anchors)
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in parsed.addresses)
    assert "url(" not in text and "@import" not in text
    for evil in (EVIL, "<b>players</b>", "<b>no pn"):
        assert evil not in text and evil in "".join(parsed.texts)
    joined = " ".join(parsed.texts)
    assert f"{TRAIN}, record 100" in joined and f"{TRAIN}, record 101" in joined
    assert "Scribbles: 1" in joined


def test_the_same_drawings_give_the_same_page_in_whatever_order(shards):
    first = page(look(str(shards)))
    assert page(look(str(shards))) == first
    data = [doodle(seed) for seed in range(300)]
    pages = []
    for order in (data, data[::-1]):
        write(shards, "any.tfrecords", *(record(image, label=0) for image in order))
        report = look(str(shards / "any.tfrecords"))
        pages.append([d.image.tobytes() for d in report.classes[0].samples.drawings()])
    assert pages[0] == pages[1]


def test_test_records_alone_and_no_dataset_json(tmp_path, capsys):
    write(tmp_path, "test-0.tfrecords", *(record(doodle(s), image_id=b"x") for s in range(20)))
    assert run(tmp_path, f"--output={tmp_path / 'page.html'}") == 0
    printed = capsys.readouterr().out
    assert "There is no dataset.json" in printed and "(no label)" in printed
    assert "Most alike" not in (tmp_path / "page.html").read_text()
    write(tmp_path, "train-0.tfrecords", *(record(doodle(s), label=s % 3) for s in range(20)))
    assert sorted(look(str(tmp_path)).classes) == [-1, 0, 1, 2]


def test_other_sizes_and_colours_are_counted_and_shown(tmp_path):
    colour = np.zeros((50, 50, 3), np.uint8)
    colour[10:40, 10:40, 2] = 255
    write(
        tmp_path,
        "train-0.tfrecords",
        record(doodle(0), label=0),
        record(colour, label=1),
        record(np.full((3, 40), 255, np.uint8), label=1),
        record(np.zeros((1, 2000), np.uint8), label=1),
    )
    report = look(str(tmp_path))
    assert report.records.sizes == {(28, 28, 1): 1, (50, 50, 3): 1, (3, 40, 1): 1}
    assert "at most 1024 pixels a side" in str(report.records.first_bad[0])
    assert report.classes[1].ink[36] == 1 and report.classes[1].ink[99] == 1
    warnings = [finding.text for finding in report.findings if finding.level == "warning"]
    assert "Images of 3 sizes" in warnings[1]
    assert "50 x 50" in page(report)


def test_statistics_of_a_class(tmp_path):
    box = np.zeros((28, 28), np.uint8)
    box[4:24, 7:21] = 255
    faint = np.where(box, 31, 0).astype(np.uint8)
    write(tmp_path, "train-0.tfrecords", record(box, label=0), record(faint, label=0))
    report = look(str(tmp_path))
    stats = report.classes[0]
    assert stats.ink[int(100 * 280 / 784)] == 1
    assert stats.wide[14 * 14 // 28 - 1] == 1 and stats.high[20 * 14 // 28 - 1] == 1
    assert report.stats.empty == 1  # what is fainter than 32 is no ink
    np.testing.assert_allclose(stats.mean, (box.astype(float) + faint) / 2)


def test_scribbles_are_measured_against_their_class(tmp_path):
    rng = np.random.default_rng(0)
    heavy = [(rng.random((28, 28)) < 0.5) * np.uint8(255) for _ in range(50)]
    light = [doodle(seed) for seed in range(50)]
    data = [record(image, label=0) for image in heavy]
    data += [record(image, label=1) for image in [*light, heavy[0] ^ 255]]
    write(tmp_path, "train-0.tfrecords", *data)
    (found,) = [row for row in look(str(tmp_path)).suspicious() if row[2]]
    assert found[0] == "Scribbles" and [drawing.number for drawing in found[3]] == [100]


def test_dark_strokes_on_light_paper_are_noticed(tmp_path):
    data = [record(255 - doodle(seed), label=0) for seed in range(20)]
    write(tmp_path, "train-0.tfrecords", *data)
    (text,) = [f.text for f in look(str(tmp_path)).findings if f.level == "warning"]
    assert "dark strokes on light?" in text


def test_classes_that_look_alike(tmp_path):
    one, other = doodle(1), doodle(2)
    data = [record(one, label=0), record(other, label=1), record(one // 2, label=2)]
    write(tmp_path, "train-0.tfrecords", *data)
    report = look(str(tmp_path))
    labels, alike = lookalikes(report.stats)
    assert labels == [0, 1, 2]
    assert alike[0, 2] > 0.99 > abs(alike[0, 1])
    shown = [float(n) for n in re.findall("correlation ([-.0-9]+)", page(report))]
    assert shown == sorted(shown, reverse=True) and len(shown) == 3


def test_dataset_json_is_compared_with_what_is_there(shards):
    splits = {
        "train": {"records": 7, "per_class": {}, "shards": [TRAIN]},
        "test": {"records": 7, "per_class": {}, "shards": ["test-of-elsewhere"]},
    }
    DatasetInfo(["cat", "dog", "owl"], splits=splits).save(str(shards))
    texts = [f.text for f in look(str(shards)).findings if f.level == "warning"]
    assert "dataset.json says that train has 7 drawings; there are 105." in texts
    assert "1 class without a labelled drawing: owl" in texts
    assert not any("says that test" in text for text in texts)


def test_hundreds_of_classes_are_folded(tmp_path):
    data = [record(doodle(seed), label=seed) for seed in range(345)]
    write(tmp_path, "train-0.tfrecords", *data)
    DatasetInfo([f"class {number}" for number in range(345)]).save(str(tmp_path))
    text = page(look(str(tmp_path)))
    assert "<details open>" not in text and text.count("<details>") == 346
    assert len(text) < 345 * 20_000


def test_a_sheet_is_strokes_on_nothing():
    images = [doodle(seed) for seed in range(5)]
    data = pictures.sheet(images, columns=3)
    picture = Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGBA")
    assert picture.size == (3 * 29 - 1, 2 * 29 - 1)
    pixels = np.asarray(picture)
    assert not pixels[..., :3].any()
    assert np.abs(pixels[29:57, 29:57, 3].astype(int) - images[4]).max() <= 8


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("gs://b/train-00000-of-00004.tfrecords", "train"),
        ("d/valid.tfrecord", "valid"),
        ("d/test_3.tfrecords", "test"),
        ("d/training.tfrecord-00000-of-00010", "training"),
        ("d/00000.tfrecords", "00000"),
    ],
)
def test_the_split_is_the_start_of_the_name(path, split):
    assert split_of(path) == split


def test_several_patterns_quoted_or_not(shards, monkeypatch, capsys):
    monkeypatch.chdir(shards)
    names = [TRAIN, "test-00000-of-00001.tfrecords"]
    for arguments in (names, [",".join(names)], [f"--data_pattern={','.join(names)}"], ["t*s"]):
        assert run(*arguments) == 0
        assert re.search(r"all together +105 +30\n", capsys.readouterr().out)
        (shards / "inspect.html").unlink()


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        ([], 2, "a pattern is needed"),
        (["nowhere/x*"], 1, "no file matches 'nowhere/x*'"),
        (["valid-*"], 1, "no usable record in 1 file(s). The first: valid-00000"),
        ([TRAIN, "--output=dataset.json/page.html"], 1, "dataset.json: the folder cannot be made"),
        ([TRAIN, "--output=."], 1, ".: the name of a file expected"),
        (["--outptu=x"], 2, "outptu"),
    ],
)
def test_mistakes_are_one_line(shards, monkeypatch, capsys, flags, code, message):
    monkeypatch.chdir(shards)
    assert run(*flags) == code
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_no_record_at_all_is_an_error(tmp_path):
    write(tmp_path, "train-0.tfrecords", b"x")
    with pytest.raises(QuickdrawError, match="no usable record"):
        look(str(tmp_path))


def test_importing_needs_no_tensorflow():
    code = "import sys, quickdraw.datasets.inspect; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
