"""The command: a run is exported by a process of its own, and people draw."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import browsing
import pytest
from serving_runs import serving

from quickdraw import runs, serve


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("served") / "tiny"
    shutil.copytree(tiny_run, folder)
    return str(folder)


@pytest.fixture(scope="module")
def url(run) -> Iterator[str]:
    with serving(f"--train_dir={run}") as (address, process):
        maps = Path(f"/proc/{process.pid}/maps")
        if maps.exists():
            assert "tensorflow" not in maps.read_text()
        yield address


def test_the_export_is_kept_beside_the_run(url, run):
    (folder,) = (Path(run) / "serving").iterdir()
    assert sorted(os.listdir(folder)) == ["export.json", "gallery.json", "model.onnx"]
    with urllib.request.urlopen(f"{url}/api/gallery") as answer:
        pictures = json.load(answer)
    assert sorted(pictures) == ["cat", "hot dog", "sun"]
    assert all(6 <= len(kept) <= 24 for kept in pictures.values())


def test_the_page_guesses_as_the_run_does(url, run):
    trained = runs.load(run)
    from quickdraw.drawings.rasterise import rasterise

    strokes = [[[0, 255], [0, 100]], [[40, 90, 200], [250, 30, 60]]]
    with browsing.chromium() as chromium:
        page = browsing.open_page(chromium, url, viewport={"width": 390, "height": 800})
        browsing.draw(page, strokes)
        answer = browsing.answered(page, 2)
        image = rasterise(answer["strokes"], 12)[None, :, :, None]
        wanted = dict(enumerate(trained.probabilities(image)[0]))
        assert dict(map(tuple, answer["answers"][0])) == pytest.approx(wanted, abs=1e-4)
        assert page.told == []
        assert all(asked.startswith((url, "data:")) for asked in page.asked)
        seen = page.evaluate(
            "[...document.querySelector('#seen canvas').getContext('2d')"
            ".getImageData(0, 0, 12, 12).data].filter((_, i) => i % 4 === 0)"
        )
        assert seen == image.ravel().tolist()


def test_a_question_that_is_too_large_is_answered(url):
    """Also to a client that sends all before it reads, and wants the connection closed."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/api/guess", b"a" * (20 << 20))
    assert refused.value.code == 413
    assert "bytes expected" in json.load(refused.value)["detail"]


def test_a_page_on_a_camp_network_draws_too(run):
    """http from another machine is no secure context: some functions are not there."""
    switches = ("--host-resolver-rules=MAP camp.test 127.0.0.1", "--disable-features=HttpsUpgrades")
    with (
        serving(f"--train_dir={run}", "--hosts=camp.test") as (address, _),
        browsing.chromium(*switches) as chromium,
    ):
        page = browsing.open_page(chromium, address.replace("127.0.0.1", "camp.test"))
        assert page.evaluate("isSecureContext") is False
        browsing.draw(page, [[[0, 100, 255], [0, 200, 30]]])
        assert browsing.answered(page, 1)["answers"]


def test_the_page_goes_on_when_the_server_comes_back(run):
    with browsing.chromium() as chromium:
        with serving(f"--train_dir={run}") as (address, _):
            page = browsing.open_page(chromium, address)
        page.wait_for_selector("#notice:not([hidden])", timeout=10_000)
        assert "No connection" in page.inner_text("#notice")
        browsing.draw(page, [[[0, 100, 255], [0, 200, 30]]])
        port = address.rpartition(":")[2]
        with serving(f"--train_dir={run}", f"--port={port}"):
            assert browsing.answered(page, 1)["answers"]
            assert page.is_hidden("#notice")


def test_a_started_server_is_ready_at_once_and_ends_at_ctrl_c(run):
    start = time.monotonic()
    with serving(f"--train_dir={run}") as (address, process):
        assert time.monotonic() - start < 20
        with urllib.request.urlopen(f"{address}/healthz") as answer:
            assert json.load(answer)["models"] == 1
    assert process.returncode in (0, 130, -signal.SIGINT)


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        (["--train_dir=nowhere"], 1, "nowhere holds no run: no run.json there"),
        (["--port=70000"], 2, "--port must be from 0 to 65535"),
    ],
)
def test_mistakes_are_a_line(flags, code, told, capsys):
    assert serve.main(["serve", *flags]) == code
    assert told in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(url, run):
    port = url.rpartition(":")[2]
    command = [sys.executable, "-m", "quickdraw.serve", f"--train_dir={run}", f"--port={port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
