"""`python -m quickdraw.datasets.download` against a Cloud Storage stand-in that misbehaves."""

import errno
import gc
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from standins import gcs
from standins.gcs_store import Store

from quickdraw.datasets import bucket, download, prepare

# The client library leaves the connection of a refused download to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

CAT = "full/numpy_bitmap/cat.npy"
LARGE = np.random.default_rng(0).bytes(300_000)


@pytest.fixture
def server(monkeypatch):
    store = Store()
    for name in ("cat", "dog", "traffic light"):
        store.put(download.BUCKET, f"full/numpy_bitmap/{name}.npy", name.encode() + LARGE)
    for name in ("cat.npz", "cat.full.npz", "model/checkpoint.npz"):
        store.put(download.BUCKET, f"sketchrnn/{name}", name.encode())
    store.put(download.BUCKET, "full/raw/cat.ndjson", b"raw")
    store.put(download.BUCKET, "full/simplified/cat.ndjson", b"simplified")
    monkeypatch.setattr(bucket, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(bucket, "PATIENCE", 0.5)
    with gcs.serve(store) as running:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.url)
        yield running
    gc.collect()


def run(folder, *flags):
    return download.main(["download.py", f"--output_dir={folder}", *flags])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def media(server):
    """The Range headers of the downloads, "" for a whole one."""
    return [asked for _, path, asked in server.requests if path.startswith("/download")]


def part_of(server, folder, name="cat.npy"):
    found = server.store.get(download.BUCKET, f"full/numpy_bitmap/{name}")
    return folder / f"{name}.{found.generation}.part"


def test_categories_arrive_whole(server, tmp_path, capsys):
    server.largest_page = 2
    assert run(tmp_path, "--categories=traffic_light,cat,cat") == 0
    assert names(tmp_path) == ["cat.npy", "traffic light.npy"]
    assert (tmp_path / "traffic light.npy").read_bytes() == b"traffic light" + LARGE
    printed = capsys.readouterr()
    assert "2 files" in printed.out
    assert "cat               0.3 MB\n" in printed.err
    assert "all together      0.6 MB  0.6 MB to fetch\n" in printed.err


def test_all_and_each_kind(server, tmp_path):
    assert run(tmp_path / "a", "--categories=all") == 0
    assert names(tmp_path / "a") == ["cat.npy", "dog.npy", "traffic light.npy"]
    assert run(tmp_path / "b", "--categories=all", "--kind=sketchrnn") == 0
    assert names(tmp_path / "b") == ["cat.npz"]
    assert run(tmp_path / "c", "--categories=cat", "--kind=raw") == 0
    assert (tmp_path / "c/cat.ndjson").read_bytes() == b"raw"


def test_the_same_again_fetches_nothing(server, tmp_path, capsys):
    run(tmp_path, "--categories=cat,dog")
    before = media(server)
    assert run(tmp_path, "--categories=cat,dog") == 0
    assert media(server) == before
    assert "already here" in capsys.readouterr().err


def test_a_file_of_another_kind_is_not_overwritten(server, tmp_path, capsys):
    run(tmp_path, "--categories=cat", "--kind=raw")
    assert run(tmp_path, "--categories=cat", "--kind=simplified") == 1
    assert "cat.ndjson is not what gs://quickdraw_dataset/full" in capsys.readouterr().err
    assert (tmp_path / "cat.ndjson").read_bytes() == b"raw"


def test_a_part_is_continued(server, tmp_path, capsys):
    part_of(server, tmp_path).write_bytes((b"cat" + LARGE)[:200_000])
    assert run(tmp_path, "--categories=cat") == 0
    assert media(server) == ["bytes=200000-"]
    assert (tmp_path / "cat.npy").read_bytes() == b"cat" + LARGE
    assert names(tmp_path) == ["cat.npy"]
    assert "67% is here" in capsys.readouterr().err


def test_a_complete_part_is_only_checked(server, tmp_path):
    part_of(server, tmp_path).write_bytes(b"cat" + LARGE)
    assert run(tmp_path, "--categories=cat") == 0
    assert media(server) == []


@pytest.mark.parametrize("damage", [b"cAt" + LARGE[:100_000], b"cat" + LARGE + b"more"])
def test_a_damaged_part_is_deleted_and_fetched_anew(server, tmp_path, damage, capsys):
    part_of(server, tmp_path).write_bytes(damage)
    assert run(tmp_path, "--categories=cat") == 0
    assert media(server)[-1] == ""
    assert (tmp_path / "cat.npy").read_bytes() == b"cat" + LARGE
    assert "checksum is wrong" in capsys.readouterr().err


def test_a_part_of_an_older_version_is_not_continued(server, tmp_path, capsys):
    part_of(server, tmp_path).write_bytes(b"old")
    server.store.put(download.BUCKET, CAT, b"new")
    assert run(tmp_path, "--categories=cat") == 0
    assert (tmp_path / "cat.npy").read_bytes() == b"new"
    assert names(tmp_path) == ["cat.npy"]
    assert "has changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "times": 3},
        {"status": 429},
        {"reset_after": 150_000, "times": 2},
        {"reset_after": 0},
        {"truncate_to": 70_000, "times": 3},
        {"corrupt": True},
        {"seconds_a_chunk": 0.05},
    ],
    ids=str,
)
def test_faults_that_pass(server, tmp_path, fault):
    server.fail("cat.npy", **fault)
    assert run(tmp_path, "--categories=cat,dog") == 0
    assert (tmp_path / "cat.npy").read_bytes() == b"cat" + LARGE
    assert names(tmp_path) == ["cat.npy", "dog.npy"]


def test_a_line_that_breaks_again_and_again_is_fine_as_long_as_bytes_come(server, tmp_path):
    server.fail("cat.npy", times=8, reset_after=1 << 16, seconds_a_chunk=0.15)
    assert run(tmp_path, "--categories=cat") == 0
    assert (tmp_path / "cat.npy").read_bytes() == b"cat" + LARGE


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"status": 503}, "answer 503 of .*, after 0 s of trying"),
        ({"status": 403}, "cat.npy: access denied \\(403\\)"),
        ({"status": 404}, "cat.npy: not there \\(404\\)"),
        ({"status": 410}, "cat.npy: refused \\(410"),
        ({"corrupt": True}, "the checksum was wrong twice"),
        ({"truncate_to": 0}, "ends after 0 bytes"),
    ],
)
def test_faults_that_stay_are_one_line(server, tmp_path, fault, message, capfd):
    server.fail("cat.npy", times=10**9, **fault)
    # 75 is EX_TEMPFAIL: the same command goes on.
    assert run(tmp_path, "--categories=cat") == (75 if fault == {"status": 503} else 1)
    last = capfd.readouterr().err.splitlines()[-1]
    assert re.search(message, last)
    assert "cat.npy" not in names(tmp_path)


def test_no_network_is_one_line(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    assert run(tmp_path, "--categories=cat") == 75
    (line,) = capsys.readouterr().err.splitlines()
    assert "no answer (ConnectionError) of http://127.0.0.1:9" in line


@pytest.mark.parametrize(("bucket", "status"), [("nowhere", 404), ("hidden", 401)])
def test_a_bucket_that_cannot_be_listed(server, tmp_path, monkeypatch, capsys, bucket, status):
    server.store.make_bucket("hidden", private=True)
    monkeypatch.setattr(download, "BUCKET", bucket)
    assert run(tmp_path, "--categories=cat") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"gs://{bucket}: not" in line and f"({status})" in line


def test_unknown_and_missing_categories(server, tmp_path, capsys):
    assert run(tmp_path, "--categories=dgo") == 1
    assert "no category 'dgo' as numpy_bitmap. Did you mean 'dog'?" in capsys.readouterr().err
    assert run(tmp_path) == 2
    assert "there are 3, 0.9 MB as numpy_bitmap" in capsys.readouterr().err
    assert download.main(["download.py", "--categories=cat"]) == 2
    assert "--output_dir is needed" in capsys.readouterr().err
    assert run("gs://bucket/folder", "--categories=cat") == 1
    assert names(tmp_path) == []


def test_room_on_the_disk_is_checked_first(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 500_000))
    assert run(tmp_path, "--categories=cat,dog") == 1
    assert "0.6 MB of free space needed. Received: 0.5 MB" in capsys.readouterr().err
    assert media(server) == []
    part_of(server, tmp_path).write_bytes((b"cat" + LARGE)[:200_000])
    assert run(tmp_path, "--categories=cat,dog") == 0


def test_a_disk_that_fills_up(server, tmp_path, monkeypatch, capsys):
    class Full(io.FileIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(bucket, "open", lambda path, mode: Full(path, mode), raising=False)
    assert run(tmp_path, "--categories=cat") == 1
    assert ".part: No space left on device (free some space" in capsys.readouterr().err


def test_many_categories_are_summed_up(server, tmp_path, capsys):
    for number in range(30):
        server.store.put(download.BUCKET, f"full/numpy_bitmap/c{number}.npy", b"x" * number)
    assert run(tmp_path, "--categories=all") == 0
    assert "… and 13 smaller ones" in capsys.readouterr().err
    assert len(names(tmp_path)) == 33


@pytest.mark.slow
def test_ctrl_c_keeps_what_has_arrived(server, tmp_path):
    """Against a server that has gone silent, too: an interrupt never waits for one."""
    server.fail("cat.npy", seconds_a_chunk=0.3)
    server.fail("dog.npy", seconds_a_chunk=60)
    command = [sys.executable, "-m", "quickdraw.datasets.download", "--categories=cat,dog"]
    process = subprocess.Popen(
        [*command, f"--output_dir={tmp_path}"], stderr=subprocess.PIPE, text=True
    )
    part = part_of(server, tmp_path)
    while not part.exists() or part.stat().st_size < 60_000:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stopping = time.monotonic()
    printed = process.communicate(timeout=20)[1]
    assert time.monotonic() - stopping < 5
    assert process.returncode == 130
    assert "Traceback" not in printed and "what has arrived is kept" in printed
    received = part.stat().st_size
    assert run(tmp_path, "--categories=cat,dog") == 0
    assert f"bytes={received}-" in media(server)
    assert (tmp_path / "cat.npy").read_bytes() == b"cat" + LARGE


def test_what_is_printed_next_works(server, tmp_path, capsys):
    np.save(tmp_path / "made.npy", np.random.default_rng(0).integers(0, 256, (50, 784), np.uint8))
    server.store.put(download.BUCKET, CAT, (tmp_path / "made.npy").read_bytes())
    run(tmp_path / "fetched", "--categories=cat")
    assert f"next: python -m quickdraw.datasets.prepare --source={tmp_path}" in (
        capsys.readouterr().out
    )
    assert prepare.prepare(str(tmp_path / "fetched"), str(tmp_path / "made")).labels == ["cat"]


def test_config_file(server, tmp_path):
    config = {"categories": "cat", "kind": "raw"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert run(tmp_path / "made", f"--config={tmp_path / 'config.json'}") == 0
    assert names(tmp_path / "made") == ["cat.ndjson"]


def test_importing_needs_neither_tensorflow_nor_the_client():
    code = "import sys, quickdraw.datasets.download; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "tensorflow" not in loaded.split() and "google.cloud.storage" not in loaded.split()
