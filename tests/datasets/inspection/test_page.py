"""The page of `inspect`: complete, self-contained, and safe whatever the records say."""

import subprocess

import numpy as np
import pytest
from browsing import chromium_path
from inspecting import EVIL, TRAIN, doodle, record, write
from parsing import Parsed
from PIL import Image

from quickdraw.datasets.inspection.look import look
from quickdraw.datasets.inspection.page import page
from quickdraw.records.dataset_info import DatasetInfo


def test_the_page_is_whole_and_needs_nothing_else(shards):
    text = page(look(str(shards)))
    parsed = Parsed(text)
    assert parsed.open == []
    assert parsed.tags.isdisjoint({"script", "link", "iframe"})
    addresses = parsed.values_of("src", "href")
    anchors = {address[1:] for address in addresses if address.startswith("#")}
    assert anchors and anchors <= set(parsed.values_of("id"))
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)
    assert "url(" not in text and "@import" not in text
    joined = " ".join(parsed.texts)
    assert f"{TRAIN}, record 100" in joined and f"{TRAIN}, record 101" in joined
    assert "Scribbles: 1" in joined


def test_everything_from_the_records_is_text(shards):
    empty = np.zeros((28, 28), np.uint8)
    write(shards, "test-1.tfrecords", record(empty, image_id=b"<u>7</u>"))
    text = page(look(str(shards)))
    parsed = Parsed(text)
    joined = "".join(parsed.texts)
    for evil in (EVIL, "<b>players</b>", "<b>no pn", "<u>7</u>"):
        assert evil not in text and evil in joined
    assert f"drawings of {EVIL}" in parsed.values_of("alt")


def test_the_same_drawings_give_the_same_page_in_whatever_order(shards):
    first = page(look(str(shards)))
    assert page(look(str(shards))) == first
    data = [doodle(seed) for seed in range(300)]
    pages = []
    for order in (data, data[::-1]):
        write(shards, "any.tfrecords", *(record(image, label=0) for image in order))
        overview = look(str(shards / "any.tfrecords"))
        pages.append([each.image.tobytes() for each in overview.classes[0].samples.ranked()])
    assert pages[0] == pages[1]


def test_hundreds_of_classes_are_folded(tmp_path):
    data = [record(doodle(seed), label=seed) for seed in range(345)]
    write(tmp_path, "train-0.tfrecords", *data)
    DatasetInfo([f"class {number}" for number in range(345)]).save(str(tmp_path))
    text = page(look(str(tmp_path)))
    assert "<details open>" not in text and text.count("<details>") == 346
    assert len(text) < 345 * 20_000


@pytest.mark.skipif(not chromium_path(), reason="needs Chromium, which is not installed")
@pytest.mark.parametrize(("scheme", "paper"), [(0, (21, 21, 27)), (1, (250, 247, 240))])
def test_a_browser_shows_it_dark_and_light(shards, scheme, paper):
    path = shards / "page.html"
    path.write_text(page(look(str(shards))), encoding="utf-8")
    switches = "headless no-sandbox disable-gpu no-first-run disable-background-networking"
    subprocess.run(
        [
            chromium_path(),
            *(f"--{switch}" for switch in switches.split()),
            f"--blink-settings=preferredColorScheme={scheme}",
            f"--user-data-dir={shards / 'browser'}",
            f"--screenshot={shards / 'shown.png'}",
            "--window-size=400,900",
            str(path),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    with Image.open(shards / "shown.png") as shown:
        pixels = np.asarray(shown.convert("RGB"))
    assert tuple(pixels[0, 0]) == paper
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100  # text and drawings
