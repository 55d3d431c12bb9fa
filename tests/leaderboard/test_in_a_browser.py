"""A person's way in Chromium: the organiser invites, teams join, send and look, the end, reveal."""

import re

import boarding
import pytest
from boarding import answers
from browsing import chromium
from onnx_files import onnx_file

from quickdraw.leaderboard.site.context import Limits
from quickdraw.leaderboard.store import access, competition
from quickdraw.leaderboard.store.database import Database

pytestmark = pytest.mark.slow
CAMP = {"daily_limit": 5, "total_limit": 20}


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


class Person:
    """Somebody at a browser; that no page says anything wrong is checked at the end."""

    def __init__(self, browser, port, **options):
        self.base, self.said = f"http://127.0.0.1:{port}", []
        self._context = browser.new_context(**options)
        self.page = self._context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: dialog.accept())

    def go(self, path):
        self.page.goto(path if path.startswith("http") else self.base + path)
        return self.page

    def join(self, link):
        self.go(link)
        self.page.locator("main button").click()
        return self.page

    def send(self, content, message, name="predictions.csv"):
        page = self.go("/entries")
        page.set_input_files("#file", [{"name": name, "mimeType": "text/csv", "buffer": content}])
        page.fill("#message", message)
        page.locator("form[data-drop] button").click()
        return page

    def close(self):
        self._context.close()
        assert self.said == []


def organiser_link(board):
    with board.database.writing() as connection:
        return f"/join/{access.invite(connection, None, board.clock())}"


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_the_invitation_to_the_shake_up(browser, board, script):
    options = {"locale": "en-US", "java_script_enabled": script}
    organiser = Person(browser, board.port, **options)
    page = organiser.join(organiser_link(board))
    page.fill("#names", "Rabbits\n토끼들\nNight Owls")
    page.get_by_role("button", name="Add, and show links").click()
    links = re.findall(r"http://\S+/join/[\w-]+", page.locator(".told pre").inner_text())
    assert len(links) == 3
    teams = [Person(browser, board.port, **options) for _ in links]
    for person, link in zip(teams, links, strict=True):
        assert "one by" not in person.join(link).locator("h1").inner_text()
    right, public = boarding.halves_of(board.database)
    spoilt = [
        boarding.spoilt(right, ~public, 60),  # good on the board, bad at the end
        boarding.spoilt(right, public, 20),  # the other way round
        answers(120),
    ]
    for person, content in zip(teams, spoilt, strict=True):
        page = person.send(b"image_id,label\nid000,9\nwho,1\n", "a bad one")
        assert "line 2: the label must be" in page.locator("main pre").inner_text()
        page = person.send(content, "a good one")
        assert page.locator(".facts dd").first.inner_text().endswith("%")
    board.context.forget()
    page = teams[2].go("/board")
    assert page.locator("td:nth-child(2)").all_inner_texts() == ["Rabbits", "토끼들", "Night Owls"]
    page = organiser.go("/organiser")
    page.get_by_role("button", name="End now").click()
    page.get_by_role("button", name="Reveal the result").click()
    final = teams[0].go("/board")
    assert final.locator("td:nth-child(2)").all_inner_texts() == ["토끼들", "Rabbits", "Night Owls"]
    assert final.locator("tbody td:last-child").all_inner_texts() == ["▲ 1", "▼ 1", "="]
    for person in (organiser, *teams):
        person.close()


@pytest.fixture
def furnished(board):
    """A board with everything on it: a baseline, a team off the ranking, faults, a long name."""
    for number, name in enumerate(
        ["Rabbits", "토끼들", "A name of forty letters that never ends it"]
    ):
        client, token = board.team(name[:40])
        client.submit(token, answers(10 * number))
        board.clock.advance(3600)
        client.submit(token, answers(5 * number), message="<b>wider</b> strokes")
        client.submit(token, b"image_id,label\nx,1\n", message="a bad one")
    boarding.add_team(board.database, "CnnModel", baseline=True)
    board.context.forget()
    return board


PAGES = ["/", "/board", "/api", "/entries", "/entries/2", "/entries/3", "/nowhere"]
OWN = ["/organiser", "/organiser/teams/1", "/organiser/log", "/board"]


@pytest.mark.parametrize(
    ("locale", "width", "scheme"),
    [("en-US", 1280, "light"), ("ko-KR", 390, "dark")],
)
def test_pages_fit_and_pass_axe(browser, furnished, locale, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-core")
    options = {"locale": locale, "color_scheme": scheme}
    options["viewport"] = {"width": width, "height": 800}
    with furnished.database.writing() as connection:
        code = access.invite(connection, 1, furnished.clock())
    found = []
    for link, paths in ((f"/join/{code}", PAGES), (organiser_link(furnished), OWN)):
        person = Person(browser, furnished.port, **options)
        person.go(link)
        for path in ["", *paths]:
            page = person.join(link) if not path else person.go(path)
            page.evaluate(
                "for (const each of document.querySelectorAll('details')) each.open = true"
            )
            broad = page.evaluate("document.documentElement.scrollWidth")
            assert broad <= width, (path, broad)
            found += [
                (path, each["id"], each["nodes"][0]["html"][:200])
                for each in axe.Axe().run(page).response["violations"]
            ]
        person.said.clear()  # /nowhere is told in the console
        person.close()
    assert found == []


def test_pages_of_a_live_final_fit_and_pass_axe(browser, tmp_path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-core")
    database = Database(str(tmp_path / "final.db"), create=True)
    competition.create_live(database, "Final", {**boarding.SETTINGS, "metric": "draw_off"})
    found = []
    with boarding.serve(database, Limits(size=1 << 20)) as board:
        _, token = board.team("A name of forty letters that never ends"[:40])
        for data in (onnx_file(), b"no model"):
            board.browser().submit(token, data)
        with database.writing() as connection:
            code = access.invite(connection, 1, board.clock())
        pages = {f"/join/{code}": ["/", "/board", "/entries", "/entries/1", "/entries/2"]}
        pages[organiser_link(board)] = ["/organiser", "/organiser/teams/1"]
        for link, paths in pages.items():
            options = {"locale": "ko-KR", "viewport": {"width": 390, "height": 800}}
            person = Person(browser, board.port, **options)
            person.join(link).wait_for_url(lambda address: "/join/" not in address)
            for path in paths:
                page = person.go(path)
                assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
                problems = axe.Axe().run(page).response["violations"]
                found += [(path, each["id"]) for each in problems]
            person.close()
    database.close()
    assert found == []


def test_an_entry_is_chosen_and_sent_by_keyboard(browser, furnished):
    with furnished.database.writing() as connection:
        code = access.invite(connection, 1, furnished.clock())
    person = Person(browser, furnished.port, locale="en-US")
    page = person.join(f"/join/{code}")
    page.wait_for_url(lambda address: "/join/" not in address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.set_input_files("#file", [{"name": "p.csv", "mimeType": "text/csv", "buffer": answers(1)}])
    page.locator("#file").focus()
    page.keyboard.press("Tab")
    page.keyboard.type("typed")
    page.keyboard.press("Enter")
    page.wait_for_url("**/entries/*")
    page = person.go("/entries")
    page.locator("td button").first.focus()
    page.keyboard.press("Space")
    page.get_by_text("✓ chosen").wait_for()
    person.close()


def test_a_dropped_file_is_sent(browser, furnished):
    with furnished.database.writing() as connection:
        code = access.invite(connection, 1, furnished.clock())
    person = Person(browser, furnished.port, locale="en-US")
    page = person.join(f"/join/{code}")
    data = page.evaluate_handle(
        """text => {
          const data = new DataTransfer();
          data.items.add(new File([text], "dropped.csv", {type: "text/csv"}));
          return data;
        }""",
        answers(2).decode(),
    )
    page.dispatch_event("form[data-drop]", "drop", {"dataTransfer": data})
    page.locator("form[data-drop] button").click()
    assert page.locator(".facts dd").first.inner_text().endswith("%")
    person.close()
