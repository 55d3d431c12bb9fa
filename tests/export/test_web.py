"""The page that guesses, in real browsers: by double click, from a folder, by every hand."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import browsing
import numpy as np
import pytest
from exporting import untrained
from playing import play

from quickdraw.datasets.doodles.draw import CATEGORIES, draw
from quickdraw.drawings.simplify import simplify
from quickdraw.errors import QuickdrawError, StoppedError
from quickdraw.export import runtime, write
from quickdraw.export import web as web_format
from quickdraw.pages import class_words, drawing_page
from quickdraw.runs import exported


@pytest.fixture(scope="session")
def models() -> list[write.Model]:
    trained = [
        untrained("CnnModel", image_size=28, labels=list(CATEGORIES)),
        untrained("StrokeRnnModel", image_size=28, labels=list(CATEGORIES)),
    ]
    return [write.prepare([each], [f"runs/{each.run.model}"]) for each in trained]


@pytest.fixture(scope="session")
def page_folder(models, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    try:
        runtime.folder()
    except StoppedError as error:
        pytest.skip(f"needs npm and a network: {error}")
    write.export(models[0], ["web"], str(folder), pages=models)
    return folder


@pytest.fixture(scope="session")
def hosted(page_folder) -> Iterator[str]:
    """The URL of the folder, served with the headers that it asks for."""
    lines = (page_folder / "folder/headers.txt").read_text().splitlines()
    headers = dict(line.split(": ", 1) for line in lines)

    types = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    class Handler(http.server.SimpleHTTPRequestHandler):
        # The machine's own table may lack them.
        extensions_map = types

        def end_headers(self):
            for name, value in headers.items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(page_folder / "folder"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    with browsing.chromium() as browser:
        yield browser


def doodle(seed: int) -> list:
    return draw(CATEGORIES[seed % 10], np.random.default_rng(seed))


def check(answer: dict, models: list[write.Model]) -> None:
    """Compare what the page answered with what Keras predicts for the same strokes."""
    for model, top in zip(models, answer["answers"], strict=True):
        ensemble, described = model.graph.ensemble, model.description
        from quickdraw.records import ink

        arrays = {}
        if "image" in described.inputs:
            arrays["image"] = described.rendering.image(answer["strokes"], 28)[None]
        if "ink" in described.inputs:
            rows = ink.padded(ink.ink_of(answer["strokes"]), described.max_points)
            arrays["ink"] = rows[None]
        wanted = ensemble.probabilities(arrays)[0]
        assert top[0][0] == wanted.argmax()
        assert {n: p for n, p in top} == pytest.approx(dict(enumerate(wanted)), abs=1e-4)


def test_the_files_are_there_with_the_licence_and_nothing_from_elsewhere(page_folder, models):
    names = {str(path.relative_to(page_folder)) for path in page_folder.rglob("*")}
    assert {
        "index.html",
        "export.json",
        "folder/index.html",
        "folder/model-1.onnx",
        "folder/ort/LICENSE.txt",
        "folder/headers.txt",
    } <= names
    text = (page_folder / "index.html").read_text(encoding="utf-8")
    assert "MIT License" in text and len(text) < 6_000_000
    _, files = exported.read(str(page_folder))
    assert files["web"]["models"] == ["CnnModel", "StrokeRnnModel"]
    hosted = (page_folder / "folder/index.html").read_text(encoding="utf-8")
    assert "<style" not in hosted and "<script>" not in hosted


@pytest.mark.slow
@pytest.mark.parametrize("place", ["file", "http"])
def test_chromium_guesses_as_keras_does(place, chromium, page_folder, hosted, models):
    url = (page_folder / "index.html").as_uri() if place == "file" else hosted
    page = browsing.open_page(chromium, url, viewport={"width": 1280, "height": 900})
    for seed in (0, 4):
        strokes = doodle(seed)
        browsing.draw(page, strokes)
        check(browsing.answered(page, len(strokes)), models)
        page.keyboard.press("Escape")
    assert page.told == []
    assert all(asked.startswith((url.rpartition("/")[0], "blob:", "data:")) for asked in page.asked)


@pytest.mark.slow
def test_firefox_guesses_as_keras_does(page_folder, hosted, models):
    with browsing.firefox() as firefox:
        for url in ((page_folder / "index.html").as_uri(), hosted):
            firefox.go(url)
            assert firefox.wait("return document.body.dataset.ready") == "yes"
            strokes = doodle(1)
            firefox.draw(strokes)
            text = firefox.wait(
                f"return window.answered && answered.strokes.length === {len(strokes)}"
                " && JSON.stringify(answered)"
            )
            check(json.loads(text), models)


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width"), [("ko", 1280), ("pl", 390)])
def test_the_game_is_played_on_the_device(language, width, chromium, page_folder, models):
    page = browsing.open_page(
        chromium,
        f"{(page_folder / 'index.html').as_uri()}?lang={language}",
        viewport={"width": width, "height": 800},
        device_scale_factor=3,
    )
    page.context.set_offline(True)
    play(page, 6)
    assert page.evaluate("game.rounds.map(round => round.strokes.length > 0)") == [True] * 5 + [
        False
    ]
    rows = page.locator("#scores tbody tr")
    assert [row.split("\t")[0] for row in rows.all_inner_texts()] == [
        each.description.name for each in models
    ]
    words = class_words.every_word()[language]
    shown = [words[class_words.shown(label)] for label in page.evaluate("game.words")]
    assert page.locator("#own h3").all_inner_texts() == shown
    assert page.locator("#scores thead th").all_inner_texts()[3:] == shown
    assert len(page.evaluate("Object.keys(ui.page.classes.ko)")) == len(CATEGORIES)
    said = drawing_page.words()[language]
    assert page.inner_text("#results-title") == said["results"]
    assert page.inner_text("#again") == said["again"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.told == []


@pytest.mark.parametrize(
    ("width", "ratio", "scheme", "zoom"),
    [
        (390, 3, "dark", 1),
        (1280, 1, "light", 1),
        (1280, 2, "light", 1.5),
        (640, 2, "dark", 1),  # what 1,280 pixels are where the browser shows 200 %
        (1280, 1, "light", 2),
    ],
)
def test_what_is_drawn_is_what_is_seen_on_any_screen(
    width, ratio, scheme, zoom, chromium, page_folder
):
    url = (page_folder / "index.html").as_uri()
    page = browsing.open_page(
        chromium,
        url,
        viewport={"width": width, "height": 700},
        device_scale_factor=ratio,
        color_scheme=scheme,
        has_touch=True,
        locale="pl",
    )
    page.evaluate(f"document.body.style.zoom = {zoom}; document.body.style.paddingTop = '150px'")
    page.mouse.wheel(0, 120)
    page.wait_for_timeout(200)
    strokes = doodle(3)[:2]
    for hand in (browsing.draw, browsing.touch):
        hand(page, strokes, 0.5)
        seen = browsing.answered(page, len(strokes))["strokes"]
        wanted = simplify([[*stroke[:2], [0] * len(stroke[0])] for stroke in strokes])
        for mine, theirs in zip(seen, wanted, strict=True):
            assert (
                np.abs(np.array(mine[:2])[:, [0, -1]] - np.array(theirs[:2])[:, [0, -1]]).max() <= 2
            )
        page.keyboard.press("Escape")
        assert page.evaluate("pen.strokes.length") == 0
    assert page.inner_text("h1") == "Narysuj coś"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")


def test_undo_redo_clear_and_a_pen_of_keys(chromium, page_folder):
    page = browsing.open_page(chromium, (page_folder / "index.html").as_uri())
    count = functools.partial(page.evaluate, "pen.strokes.length")
    page.focus("#board")
    for keys in ("ArrowUp Space Shift+ArrowRight Shift+ArrowDown Space", "Space Space"):
        for key in keys.split():
            page.keyboard.press(key)
    assert count() == 2
    assert page.evaluate("pen.strokes[0][0].map(Math.round)") == [500, 580, 580]
    assert page.evaluate("pen.strokes[1][0].length") == 1  # a dot
    page.keyboard.press("Control+z")
    assert count() == 1
    page.keyboard.press("Control+Shift+z")
    assert count() == 2
    page.click("#clear")
    assert count() == 0
    page.click("#undo")
    assert count() == 2 and page.is_enabled("#redo")
    browsing.draw(page, [[[10, 200], [10, 200]]])
    assert count() == 3 and page.is_disabled("#redo")


def test_why_shows_what_a_guess_rests_on(chromium, page_folder):
    page = browsing.open_page(chromium, (page_folder / "index.html").as_uri())
    strokes = doodle(0)
    browsing.draw(page, strokes)
    browsing.answered(page, len(strokes))
    assert page.locator(".model button").count() == 1  # none for the model of strokes
    page.click(".model button")
    page.wait_for_selector("canvas.why:not([hidden])")
    colours = page.evaluate(
        "new Set([...document.querySelector('canvas.why').getContext('2d')"
        ".getImageData(0, 0, 28, 28).data]).size"
    )
    assert colours > 10 and page.told == []
    page.keyboard.press("Escape")
    page.wait_for_selector("canvas.why", state="hidden")


@pytest.mark.slow
def test_axe_finds_nothing(chromium, page_folder):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for scheme in ("light", "dark"):
        page = browsing.open_page(
            chromium, (page_folder / "index.html").as_uri(), color_scheme=scheme
        )
        strokes = doodle(2)
        browsing.draw(page, strokes)
        browsing.answered(page, len(strokes))
        found = axe.run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


def test_the_runtime_is_checked(tmp_path, page_folder, capsys):
    with pytest.raises(QuickdrawError, match="Received: no ort.wasm.min.js"):
        runtime.folder(str(tmp_path))
    (tmp_path / runtime.SCRIPT).write_text("alert(1)")
    with pytest.raises(QuickdrawError, match=r"not that of onnxruntime-web .*: its checksum"):
        runtime.folder(str(tmp_path))
    (tmp_path / f"{runtime.PACKAGE}-{runtime.VERSION}.tgz").write_bytes(b"no package")
    with pytest.raises(QuickdrawError, match="checksum \\(SHA-512\\)"):
        runtime.folder(str(tmp_path))
    assert runtime.folder(str(page_folder / "folder/ort")) == str(page_folder / "folder/ort")


def test_without_a_network_the_way_out_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    with pytest.raises(StoppedError, match="--runtime_dir names a folder with it"):
        runtime.folder()


def test_web_writes_what_it_says(models):
    described = web_format.described(models[0].description)
    assert described["name"] == "CnnModel" and described["rendering"]["style"] == "quickdraw"
