"""The served page in browsers: the game, ten digits, what is kept, and axe's opinion."""

from __future__ import annotations

import json
import re

import browsing
import numpy as np
import pytest
from playing import play, until
from serving_runs import serving
from standins import front

from quickdraw.datasets.doodles.draw import CATEGORIES, draw
from quickdraw.pages import class_words
from quickdraw.serving import sessions

pytestmark = pytest.mark.slow


def axe(page) -> list[tuple[str, str]]:
    found = pytest.importorskip("axe_playwright_python.sync_playwright").Axe().run(page)
    return [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("sessions")


@pytest.fixture(scope="module")
def url(tiny_run, kept, tmp_path_factory):
    import shutil

    folder = tmp_path_factory.mktemp("played") / "tiny"
    shutil.copytree(tiny_run, folder)
    flags = (f"--train_dir={folder}", f"--collect={kept}", "--hosts=draw.example")
    with serving(*flags) as (address, _):
        yield address


@pytest.fixture(scope="module")
def chromium():
    with browsing.chromium() as browser:
        yield browser


def test_a_game_and_what_is_kept_of_it(chromium, url, kept):
    page = browsing.open_page(chromium, url)
    assert axe(page) == []
    assert "not kept" in page.inner_text("#privacy")
    play(page, 3)
    assert not [*kept.rglob("*.csv")]  # nobody has agreed
    page.click("#agree")
    assert "as you agreed" in page.inner_text("#privacy")
    play(page, 3, seed=1)
    assert axe(page) == []
    rows = page.locator("#scores tbody tr")
    assert rows.count() == 1
    guessed, first = (int(rows.locator("td").nth(i).inner_text().split("/")[0]) for i in (0, 1))
    (score,) = sessions.score(str(kept))
    assert (score.guessed, score.first, score.drawings) == (guessed, first, 2)
    times = sorted(map(float, re.findall(r"✓ ([\d.]+)s", rows.inner_text())))
    (drawings,) = [*kept.rglob("*.ndjson")]
    lines = [json.loads(line) for line in drawings.read_text().splitlines()]
    assert [line["word"] for line in lines] == page.evaluate("game.words.slice(0, 2)")
    hits = [each["tiny"].seconds for _, each in sessions.by_drawing(str(kept)).values()]
    assert sorted(hit for hit in hits if hit is not None) == pytest.approx(times, abs=0.051)
    assert page.locator("#own article").count() == 3
    assert page.is_hidden("#keep-word") and page.is_visible(
        "#forget"
    )  # a word is for free drawings
    until(page, "document.querySelectorAll('#own .nearest img').length === 6")
    page.click("#mode-free")
    browsing.draw(page, [[[0, 200], [0, 200]]])
    page.select_option("#keep-word", "sun")
    page.click("#keep")
    until(page, "pen.strokes.length === 0")
    assert json.loads(drawings.read_text().splitlines()[-1])["word"] == "sun"
    page.click("#forget")
    until(page, "!document.getElementById('notice').hidden")
    assert not [*kept.rglob("*.csv")] and not [*kept.rglob("*.ndjson")]
    assert page.told == [] and all(each.startswith((url, "data:")) for each in page.asked)


def test_over_https(chromium, url, tmp_path):
    """Behind a proxy that ends TLS, as at a school or on Cloud Run: the WebSocket is one of wss."""
    port = int(url.rstrip("/").rpartition(":")[2])
    with front.serve({"draw.example": port}, tmp_path, 9) as proxy:
        proxy.tls.set_alpn_protocols(["http/1.1"])  # what uvicorn speaks
        page = browsing.open_page(
            chromium,
            "https://draw.example/",
            proxy={"server": proxy.environment["https_proxy"]},
            ignore_https_errors=True,
        )
        sockets = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.reload()
        page.wait_for_selector("body[data-ready=yes]")
        browsing.draw(page, [[[0, 200], [0, 200]]])
        browsing.answered(page, 1)
        page.click("#agree")
        page.select_option("#keep-word", "sun")
        page.click("#keep")
        until(page, "pen.strokes.length === 0")
        page.click("#forget")
        assert sockets == ["wss://draw.example/ws"] and page.evaluate("isSecureContext")
        assert page.told == []
        page.context.close()  # before the proxy


@pytest.mark.parametrize(("language", "scheme"), [("ko", "dark"), ("pl", "light"), ("da", "dark")])
def test_a_phone(chromium, url, language, scheme):
    page = browsing.open_page(
        chromium,
        f"{url}/?lang={language}",
        viewport={"width": 390, "height": 780},
        device_scale_factor=3,
        color_scheme=scheme,
        has_touch=True,
    )

    def fits() -> None:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert axe(page) == []

    fits()
    page.tap("#mode-game")
    fits()
    page.tap("#go")
    page.tap("#go")
    box = page.locator("#board").bounding_box()
    assert box["y"] + box["height"] <= 780  # word, clock and paper are seen together
    browsing.touch(page, [[[0, 100, 255], [0, 200, 30]]])
    browsing.answered(page, 1)
    fits()
    for _ in range(3):
        page.tap("#skip")
        if page.is_visible("#go"):
            page.tap("#go")
    until(page, "!document.getElementById('results').hidden")
    fits()
    words = class_words.every_word()[language]
    heads = page.locator("#own h3").all_inner_texts()
    assert heads == [words[class_words.shown(label)] for label in page.evaluate("game.words")]
    page.tap("#mode-free")
    browsing.touch(page, [[[0, 100, 255], [0, 200, 30]]])
    browsing.answered(page, 1)
    guessed = page.locator("#models .guess span:first-child")
    assert set(guessed.all_inner_texts()) <= set(words.values())
    page.select_option("#language", "en")  # the same classes, by their own names
    assert set(guessed.all_inner_texts()) <= set(words)
    assert page.told == []


def test_by_keys_alone(chromium, url):
    page = browsing.open_page(chromium, url)
    page.focus("#mode-game")
    for key in ("Enter", "Enter", "Enter"):  # the game, start, go
        page.keyboard.press(key)
        page.wait_for_timeout(100)
    assert page.evaluate("document.activeElement.id") == "board"
    for key in ("Space", "Shift+ArrowRight", "Shift+ArrowDown", "Space"):
        page.keyboard.press(key)
    assert page.evaluate("game.round && pen.strokes.length") == 1
    page.evaluate("game.round.until = 0")
    until(page, "document.activeElement.id === 'go'")


def test_firefox_plays_too(url):
    with browsing.firefox() as firefox:
        firefox.go(url)
        firefox.wait("return document.body.dataset.ready === 'yes'")
        firefox.run("document.getElementById('mode-game').click()")
        for number in range(3):
            if not number:
                firefox.run("document.getElementById('go').click()")
            firefox.run("document.getElementById('go').click(); game.round.until = 2")
            firefox.draw(draw(CATEGORIES[number], np.random.default_rng(number)))
            firefox.wait("return !game.round")
        firefox.wait("return document.querySelectorAll('#own .nearest img').length === 9")
        assert firefox.run("return document.querySelectorAll('#scores tbody tr').length") == 1
