"""Hostile requests: none at all, too large, too slow, sent twice, raced; the server goes on."""

import socket
import threading
import time

import pytest
from boarding import answers, multipart

from quickdraw import lingering
from quickdraw.leaderboard.site import site_guards as guards

pytestmark = pytest.mark.usefixtures("goes_on")


def raw(port, data, seconds=3.0):
    """Send bytes as they are; return what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(data)
        got = b""
        try:
            while part := connection.recv(4096):
                got += part
        except TimeoutError:
            got += b"(still open)"
        return got


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/submissions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /leave HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /organiser HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a\r\nSet-Cookie: session=x HTTP/1.1\r\n\r\n",
        b"\x00" * 1000,
    ],
    ids=[
        "header",
        "headers",
        "path",
        "TLS",
        "version",
        "negative",
        "two lengths",
        "smuggling",
        "splitting",
        "NUL",
    ],
)
def test_a_request_that_is_none_is_refused(place, data):
    got = raw(place.port, data, 1.0)
    harmless = (b"HTTP/1.1 4", b"(still open)", *([b"HTTP/1.1 200"] * (b"9.9" in data)))
    assert got.startswith(harmless) or got == b"", got[:200]
    assert b"set-cookie: session" not in got.lower()


def test_a_body_larger_than_told_or_allowed_is_refused(place):
    _, token = place.rabbits
    head = f"POST /api/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    told = raw(place.port, f"{head}Content-Length: 99999999999\r\n\r\n".encode())
    assert told.startswith(b"HTTP/1.1 413")
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    got = raw(place.port, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 64)
    assert got.startswith(b"HTTP/1.1 413") and b"at most 1 MB expected" in got
    body, kind = multipart({"csrf": "x" * 2_000_000})
    answer = place.browser().ask("POST", "/leave", body, {"Content-Type": kind})
    assert answer.status == 413


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("X: a", ("401",)),
        ("Authorization: Bearer {token}", ("413",)),
        ("X: " + "a" * 20_000, ("400", "431")),  # as the head comes in pieces, or at once
    ],
)
def test_who_sends_all_before_they_read_is_told_why_it_is_refused(place, line, answers):
    body = b"a" * (20 << 20)
    line = line.format(token=place.rabbits[1])
    head = f"POST /api/submissions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{line}"
    got = raw(place.port, f"{head}\r\n\r\n".encode() + body, 60)
    assert got[:12].decode() in [f"HTTP/1.1 {answer}" for answer in answers]
    assert b"connection: close" in got.lower()


def test_a_slow_upload_is_cut_off(place, monkeypatch):
    monkeypatch.setattr(guards, "_BODY_IDLE_SECONDS", 0.3)
    _, token = place.rabbits
    head = f"POST /api/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    got = raw(place.port, f"{head}Content-Length: 1000\r\n\r\nimage_id".encode())
    assert got.startswith(b"HTTP/1.1 408")


def test_a_drip_of_bytes_is_cut_off(place, monkeypatch):
    monkeypatch.setattr(guards, "_BODY_SECONDS", 0.5)
    _, token = place.rabbits
    head = f"POST /api/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    with socket.create_connection(("127.0.0.1", place.port), timeout=5) as connection:
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode())
        start = time.monotonic()
        connection.settimeout(0.05)
        got = b""
        while not got and time.monotonic() - start < 5:
            connection.sendall(b"a")
            try:
                got = connection.recv(100)
            except TimeoutError:
                continue
    assert got.startswith(b"HTTP/1.1 408")


def test_a_slow_head_is_cut_off(place, monkeypatch):
    monkeypatch.setattr(lingering, "HEAD_SECONDS", 0.3)
    assert raw(place.port, b"GET / HTTP/1.1\r\nHost:") == b""
    assert raw(place.port, b"") == b""


def test_an_upload_that_breaks_off_leaves_nothing(place):
    _, token = place.rabbits
    before = len(
        place.browser()
        .ask("GET", "/api/submissions", headers={"Authorization": f"Bearer {token}"})
        .json
    )
    head = f"POST /api/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    with socket.create_connection(("127.0.0.1", place.port), timeout=5) as connection:
        connection.sendall(f"{head}Content-Length: 3000\r\n\r\nimage_id,label\nid000,0\n".encode())
    time.sleep(0.2)
    after = place.browser().ask(
        "GET", "/api/submissions", headers={"Authorization": f"Bearer {token}"}
    )
    assert len(after.json) == before


def test_a_request_that_is_replayed_is_one_entry(place):
    _, token = place.rabbits
    numbers = {
        place.browser().submit(token, answers(13), "replay").json["number"] for _ in range(3)
    }
    assert len(numbers) == 1
    fox = place.browser().submit(place.foxes[1], answers(13), "replay")
    assert fox.json["number"] not in numbers  # a key is the team's own
    other = place.browser().submit(token, answers(14), "replay")
    assert other.status == 400 and "used for another file" in other.json["error"]


def test_a_form_sent_twice_is_one_entry(place):
    browser, _ = place.rabbits
    page = browser.get("/entries")
    fields = {"csrf": page.field("csrf"), "key": page.field("key"), "file": answers(15)}
    one, two = (browser.post("/entries", follow=False, **fields) for _ in range(2))
    assert one.headers["location"] == two.headers["location"]


def test_of_two_for_the_last_entry_of_the_day_one_is_refused(board):
    _, token = board.team("Rabbits")
    for number in range(4):
        board.browser().submit(token, answers(number))
    found = []
    threads = [
        threading.Thread(
            target=lambda n=n: found.append(board.browser().submit(token, answers(n)).status)
        )
        for n in (20, 21)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200, 429]


def test_a_list_of_a_hundred_fields_is_refused(place):
    browser, _ = place.rabbits
    body, kind = multipart({f"f{number}": "x" for number in range(100)})
    assert browser.ask("POST", "/token", body, {"Content-Type": kind}).status in (400, 403)


def test_two_limits_cannot_be_tricked_by_other_methods(place):
    for method in ("DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND", "HEAD"):
        assert place.browser().ask(method, "/api/submissions").status in (404, 405)


def test_a_path_leads_to_no_file(place):
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/..%2f..%2fetc/passwd", "/static/"):
        assert place.browser().get(path).status == 404
