"""Hostile visitors: forged cookies and tokens, others' things, forms of other sites, floods."""

import json
import re
import threading
import urllib.parse

import boarding
import pytest
from boarding import answers, multipart

from quickdraw.leaderboard.site.context import Limits
from quickdraw.leaderboard.store import access, schema, steering, team_table
from quickdraw.leaderboard.store import entry_table as entries

pytestmark = pytest.mark.usefixtures("goes_on")


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


def test_guessing_tokens_is_slowed_down(board):
    browser = board.browser()
    found = [browser.submit(f"qd_{number}", b"").status for number in range(40)]
    assert found[:20] == [401] * 20 and found[-1] == 429
    _, token = board.team("Rabbits")
    assert browser.submit(token, answers()).status == 200  # whoever has one is let in


def test_guessing_links_is_slowed_down(board):
    browser = board.browser()
    texts = [browser.get(f"/join/{number}").text for number in range(120)]
    assert "used before" in texts[0] and "Too many attempts" in texts[-1]


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


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil", "x\r\nA: b"])
def test_a_language_leads_to_no_other_site(place, back):
    query = urllib.parse.urlencode({"back": back})
    answer = place.browser().ask("GET", f"/language/ko?{query}")
    assert answer.status == 303 and answer.headers["location"] == "/" and "a" not in answer.headers


@pytest.mark.parametrize("value", ["fr", "../ko", "<script>", "k" * 3000])
def test_a_language_that_is_none_is_english(place, value):
    browser = place.browser()
    browser.cookies["language"] = value
    page = browser.get("/", **{"Accept-Language": "x;q=" + "9" * 3000})
    assert '<html lang="en">' in page.text and value not in page.text


@pytest.mark.parametrize("code", ["%3Cscript%3E", "%00", "a" * 3000, "'%20OR%201=1%20--"])
def test_a_link_that_is_none_is_told(place, code):
    for ask in (place.browser().get, place.browser().post):
        answer = ask(f"/join/{code}")
        assert answer.status in (400, 404) and "<script>" not in answer.text
        assert not answer.cookies


def test_a_link_is_used_once_whoever_is_first(place):
    """Two at one time: one comes in, the other is told."""
    with place.database.writing() as connection:
        code = access.invite(connection, 1, place.clock())
    found = []
    threads = [
        threading.Thread(
            target=lambda: found.append(place.browser().post(f"/join/{code}", follow=False).status)
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [303, 400, 400, 400]


@pytest.mark.parametrize("page", ["0", "-1", "99999999999", "x", "1'--"])
def test_a_page_of_the_board_that_is_none_is_told(place, page):
    assert place.browser().get(f"/board?page={page.replace(chr(39), '%27')}").status == 422


@pytest.mark.parametrize(
    ("key", "status"), [("'; DROP TABLE teams; --", 200), ("k" * 101, 422), ("ключ".encode(), 200)]
)
def test_an_idempotency_key_is_only_a_text(place, key, status):
    key = key.decode("latin-1") if isinstance(key, bytes) else key
    assert place.browser().submit(place.rabbits[1], answers(17), key).status == status


def test_a_name_that_looks_like_anothers_is_refused_on_the_page(place):
    organiser = place.enter(None)
    page = organiser.post("/organiser/teams", csrf=organiser.csrf("/organiser"), names="Rаbbits")
    assert page.status == 400 and "looks like" in page.text


def test_whoever_is_removed_is_out(place):
    browser, token = place.team("Passing by")
    with place.database.reading() as connection:
        team = team_table.named(connection, "Passing by").id
    steering.remove(place.database, team, place.clock(), "me")
    assert browser.get("/entries").status == 401
    assert browser.submit(token, answers()).status == 401
