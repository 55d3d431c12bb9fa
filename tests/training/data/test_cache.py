"""The cache of decoded drawings: right, whole or not there, bounded, and never in the way."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from quickdraw.errors import QuickdrawError
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records.shards import BadRecords
from quickdraw.training.data import cache, decode

PLENTY = 1000.0


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """A cache of its own for each test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "quickdraw"


@pytest.fixture
def records(tmp_path, tiny_data) -> str:
    """The tiny training records, to be changed at will."""
    shutil.copytree(tiny_data.folder, tmp_path / "data")
    return f"{tmp_path}/data/train-*"


def load(patterns: str, megabytes: float = PLENTY, **reader) -> cache.Drawings:
    chosen = QuickDrawFeatureReader(**reader)
    return cache.load(chosen, chosen.open(patterns), "reading", megabytes)


def same(a: cache.Drawings, b: cache.Drawings) -> bool:
    return np.array_equal(a.inputs["image"], b.inputs["image"]) and np.array_equal(
        a.labels, b.labels
    )


def by_reader(patterns: str) -> cache.Drawings:
    images, labels = zip(*QuickDrawFeatureReader().batches(patterns, 7), strict=True)
    inputs = {"image": np.concatenate(images)}
    return cache.Drawings(inputs, np.concatenate(labels), "", BadRecords("error"))


def test_drawings_are_those_of_the_reader_in_their_order(records):
    assert same(load(records), by_reader(records))


def test_a_second_time_nothing_is_decoded(records, home, monkeypatch):
    first = load(records)
    monkeypatch.setattr(cache, "decode", None)
    assert same(load(records), first)
    assert len(list(home.iterdir())) == 1


def test_processes_decode_the_same(records, monkeypatch, home):
    alone = load(records)
    shutil.rmtree(home)
    monkeypatch.setattr(decode, "_SMALL_BYTES", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert same(load(records), alone)


def test_ones_own_preprocessing_is_done_to_all_drawings_of_a_large_set(records, monkeypatch):
    class Inverted(QuickDrawFeatureReader):
        def preprocess(self, images):
            return 255 - images

    before = by_reader(records).inputs["image"]
    monkeypatch.setattr(decode, "_SMALL_BYTES", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    reader = Inverted()
    drawings = cache.load(reader, reader.open(records), "reading", PLENTY)
    assert np.array_equal(drawings.inputs["image"], 255 - before)


def test_processes_name_a_bad_record_and_can_skip_it(records, monkeypatch):
    monkeypatch.setattr(decode, "_SMALL_BYTES", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with open(records.replace("-*", "-1.tfrecord"), "ab") as file:
        file.write(b"rubbish")
    with pytest.raises(QuickdrawError, match="train-1.tfrecord, record 60: truncated"):
        load(records)
    for _ in range(2):  # decoded, then from the cache
        drawings = load(records, on_bad_record="skip")
        assert len(drawings) == 120
        assert drawings.bad.count == 1
        assert "record 60" in str(drawings.bad.first[0])
    with pytest.raises(QuickdrawError, match="record 60"):
        load(records)


def test_what_ones_own_preprocessing_calls_is_decoded_anew_when_it_changes(
    records, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "my_reader.py").write_text(
        "import my_tools\nfrom quickdraw.readers import QuickDrawFeatureReader\n"
        "class MyReader(QuickDrawFeatureReader):\n"
        "    def preprocess(self, images):\n"
        "        return my_tools.fainter(images)\n"
    )
    largest = []
    for share in (2, 4):
        text = f"def fainter(images):\n    return images // {share}\n"
        (tmp_path / "my_tools.py").write_text(text)
        for name in ("my_tools", "my_reader"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        reader = importlib.import_module("my_reader").MyReader()
        drawings = cache.load(reader, reader.open(records), "reading", PLENTY)
        largest.append(int(drawings.inputs["image"].max()))
    assert largest == [127, 63]


@pytest.mark.parametrize("small_bytes", [0, 1 << 30])
def test_an_empty_file_is_told_of_a_cached_set_too(records, monkeypatch, small_bytes):
    monkeypatch.setattr(decode, "_SMALL_BYTES", small_bytes)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    empty = records.replace("-*", "-2.tfrecord")
    open(empty, "wb").close()
    for _ in range(2):  # decoded, then from the cache
        drawings = load(records)
        assert (len(drawings), drawings.bad.count, drawings.bad.empty) == (120, 0, [empty])


def test_changed_records_are_decoded_again(records):
    before = load(records)
    shutil.copy(records.replace("-*", "-0.tfrecord"), records.replace("-*", "-1.tfrecord"))
    after = load(records)
    assert after.fingerprint != before.fingerprint
    assert same(after, by_reader(records))


def test_another_size_is_another_set(records, home):
    assert load(records).inputs["image"].shape == (120, 12, 12, 1)
    assert load(records, image_size=8).inputs["image"].shape == (120, 8, 8, 1)
    assert len(list(home.iterdir())) == 2


@pytest.mark.parametrize("name", ["image", "labels", "set.json"])
@pytest.mark.parametrize("damage", [b"", b"\x07" * 50])
def test_a_damaged_set_is_made_again(records, home, capfd, name, damage):
    whole = load(records)
    images = np.array(whole.inputs["image"])
    (path,) = home.glob(f"*/{name}")
    path.write_bytes(damage)
    assert np.array_equal(load(records).inputs["image"], images)
    assert "is damaged" in capfd.readouterr().err


def test_a_set_larger_than_the_cache_is_not_kept(records, home, capfd):
    assert same(load(records, megabytes=0.001), by_reader(records))
    assert "not cached" in capfd.readouterr().err
    assert list(home.iterdir()) == []


def test_the_longest_unused_sets_make_room(records, home):
    sizes = (8, 9, 10)
    for number, size in enumerate(sizes[:2]):
        load(records, image_size=size)
        newest = max(home.iterdir(), key=lambda path: path.stat().st_mtime)
        os.utime(newest, (number, number))
    load(records, image_size=8)  # now 9 is the longest unused
    load(records, image_size=10, megabytes=(120 * (100 + 64 + 8) + 500) / 1e6)
    kept = {int(np.sqrt(path.stat().st_size / 120)) for path in home.glob("*/image")}
    assert kept == {8, 10}


def test_what_a_killed_run_left_is_cleaned_up(records, home):
    old, new = home / "unfinished-old", home / "unfinished-new"
    for path in (old, new):
        path.mkdir(parents=True)
    os.utime(old, (0, 0))
    load(records)
    assert not old.exists()
    assert new.exists()


def test_killed_while_it_writes_it_starts_over(records, home):
    """Kill -9 while the second shard keeps the first attempt waiting."""
    program = (
        "import time\n"
        "from quickdraw.readers import QuickDrawFeatureReader as R\n"
        "from quickdraw.training.data import cache, decode\n"
        "read = R.read\n"
        "def slow(self, shards, *rest):\n"
        "    time.sleep(60 * shards.files[0].endswith('-1.tfrecord'))\n"
        "    yield from read(self, shards, *rest)\n"
        "R.read = slow\n"
        f"reader = R(num_classes=3); shards = reader.open({records!r})\n"
        "with cache._unfinished() as path:\n"
        "    decode.decode(reader, shards, path, 'reading')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program])
    end = time.monotonic() + 30
    while not list(home.glob("unfinished-*/00001.image")) and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(home.glob("unfinished-*"))
    assert same(load(records), by_reader(records))


def test_a_cache_that_cannot_be_written_is_done_without(records, tmp_path, monkeypatch, capfd):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert same(load(records), by_reader(records))
    assert "cannot be written" in capfd.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_done_without(records, monkeypatch, home, capfd):
    """The set's first file is a link to a disk that is always full."""
    home.mkdir(parents=True)
    unfinished = home / "unfinished-full"
    unfinished.mkdir()
    os.symlink("/dev/full", unfinished / "00000.image")
    monkeypatch.setattr(cache.tempfile, "mkdtemp", lambda **_: str(unfinished))
    assert same(load(records), by_reader(records))
    assert "No space left on device" in capfd.readouterr().err


def test_two_runs_may_make_a_set_at_once(records, home):
    program = (
        "import sys\n"
        "from quickdraw.readers import QuickDrawFeatureReader as R\n"
        "from quickdraw.training.data import cache\n"
        f"print(len(cache.load(R(), R().open({records!r}), 'reading', 1000)))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [process.communicate()[0] for process in processes] == ["120\n"] * 3
    assert len(list(home.iterdir())) == 1
