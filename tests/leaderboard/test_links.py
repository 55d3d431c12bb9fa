"""Every link that a page shows leads somewhere: for guests, teams and the organiser."""

import re

import boarding
import pytest
from boarding import NOON, answers
from onnx_files import onnx_file

from quickdraw.leaderboard.site.context import Limits
from quickdraw.leaderboard.store import competition, live_final, steering
from quickdraw.leaderboard.store.database import Database


@pytest.fixture(params=["predictions", "draw_off"])
def place(request, tmp_path):
    """A competition of each kind, with a team's good entry and its bad one."""
    database = Database(str(tmp_path / "c.db"), create=True)
    if request.param == "predictions":
        boarding.make_competition(database)
    else:
        pytest.importorskip("onnxruntime")
        settings = {**boarding.SETTINGS, "metric": "draw_off"}
        competition.create_live(database, "Final", settings)
    with boarding.serve(database, Limits(size=1 << 20)) as running:
        yield running
    database.close()


def links_of(browser, path):
    """The links of a page of ours, without what comes after # or leads to others."""
    answer = browser.get(path)
    assert answer.status == 200, f"{path}: {answer.status}"
    if "text/html" not in answer.headers["content-type"]:
        return set()
    found = re.findall(r'<a [^>]*href="([^"#]+)', answer.text)
    return {link for link in found if not link.startswith(("http://", "https://"))}


def walked(browser):
    """All pages that can be reached from the front page; fails where one refuses."""
    seen, left = set(), ["/"]
    while left:
        path = left.pop()
        if path.startswith("/language/"):
            assert browser.get(path).status == 303
            back = path.partition("?back=")[2]
            left += [back] if back and back not in seen else []
        elif path not in seen:
            seen.add(path)
            left += sorted(links_of(browser, path) - seen)
    return seen


def everybody(board, team):
    return {
        "guest": (board.browser(), set()),
        "team": (team, {"/entries"}),
        "organiser": (board.enter(None), {"/organiser", "/organiser/log"}),
    }


def check_all(board, team):
    board.context.forget()
    own = {path for _, paths in everybody(board, team).values() for path in paths}
    for who, (browser, paths) in everybody(board, team).items():
        pages = walked(browser)
        assert own & pages == paths, who
        assert {"/", "/board", "/api"} <= pages, who
    return pages


def test_every_link_of_every_page_may_be_followed(place):
    team, token = place.team("Rabbits")
    assert "/organiser/final/models" not in check_all(place, team)
    live = place.context.competition().live
    good = onnx_file() if live else answers(20)
    for data in (good, b"a bad one"):
        place.browser().submit(token, data)
    assert "/entries/2" in walked(team)
    pages = check_all(place, team)
    assert {"/organiser/teams/1", "/organiser/entries/1/file"} <= pages
    assert ("/organiser/final/models" in pages) == live
    steering.end(place.database, NOON, "me")
    check_all(place, team)
    if live:
        digits = boarding.entry(place.database, 1).file[:16]
        rows = f"points,hits,mean_log_probability,file\n1.0,1,-0.5,{digits}\n"
        live_final.take_results(place.database, rows, "s.csv", NOON, "me")
    else:
        steering.reveal(place.database, NOON, "me")
    check_all(place, team)


def test_a_refusal_leads_its_reader_on(place):
    """A page that says no shows the links of who reads it, too."""
    team, _ = place.team("Rabbits")
    for _, (browser, paths) in everybody(place, team).items():
        for path in ("/nowhere", "/entries", "/organiser", "/organiser/teams/9", "/entries/9"):
            answer = browser.get(path)
            if answer.status == 200:
                continue
            shown = set(re.findall(r'<a href="(/[a-z/]*)"', answer.text))
            assert shown >= {"/", "/board", *paths}
            assert all(browser.get(each).status == 200 for each in shown)


def test_no_form_that_would_be_refused_is_shown(place):
    """The points of a final are taken after its end, and the form for them comes then."""
    organiser = place.enter(None)
    before = organiser.get("/organiser").text
    assert 'action="/organiser/final/results"' not in before
    steering.end(place.database, NOON, "me")
    after = organiser.get("/organiser").text
    live = place.context.competition().live
    assert ('action="/organiser/final/results"' in after) == live
    assert ('action="/organiser/reveal"' in after) != live
