"""The final in a browser: an organiser, a player who draws and drops, and the big screen."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import browsing
import pytest
from onnx_files import onnx_file

from quickdraw.draw_off import contest_pages

HERE = Path(contest_pages.__file__).parent
STROKES = [[[20, 130, 240], [230, 20, 230]], [[70, 190], [150, 150]]]


@contextlib.contextmanager
def opened(browser: Any, url: str, told: list[str], **options: Any):
    """A page in a context of its own; what it prints, and what it asks elsewhere, is told."""
    page = browser.new_context(**options).new_page()
    page.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: told.append(str(error)))
    origin = url.split("/")[2]

    def asked(request: Any) -> None:
        if f"//{origin}/" not in request.url and not request.url.startswith("data:"):
            told.append(f"asked {request.url}")

    page.on("request", asked)
    page.goto(url)
    yield page
    page.context.close()


def faults(*pages: Any) -> list[str]:
    """What axe-core finds."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = []
    for page in pages:
        for each in axe.run(page).response["violations"]:
            found += [f"{page.url} {each['id']}: {node['html'][:150]}" for node in each["nodes"]]
    return found


@pytest.mark.slow
def test_a_contest_by_hand(start, runs, tmp_path):
    server, told = start(0, "--seconds=60", f"--runs={runs}"), []
    extra = tmp_path / "suns.onnx"
    extra.write_bytes(onnx_file(favourite=2))
    with contextlib.ExitStack() as stack:
        browser = stack.enter_context(browsing.chromium())

        def page(path: str, **options: Any) -> Any:
            return stack.enter_context(opened(browser, server.base + path, told, **options))

        desk = page(f"/organiser#{server.token}", locale="ko")
        screen = page(f"/#{server.code}", locale="en", viewport={"width": 1280, "height": 800})
        phone = page(f"/play#{server.code}", viewport={"width": 390, "height": 844})
        screen.wait_for_selector("#qr svg")
        phone.fill("#name", "<i>Ada</i>")
        phone.click("#join button")
        phone.wait_for_selector("#waiting:not([hidden])")
        desk.set_input_files("#model-file", extra)
        desk.click("#hand-in button")
        desk.wait_for_selector("#told:has-text('suns 참가')")
        desk.select_option("#run", "suns")
        desk.click("#add-run button")
        desk.wait_for_selector("#run-told:has-text('참가할 수 없습니다: 이미 참가한 모델입니다')")
        desk.click("[aria-label='빼기: suns']")
        desk.click("#add-run button")
        desk.wait_for_selector("#run-told:has-text('suns 참가')")
        assert faults(desk, screen, phone) == []
        assert "/hand_in#" in desk.inner_text("#links")
        desk.click("#no-words")
        desk.check("#drawn li:has-text('고양이') input")
        desk.click("#setup button[type=submit]")
        desk.wait_for_selector("#next:not([hidden])")
        assert "/hand_in" not in desk.inner_text("#links")  # nobody can any more
        screen.wait_for_selector("#models tr:nth-child(3)")
        desk.click("#next")
        phone.click("#start")
        phone.wait_for_selector("#pad:not([hidden])")
        browsing.draw(phone, STROKES[:1])
        screen.wait_for_selector("tr.hit:has-text('cats')")
        assert screen.inner_text("#word") == "cat"
        assert screen.inner_text("#who") == "<i>Ada</i> draws"
        assert "sure and wrong" in screen.inner_text("tr:has-text('dogs')")
        assert faults(desk, screen, phone) == []

        phone.reload()  # dropped: it goes on with the same drawing
        phone.wait_for_selector("#pad:not([hidden])")
        wait_for_strokes(phone, 1)
        browsing.draw(phone, STROKES[1:])
        phone.click("#undo")
        browsing.draw(phone, STROKES[1:])
        wait_for(screen, "together.view.drawing.length === 2", "screen")
        phone.click("#done")
        screen.wait_for_selector("text=cat: the round is over")
        desk.wait_for_selector("#state:has-text('고양이: 이번 판이 끝났습니다')")
        assert "고양이 " in desk.inner_text("#models tr:has-text('cats') .guess")
        desk.click("#ending summary")
        desk.click("#end")
        screen.wait_for_selector("text=cats wins!")
        assert screen.get_attribute("#results", "href") == "results?lang=en"
        assert len({link.split("/")[2] for link in desk.locator("#links a").all_inner_texts()}) == 1
        phone.emulate_media(color_scheme="dark")
        screen.emulate_media(color_scheme="dark")
        results = page("/results", locale="ko", viewport={"width": 390, "height": 844})
        pages = (desk, screen, phone, results)
        assert faults(*pages) == []
        assert "고양이" in results.inner_text(
            "table >> nth=1"
        )  # on Korean pages; kept is the class
        assert all(narrow(each) for each in (phone, results))
        forged = page("/organiser#forged", locale="en")
        forged.wait_for_selector("text=This link is wrong")
        assert forged.is_hidden("#steering")
    troubles = [line for line in told if "asked" in line or "rror" in line]
    (there_already,) = troubles  # the run that had entered as a file
    assert "status of 400" in there_already
    events = (tmp_path / "contest/events.jsonl").read_text("utf-8").splitlines()
    assert json.loads(events[-1])["kind"] == "ended"


def wait_for(page: Any, script: str, what: str) -> None:
    """Wait until a script is true: not wait_for_function, which would need eval."""
    for _ in range(200):
        if page.evaluate(f"() => {script}"):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never on the {what}: {script}")


def wait_for_strokes(page: Any, count: int) -> None:
    wait_for(page, f"together.pen.strokes.length === {count}", "phone")


def narrow(page: Any) -> bool:
    """Whether nothing sticks out to the right."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_both_languages_have_the_same_texts_and_places():
    texts = {language: contest_pages.words(language) for language in ("en", "ko")}
    for part in ("page", "rules"):
        english, korean = (texts[language][part] for language in ("en", "ko"))
        assert list(english) == list(korean)
        for name in english:
            places = [sorted(re.findall(r"{.*?}", text[name])) for text in (english, korean)]
            assert places[0] == places[1], name


def test_every_text_is_used():
    used = "".join(
        path.read_text("utf-8") for path in HERE.iterdir() if path.suffix in (".js", ".j2", ".py")
    )
    unused = [
        name for name in contest_pages.words("en")["page"] if not re.search(rf"\b{name}\b", used)
    ]
    assert unused == ["by_run", "by_file"]  # made of "by_" and what the contest says
