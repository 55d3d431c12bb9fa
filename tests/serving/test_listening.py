"""The socket of a server, and the addresses that are told."""

from __future__ import annotations

import subprocess
import sys

import pytest

from quickdraw.errors import QuickdrawError
from quickdraw.serving import listening


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("camp.local", "http://camp.local:8000"),
    ],
)
def test_the_address_that_is_told_can_be_opened(host, told):
    assert listening.url(host, 8000) == told


def test_others_are_told_an_address_only_where_they_can_reach_it(monkeypatch):
    monkeypatch.setattr(listening, "own_address", lambda: "192.0.2.7")
    assert listening.url_for_others("0.0.0.0", 80) == "http://192.0.2.7:80"
    assert listening.url_for_others("127.0.0.1", 80) is None
    monkeypatch.setattr(listening, "own_address", lambda: None)
    assert listening.url_for_others("0.0.0.0", 80) is None


def test_a_port_in_use_is_a_line():
    told = r"cannot listen on .*in use.*--port"
    with (
        listening.listening("127.0.0.1", 0) as taken,
        pytest.raises(QuickdrawError, match=told) as caught,
    ):
        listening.listening("127.0.0.1", taken.getsockname()[1])
    assert "\n" not in str(caught.value)


def test_more_files_may_be_open_than_a_shell_allows():
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 1000:
        pytest.skip("needs a limit that can be raised")
    code = (
        "import resource as r; most = r.getrlimit(r.RLIMIT_NOFILE)[1]; "
        "r.setrlimit(r.RLIMIT_NOFILE, (256, most)); "
        "from quickdraw.serving.listening import listening; listening('127.0.0.1', 0).close(); "
        "print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) >= 1000
