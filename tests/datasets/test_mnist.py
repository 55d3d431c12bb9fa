"""MNIST and its kin, from hosts of the tests' own that misbehave."""

import gzip
import hashlib
import http.server
import struct
import threading

import numpy as np
import pytest

from quickdraw.datasets import download, mnist, prepare

LABELS = np.arange(20, dtype=np.uint8) % 10
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)


def idx(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


CONTENT = dict(zip(mnist.FILES, map(idx, (IMAGES, LABELS, 255 - IMAGES, LABELS)), strict=True))


@pytest.fixture
def host(monkeypatch):
    """A server whose `answers` can be changed: a file's name → bytes, or a status."""
    answers = dict(CONTENT)
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            _, place, name = self.path.split("/")
            answer = answers.get(f"{place}/{name}", answers.get(name, 404))
            self.send_response(answer if isinstance(answer, int) else 200)
            data = b"" if isinstance(answer, int) else answer
            self.send_header("Content-Length", str(len(CONTENT[name])))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(mnist, "_TIMEOUT", 5.0)
        monkeypatch.setitem(mnist.HOSTS, "mnist", (f"{url}/one/", f"{url}/two/"))
        sums = tuple(hashlib.md5(CONTENT[name]).hexdigest() for name in mnist.FILES)
        monkeypatch.setitem(mnist.MD5, "mnist", sums)
        server.answers, server.asked = answers, asked
        yield server
        server.shutdown()
        thread.join()


def run(folder, *flags):
    return download.main(["download.py", f"--output_dir={folder}", "--kind=mnist", *flags])


def test_what_is_fetched_can_be_prepared(host, tmp_path, capsys):
    assert run(tmp_path / "mnist") == 0
    assert {path.name for path in (tmp_path / "mnist").iterdir()} == {*mnist.FILES}
    assert "prepare --source=" in capsys.readouterr().out
    info = prepare.prepare(str(tmp_path / "mnist"), str(tmp_path / "out"), processes=1)
    assert info.splits["test"]["records"] == 20
    asked = len(host.asked)
    assert run(tmp_path / "mnist") == 0
    assert len(host.asked) == asked


@pytest.mark.parametrize("answer", [404, 503, b"<html>sold</html>", CONTENT[mnist.FILES[0]][:-9]])
def test_another_host_is_tried(host, tmp_path, capsys, answer):
    host.answers[f"one/{mnist.FILES[0]}"] = answer
    assert run(tmp_path) == 0
    assert (tmp_path / mnist.FILES[0]).read_bytes() == CONTENT[mnist.FILES[0]]
    assert "trying another host" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (404, 1, "404 Not Found"),
        (503, 75, "503 Service Unavailable"),
        (CONTENT[mnist.FILES[0]][::-1], 1, "the MD5 is "),
        (CONTENT[mnist.FILES[0]][:50], 75, "no answer"),
    ],
)
def test_nothing_is_kept_of_what_is_wrong(host, tmp_path, capsys, answer, code, words):
    host.answers[mnist.FILES[0]] = answer
    assert run(tmp_path) == code
    assert list(tmp_path.iterdir()) == []
    printed = capsys.readouterr().err
    assert words in printed
    assert "Traceback" not in printed


def test_no_host(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(mnist.HOSTS, "mnist", ("http://127.0.0.1:9/",))
    assert run(tmp_path) == 75
    assert "The same command tries again" in capsys.readouterr().err


def test_another_file_of_that_name_is_left(host, tmp_path, capsys):
    (tmp_path / mnist.FILES[1]).write_bytes(b"mine")
    assert run(tmp_path) == 1
    assert "is another file, or damaged" in capsys.readouterr().err
    assert (tmp_path / mnist.FILES[1]).read_bytes() == b"mine"


def test_categories_are_refused(host, tmp_path, capsys):
    assert run(tmp_path, "--categories=3") == 2
    assert "--kind=mnist is fetched whole" in capsys.readouterr().err


def test_every_file_has_a_checksum():
    assert {*mnist.HOSTS} == {*mnist.MD5}
    sums = [each for sums in mnist.MD5.values() for each in sums]
    assert len({*sums}) == len(sums) == 12
    assert all(len(bytes.fromhex(each)) == 16 for each in sums)
