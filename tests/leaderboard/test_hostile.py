"""Hostile input: refused or harmless, told in a line, and the server goes on."""

import gzip
import io
import json
import re
import socket
import threading
import time
import zipfile

import boarding
import pytest
from boarding import Browser, answers, multipart

from quickdraw.leaderboard.site import protocol
from quickdraw.leaderboard.site import site_guards as guards
from quickdraw.leaderboard.site.context import Limits
from quickdraw.leaderboard.store import entry_table as entries
from quickdraw.leaderboard.store import schema
from quickdraw.leaderboard.store.database import Database

EVIL = "<script>alert(1)</script>"
QUOTED = "\"'><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One server for all, with two teams; every test leaves it running."""
    database = Database(str(tmp_path_factory.mktemp("hostile") / "c.db"), create=True)
    boarding.make_competition(database, daily_limit=100_000, total_limit=100_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "MOST_REFUSED_A_DAY", 1_000)
        with boarding.serve(database, Limits(size=1 << 20, address_uploads=100_000)) as running:
            running.context.team_uploads = guards.Rate(100_000)
            running.context.wrong_secrets = guards.Rate(100_000)
            running.rabbits = running.team("Rabbits")
            running.foxes = running.team("Foxes")
            yield running
    database.close()


@pytest.fixture(autouse=True)
def _goes_on(place):
    """After whatever a test did, the server answers, and no table is gone."""
    yield
    assert place.browser().get("/healthz").status == 200
    with place.database.reading() as connection:
        assert connection.execute(schema.teams.select()).all()


FAULTY = {
    "empty": b"",
    "only a header": b"image_id,label\n",
    "another header": b"id,class\na,1\n",
    "negative": b"image_id,label\nid000,-1\n",
    "NaN": b"image_id,label\nid000,nan\n",
    "infinity": b"image_id,label\nid000,inf\n",
    "a float": b"image_id,label\nid000,1.0\n",
    "exponent": b"image_id,label\nid000,1e0\n",
    "hexadecimal": b"image_id,label\nid000,0x1\n",
    "a huge number": b"image_id,label\nid000," + b"9" * 5000 + b"\n",
    "digits of another script": "image_id,label\nid000,９\n".encode(),
    "superscript": "image_id,label\nid000,²\n".encode(),
    "SQL as an id": b'image_id,label\n"\'; DROP TABLE teams; --",1\n',
    "SQL as a label": b"image_id,label\nid000,1; DROP TABLE teams\n",
    "HTML as an id": f"image_id,label\n{EVIL},1\n".encode(),
    "a formula as a label": b"image_id,label\nid000,=1+1\n",
    "NUL": b"image_id,label\nid\x00000,1\n",
    "not UTF-8": b"image_id,label\n\xff\xfe\xfd,1\n",
    "UTF-16": "image_id,label\nid000,1\n".encode("utf-16"),
    "a quote that never ends": b'image_id,label\n"' + b"a,0\n" * 100_000,
    "a line that never ends": b"image_id,label\n" + b"a" * 900_000,
    "a thousand columns": b"image_id,label\n" + b"a," * 1000 + b"\n",
    "a line of a million commas": b"image_id,label\n" + b"," * 900_000,
    "doubled ids": b"image_id,label\n" + b"id000,0\n" * 50_000,
    "unknown ids": b"image_id,label\n" + b"x,0\n" * 200_000,
    "another team's words": b"key_id,word\nid000,cat dog sun cat\n",
    "an unknown word": b"key_id,word\nid000,zebra\n",
    "a pickle": b"\x80\x04\x95cos\nsystem\n(S'id'\ntR.",
    "an ELF file": b"\x7fELF" + b"\x00" * 1000,
    "a PNG": b"\x89PNG\r\n\x1a\n" + b"\x00" * 1000,
    "JSON": b'{"id000": 1}',
    "a bidirectional override": "image_id,label\n\u202eid000,1\n".encode(),
}


@pytest.mark.parametrize("data", FAULTY.values(), ids=FAULTY)
def test_a_faulty_file_is_refused_in_a_few_short_lines(place, data):
    _, token = place.rabbits
    start = time.monotonic()
    answer = place.browser().submit(token, data)
    assert answer.status == 422, answer.text[:500]
    assert answer.json["status"] == "refused" and answer.json["score"] is None
    assert len(answer.json["error"]) < 6000
    assert "Traceback" not in answer.text
    assert time.monotonic() - start < 5
    browser, _ = place.rabbits
    page = browser.get(f"/entries/{answer.json['number']}")
    assert page.status == 200 and EVIL not in page.text


def zip_of(files, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def encrypted():
    data = bytearray(zip_of({"p.csv": answers()}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = data.index(mark) + (6 if mark[2] == 3 else 8)
        data[at] |= 1
    return bytes(data)


BOMBS = {
    "gz bomb": gzip.compress(b"\x00" * 300_000_000, 9)[: 1 << 20],
    "gz in gz": gzip.compress(gzip.compress(answers())),
    "gz that is cut off": gzip.compress(answers())[:-20],
    "gz with a wrong checksum": gzip.compress(answers())[:-8] + b"\x00" * 8,
    "gz of nothing": gzip.compress(b""),
    "zip bomb": zip_of({"p.csv": b"\x00" * 50_000_000}),
    "zip of two": zip_of({"a.csv": answers(), "b.csv": answers()}),
    "zip of none": zip_of({"folder/": b""}),
    "zip of 20,000 names": zip_of({f"{n}": b"" for n in range(8000)}),
    "zip in zip": zip_of({"p.csv": zip_of({"p.csv": answers()})}),
    "zip with a path": zip_of({"../../../../etc/cron.d/x": b"image_id,label\n"}),
    "zip with an absolute path": zip_of({"/etc/passwd": b"image_id,label\n"}),
    "encrypted zip": encrypted(),
    "zip with another method": zip_of({"p.csv": answers()}, zipfile.ZIP_LZMA),
    "zip that is cut off": zip_of({"p.csv": answers()})[:-30],
    "zip without a list": b"PK\x03\x04" + b"\x00" * 5000,
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(place, data):
    _, token = place.rabbits
    start = time.monotonic()
    answer = place.browser().submit(token, data)
    assert answer.status in (400, 422), answer.text
    assert len(answer.text) < 8000 and "Traceback" not in answer.text
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a\\b", EVIL, "nul.con", "x" * 5000]
)
def test_the_name_of_an_upload_is_not_used(place, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    browser, _ = place.rabbits
    fields = {"csrf": browser.csrf(), "key": name[:50], "file": answers(7)}
    body, kind = multipart(fields, file_name=name)
    answer = browser.ask("POST", "/entries", body, {"Content-Type": kind})
    if len(name) > 1000:  # a head of a part that long is none
        assert answer.status == 400
        return
    assert answer.status == 303
    page = browser.get(answer.headers["location"]).text
    assert name not in page and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", [EVIL, QUOTED, "{{ 7 * 7 }}", "{% include 'x' %}", "</td></table>", "=cmd()"]
)
def test_what_teams_write_is_text(place, text):
    name = f"{text[:30]} {abs(hash(text)) % 997}"
    browser, token = place.team(name)
    number = browser.submit(token, answers(5), message=text).json["number"]
    organiser = place.enter(None)
    place.context.forget()
    team = re.findall(r'/organiser/teams/(\d+)"', organiser.get("/organiser").text)
    pages = [browser.get("/board"), browser.get("/entries"), browser.get(f"/entries/{number}")]
    pages += [organiser.get("/organiser"), organiser.get("/organiser/log")]
    pages += [organiser.get(f"/organiser/teams/{each}") for each in team]
    for page in pages:
        assert page.status == 200
        assert "<script>alert" not in page.text and "<img src=x" not in page.text
        assert " 49 " not in page.text.replace(name, "")


@pytest.mark.parametrize(
    "cookie",
    [
        "x",
        "' OR '1'='1",
        "../../x",
        "a" * 8000,
        json.dumps({"team": None}),
        "eyJhbGciOiJub25lIn0.eyJ0ZWFtIjpudWxsfQ.",
        "\x80\xff",
        "0" * 64,
    ],
    ids=lambda cookie: repr(cookie)[:30],
)
def test_a_forged_cookie_is_nobody(place, cookie):
    browser = place.browser()
    browser.cookies["session"] = cookie
    assert browser.get("/entries").status == 401
    assert browser.get("/organiser").status == 404
    assert browser.get("/").status == 200


def test_the_hash_of_a_session_is_no_session(place):
    with place.database.reading() as connection:
        stored = connection.execute(schema.sessions.select()).first().token
    browser = place.browser()
    browser.cookies["session"] = stored
    assert browser.get("/entries").status == 401


@pytest.mark.parametrize("token", ["", "x", "qd_" + "A" * 32, "' OR 1=1 --", "A" * 5000, "é"])
def test_a_wrong_token_is_refused(place, token):
    header = {"Authorization": f"Bearer {token}".encode("latin-1").decode("latin-1")}
    answer = place.browser().ask("POST", "/api/submissions", answers(), header)
    assert answer.status == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/entries/{number}"),
        ("POST", "/entries/{number}/chosen"),
        ("GET", "/api/submissions/{number}"),
        ("PUT", "/api/submissions/{number}/chosen"),
        ("GET", "/organiser/entries/{number}/file"),
        ("GET", "/organiser/teams/1"),
        ("GET", "/organiser/log"),
        ("POST", "/organiser/end"),
        ("POST", "/organiser/reveal"),
        ("POST", "/organiser/teams/1/disqualify"),
    ],
)
def test_what_belongs_to_others_is_not_there(place, method, path):
    _, token = place.rabbits
    number = place.browser().submit(token, answers(11)).json["number"]
    fox, fox_token = place.foxes
    path = path.format(number=number)
    if method == "POST":
        answer = fox.post(path, csrf=fox.csrf(), chosen="yes", reason="x")
    else:
        headers = {"Authorization": f"Bearer {fox_token}"} if "/api/" in path else {}
        answer = fox.ask(method, path, headers=headers)
    assert answer.status in (400, 404)
    with place.database.reading() as connection:
        assert not entries.of_number(connection, number, None).chosen
    assert not place.context.competition().ended(place.clock())


@pytest.mark.parametrize(
    "number", ["0", "-1", "99999999999999999999", "1.5", "abc", "1;DROP", "%00"]
)
def test_a_number_that_is_none_is_told(place, number):
    browser, token = place.rabbits
    for path in (f"/entries/{number}", f"/api/submissions/{number}"):
        answer = browser.ask("GET", path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status in (400, 404, 422) and "Traceback" not in answer.text


POSTS = ["/entries", "/entries/1/chosen", "/token", "/invite", "/leave"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("csrf", ["", "0" * 64, "é"])
def test_a_form_of_another_site_is_refused(place, path, csrf):
    browser, _ = place.rabbits
    assert browser.post(path, csrf=csrf, file=answers()).status == 403
    assert browser.get("/entries").status == 200


def test_a_form_that_a_browser_says_comes_from_elsewhere_is_refused(place):
    browser, _ = place.rabbits
    body, kind = multipart({"csrf": browser.csrf()})
    headers = {"Content-Type": kind, "Sec-Fetch-Site": "cross-site"}
    assert browser.ask("POST", "/token", body, headers).status == 403
    assert place.browser().ask("POST", "/join/x", body, headers).status == 403


def test_the_form_token_of_one_session_is_none_of_another(place):
    rabbit, fox = place.rabbits[0], place.foxes[0]
    assert rabbit.post("/token", csrf=fox.csrf()).status == 403


@pytest.mark.parametrize("path", ["/organiser/end", "/leave", "/token", "/entries/1/chosen"])
def test_nothing_is_changed_by_a_link(place, path):
    assert place.rabbits[0].get(path).status in (404, 405)


def test_cookies_are_closed_to_scripts_and_other_sites(sqlite):
    boarding.make_competition(sqlite)
    with boarding.serve(sqlite, url="https://example.org") as board:
        browser = board.browser()
        from quickdraw.leaderboard.store import access

        with sqlite.writing() as connection:
            code = access.invite(connection, None, board.clock())
        body, kind = multipart({})
        answer = browser.ask("POST", f"/join/{code}", body, {"Content-Type": kind})
        (cookie,) = answer.cookies
        for part in ("__Host-session=", "HttpOnly", "SameSite=lax", "Secure", "Path=/"):
            assert part in cookie
        assert "strict-transport-security" in answer.headers


@pytest.mark.parametrize(
    "path", ["/", "/board", "/nowhere", "/api/board", "/static/board.js", "/entries"]
)
def test_every_answer_has_the_headers_that_protect(place, path):
    headers = place.browser().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_no_page_has_a_script_or_a_style_of_its_own(place):
    organiser = place.enter(None)
    for path in ("/", "/board", "/organiser", "/organiser/log", "/api"):
        text = re.sub('"[^"]*"', '""', organiser.get(path).text)  # names stand between quotes, too
        assert not re.search(r"<script(?! src)|<[^>]*\s(on\w+|style)=|<style", text), path


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
    try:
        got = raw(place.port, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 64)
    except ConnectionError:
        got = b"HTTP/1.1 413"  # closed while we were sending
    assert got.startswith(b"HTTP/1.1 413")
    body, kind = multipart({"csrf": "x" * 2_000_000})
    answer = place.browser().ask("POST", "/leave", body, {"Content-Type": kind})
    assert answer.status == 413


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
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
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


def test_guessing_tokens_is_slowed_down(board):
    browser = board.browser()
    found = [browser.submit(f"qd_{number}", b"").status for number in range(40)]
    assert found[:20] == [401] * 20 and found[-1] == 429
    _, token = board.team("Rabbits")
    assert browser.submit(token, answers()).status == 200  # whoever has one is let in


def test_guessing_links_is_slowed_down(board):
    browser = board.browser()
    texts = [browser.get(f"/join/{number}").text for number in range(120)]
    assert "used before" in texts[0] and "too many attempts" in texts[-1]


def test_a_team_cannot_flood(board):
    _, token = board.team("Rabbits")
    found = [board.browser().submit(token, b"x", str(number)).status for number in range(32)]
    assert found[0] == 422 and found[-1] == 429


def test_an_address_cannot_flood(sqlite):
    boarding.make_competition(sqlite)
    with boarding.serve(sqlite, Limits(address_uploads=3)) as board:
        tokens = [board.team(name)[1] for name in ("A1", "B2", "C3", "D4")]
        found = [board.browser().submit(token, answers(), "k").status for token in tokens]
    assert found == [200, 200, 200, 429]


def test_x_forwarded_for_is_not_believed(board):
    for number in range(40):
        headers = {"Authorization": "Bearer qd_x", "X-Forwarded-For": f"10.0.0.{number}"}
        answer = board.browser().ask("POST", "/api/submissions", b"", headers)
    assert answer.status == 429


@pytest.mark.parametrize("host", ["evil.example", "x/<script>", "a" * 2000])
def test_a_forged_host_is_harmless(place, host):
    page = place.browser().get("/", Host=host)
    assert (
        page.status in (200, 400)
        and "<script>alert" not in page.text
        and "x/<script>" not in page.text
    )


def test_a_list_of_a_hundred_fields_is_refused(place):
    browser, _ = place.rabbits
    body, kind = multipart({f"f{number}": "x" for number in range(100)})
    assert browser.ask("POST", "/token", body, {"Content-Type": kind}).status in (400, 403)


def test_a_message_of_a_megabyte_is_refused_or_cut(place):
    browser, token = place.rabbits
    assert browser.submit(token, answers(), message="x" * 5000).status == 422
    fields = {"csrf": browser.csrf(), "key": "long", "message": "y" * 100_000, "file": answers(16)}
    page = browser.post("/entries", **fields)
    assert page.status == 200 and page.text.count("y" * 500) == 1 and "y" * 501 not in page.text


def test_two_limits_cannot_be_tricked_by_other_methods(place):
    for method in ("DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND", "HEAD"):
        assert place.browser().ask(method, "/api/submissions").status in (404, 405)


def test_a_path_leads_to_no_file(place):
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/..%2f..%2fetc/passwd", "/static/"):
        assert place.browser().get(path).status == 404


def test_the_clients_board_prints_no_control_sequences(place, capsys):
    from quickdraw.leaderboard.commands import show_board

    row = {"rank": 1, "team": "\x1b[2Jx", "score": 0.5, "entries": 1, "last": "", "moved": None}
    assert "\x1b" not in show_board._line({**row, "baseline": False})


def test_there_are_at_least_sixty(request):
    own = [item for item in request.session.items if item.fspath == request.fspath]
    assert len(own) > 120 or len(own) < 5, len(own)  # fewer: one test was asked for


assert Browser
