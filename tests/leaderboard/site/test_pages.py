"""Pages and API of a running server: what people see in both languages, what the API answers."""

import gzip
import io
import json
import re
import zipfile
from pathlib import Path

import boarding
import pytest
from boarding import NOON, answers

from quickdraw.leaderboard.site import phrases
from quickdraw.leaderboard.store import moments, steering

TEMPLATES = Path(phrases.__file__).parent / "templates"


def zipped(data, *names, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, data)
    return file.getvalue()


def test_a_way_from_the_link_to_the_result(board):
    organiser = board.enter(None)
    csrf = organiser.csrf("/organiser")
    page = organiser.post("/organiser/teams", csrf=csrf, names="Rabbits\n토끼들")
    links = re.findall(r"/join/([\w-]+)", page.text)
    assert len(links) == 2
    team = board.browser()
    assert "member of the team Rabbits" in team.get(f"/join/{links[0]}").text
    page = team.post(f"/join/{links[0]}")
    assert "<h1>Rabbits</h1>" in page.text
    key = page.field("key")
    sent = team.post(
        "/entries", csrf=page.field("csrf"), key=key, message="first", file=answers(20)
    )
    assert "<h1>Entry 1</h1>" in sent.text and "first" in sent.text
    board.context.forget()
    assert "Rabbits" in board.browser().get("/board").text
    bad = team.post("/entries", csrf=page.field("csrf"), key="other", file=b"image_id,label\nx,1\n")
    assert "line 2: the solution has no id &#39;x&#39;" in bad.text
    assert "<dd>4</dd>" in team.get("/entries").text  # of five a day; the bad one does not count
    assert "✓ chosen" in team.post("/entries/1/chosen", csrf=page.field("csrf"), chosen="yes").text
    organiser.post("/organiser/end", csrf=csrf)
    assert "The organiser reveals the result" in board.browser().get("/board").text
    final = organiser.post("/organiser/reveal", csrf=csrf)
    assert "shake-up" in final.text and "right answers" in final.text
    log = organiser.get("/organiser/log").text
    for line in ("added &#39;Rabbits&#39;", "entered by a link", "revealed the results"):
        assert line in log


def test_the_api_takes_an_entry_and_tells_what_came_of_it(board):
    _, token = board.team("Rabbits")
    client = board.browser()
    answer = client.submit(token, answers(20), "k", "a message")
    assert answer.status == 200
    entry = answer.json
    assert (entry["status"], entry["rank"], entry["left_today"]) == ("scored", 1, 4)
    assert client.submit(token, answers(20), "k").json["number"] == entry["number"]
    refused = client.submit(token, b"image_id,label\nid000,x\n")
    assert refused.status == 422 and "line 2: the label" in refused.json["error"]
    authorised = {"Authorization": f"Bearer {token}"}
    listed = client.ask("GET", "/api/submissions", headers=authorised).json
    assert [each["status"] for each in listed] == ["refused", "scored"]
    chosen = client.ask("PUT", "/api/submissions/1/chosen", headers=authorised)
    assert chosen.json["chosen"] is True
    rules = client.get("/api/competition").json
    assert rules["labels"] == boarding.LABELS and rules["daily_limit"] == 5
    board.context.forget()
    (row,) = client.get("/api/board").json["rows"]
    assert row["team"] == "Rabbits" and row["score"] == entry["score"]
    calls = client.get("/openapi.json").json["paths"]
    assert "/api/submissions" in calls and not any("organiser" in path for path in calls)
    page = client.get("/api").text
    assert "POST /api/submissions" in page


def test_the_limit_of_a_day_is_told_and_a_new_day_begins(board):
    _, token = board.team("Rabbits")
    client = board.browser()
    for number in range(5):
        assert client.submit(token, answers(number)).status == 200
    answer = client.submit(token, answers(9))
    assert answer.status == 429 and "5 entries of today are used" in answer.json["error"]
    board.clock.advance(12 * 3600)
    assert client.submit(token, answers(9)).status == 200


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        lambda data: zipped(data, "p.csv"),
        lambda data: zipped(data, "__MACOSX/x", "p"),
    ],
    ids=["gz", "zip", "zip of a Mac"],
)
def test_packed_files_are_unpacked(board, pack):
    _, token = board.team("Rabbits")
    assert board.browser().submit(token, pack(answers(3))).json["status"] == "scored"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_pages_speak_the_browsers_language(board, language):
    browser = board.browser(f"{language}-XX,{language};q=0.9,fr;q=0.8")
    page = browser.get("/")
    assert f'<html lang="{language}">' in page.text
    assert ("규칙과 데이터" in page.text) == (language == "ko")
    other = {"ko": "en", "en": "ko"}[language]
    browser.get(f"/language/{other}")
    assert f'<html lang="{other}">' in browser.get("/").text


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ko", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("fr,ko;q=0.3,en;q=0.2", "ko"),
        ("ko;q=0.1,en;q=0.9", "en"),
        ("", "en"),
        ("*;q=x,,;;", "en"),
        ("fr", "en"),
    ],
)
def test_the_language_is_the_one_wanted_most(header, language):
    assert phrases.language_of(None, header) == language


def test_every_text_of_the_pages_is_there_in_korean():
    used = set()
    for path in TEMPLATES.glob("*.j2"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'_\("([^"]*)"', text))
        # A text outside of _(…) would stay English.
        bare = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}|<pre>.*?</pre>|<[^>]*>", " ", text, flags=re.S)
        for name in ("English", "quickdraw.leaderboard", "openapi.json"):
            bare = bare.replace(name, "")
        assert not re.search("[A-Za-z]{4,}", bare), path
    texts = phrases.korean()["texts"]
    assert used <= set(texts)
    assert set(texts) - used <= {"API", "queued", "scored", "refused"}
    for english, korean in texts.items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", korean))


def test_faults_are_told_in_korean(board):
    _, token = board.team("Rabbits")
    error = board.browser().submit(token, b"image_id,label\nid000,9\nx,1\nid000,1\n").json["error"]
    told = phrases.translate_error("ko", error).splitlines()
    assert told[0].startswith("잘못 ") and "2번째 줄" in told[1]
    assert not any(re.search("[a-z]{4}", line) for line in told)
    assert phrases.translate_error("en", error) == error


def test_nothing_of_the_private_half_is_told_before_the_reveal(board):
    """Whatever a team or a guest can read is the same, whatever the private answers were."""
    contest = board.context.competition()
    from quickdraw.leaderboard.store.competition import read_solution

    _, public = read_solution(board.database, contest)
    seen = []
    for name, wrong in (("One", 0), ("Two", 100)):
        browser, token = board.team(name)
        ids = [key for key, is_public in zip(boarding.RIGHT, public, strict=True) if not is_public]
        spoilt = {key: (boarding.RIGHT[key] + 1) % 4 for key in ids[:wrong]}
        answer = browser.submit(token, boarding.rows(boarding.RIGHT | spoilt), "k")
        entry = answer.json
        pages = [browser.get(path).text for path in (f"/entries/{entry['number']}",)]
        own = {key: entry[key] for key in entry if key not in ("number", "file")}
        text = json.dumps(own) + re.sub(r"Entry \d+|sha256 \w+", "", "".join(pages))
        seen.append(text)
    assert seen[0] == seen[1]
    everything = board.browser().get("/api/board").text + board.browser().get("/board").text
    assert "private_points" not in everything and "right" not in everything.replace(
        "right answers", ""
    )


def test_the_secret_and_the_solution_are_in_no_answer(board):
    browser, token = board.team("Rabbits")
    contest = board.context.competition()
    paths = ["/", "/board", "/entries", "/api", "/openapi.json", "/api/board", "/api/competition"]
    texts = [browser.get(path).text for path in paths]
    texts.append(browser.submit(token, b"image_id,label\n" + b"id000,0\n" * 30).text)
    for text in texts:
        assert contest.secret.hex() not in text and contest.solution not in text
        assert "id001,1" not in text


def test_an_entry_in_the_queue_has_a_place(board, monkeypatch):
    browser, token = board.team("Rabbits")
    monkeypatch.setattr(board.context.scorer, "_lease", lambda large: None)
    object.__setattr__(board.context.limits, "wait_seconds", 0.1)
    assert browser.submit(token, answers(1)).json["place"] == 1
    second = browser.submit(token, answers(2))
    assert second.status == 202 and second.json["place"] == 2
    assert "place 2" in browser.get(f"/entries/{second.json['number']}").text


def test_the_board_has_pages(board):
    names = [f"Group {n}" for n in range(201)]
    from quickdraw.leaderboard.store import schema, team_table

    with board.database.writing() as connection:
        for name in names:
            team_table.add(connection, name, NOON)
        connection.execute(schema.teams.update().values(best_shown=3, best_at=NOON, entries=1))
    page = board.browser().get("/board")
    assert page.text.count('class="score"') == 200 and 'href="/board?page=2"' in page.text
    assert board.browser().get("/board?page=2").text.count('class="score"') == 1


def test_the_chart_rises(board):
    browser, token = board.team("Rabbits")
    for wrong in (60, 20):
        browser.submit(token, answers(wrong))
        board.clock.advance(60)
    board.context.forget()
    text = browser.get("/board").text
    (points,) = re.findall(r'<polyline class="c0" points="([^"]*)"', text)
    heights = [float(point.split(",")[1]) for point in points.split()]
    assert heights == sorted(heights, reverse=True) and heights[0] > heights[-1]


def test_the_organiser_sees_any_entry_and_probing(board):
    browser, token = board.team("Rabbits")
    for wrong in range(4):
        browser.submit(token, answers(wrong))
    organiser = board.enter(None)
    assert "3 entries differ in a few answers" in organiser.get("/organiser").text
    page = organiser.get("/organiser/teams/1").text
    assert "in a few answers" in page and "100.00 %" in page
    file = organiser.get("/organiser/entries/1/file")
    assert file.body == answers(0)
    assert "attachment" in file.headers["content-disposition"]


def test_the_organiser_disqualifies_and_the_team_reads_why(board):
    browser, token = board.team("Rabbits")
    browser.submit(token, answers(1))
    organiser = board.enter(None)
    csrf = organiser.csrf("/organiser")
    refused = organiser.post("/organiser/teams/1/disqualify", csrf=csrf, reason="")
    assert refused.status == 400 and "A reason is needed" in refused.text
    organiser.post("/organiser/teams/1/disqualify", csrf=csrf, reason="<two> accounts")
    assert "disqualified: &lt;two&gt; accounts" in browser.get("/entries").text
    assert "Rabbits" not in browser.get("/board").text


def test_the_organiser_changes_limits_and_the_end(board):
    organiser = board.enter(None)
    csrf = organiser.csrf("/organiser")
    values = {"daily_limit": 9, "total_limit": 30, "final_choices": 1, "starts": ""}
    organiser.post("/organiser/settings", csrf=csrf, ends="2026-12-31 18:00", **values)
    page = board.browser().get("/").text
    assert "2026-12-31 18:00" in page and "<dd>9</dd>" in page
    bad = organiser.post("/organiser/settings", csrf=csrf, ends="tomorrow", **values)
    assert bad.status == 400 and "A time such as" in bad.text


def test_shutting_out_ends_sessions_tokens_and_links(board):
    browser, token = board.team("Rabbits")
    organiser = board.enter(None)
    csrf = organiser.csrf("/organiser")
    page = organiser.post("/organiser/teams/1/link", csrf=csrf, anew="yes")
    assert browser.get("/entries").status == 401
    assert browser.submit(token, answers()).status == 401
    (code,) = re.findall(r"/join/([\w-]+)", page.text)
    assert "<h1>Rabbits</h1>" in board.browser().post(f"/join/{code}").text


def test_late_entries_say_so(board):
    browser, token = board.team("Rabbits")
    steering.end(board.database, NOON, "me")
    board.clock.advance(60)
    answer = browser.submit(token, answers(1))
    assert answer.json["late"] and answer.json["rank"] is None
    assert "does not count" in browser.get("/entries/1").text


def test_a_member_invites_another_and_leaves(board):
    browser, _ = board.team("Rabbits")
    csrf = browser.csrf()
    page = browser.post("/invite", csrf=csrf)
    (code,) = re.findall(r"/join/([\w-]+)", page.text)
    friend = board.browser()
    friend.post(f"/join/{code}")
    assert friend.get("/entries").status == 200
    session = browser.cookies["session"]
    browser.post("/leave", csrf=csrf)
    browser.cookies["session"] = session
    assert browser.get("/entries").status == 401  # the cookie alone does not come back
    assert friend.get("/entries").status == 200


def test_times_are_those_of_the_competition(board):
    browser, token = board.team("Rabbits")
    browser.submit(token, answers(1))
    assert moments.text(NOON, "Asia/Seoul") in browser.get("/entries/1").text
