"""What tests of pages share: Chromium and Firefox without a screen, and a hand that draws."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def chromium_path() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@contextlib.contextmanager
def chromium(*switches: str) -> Iterator[Any]:
    """A running Chromium, driven by playwright; the test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = chromium_path()
    if not path:
        pytest.skip("needs Chromium, which is not installed")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox", *switches])
        yield browser
        browser.close()


def open_page(browser: Any, url: str, **options: Any) -> Any:
    """Open the drawing page; `page.told` holds what it printed, `page.asked` what it requested."""
    page = browser.new_context(**options).new_page()
    page.told, page.asked = [], []
    page.on("console", lambda message: page.told.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: page.told.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(url)
    page.wait_for_selector("body[data-ready]", timeout=60_000)
    assert page.evaluate("document.body.dataset.ready") == "yes", page.inner_text("#notice")
    return page


def places(page: Any, strokes: list, share: float = 0.6) -> list[list[tuple[float, float]]]:
    """Where on the screen strokes of 0…255 are drawn, in the middle of the paper."""
    box = page.locator("#board").bounding_box()
    scale, edge = box["width"] * share / 255, box["width"] * (1 - share) / 2
    return [
        [
            (box["x"] + edge + x * scale, box["y"] + edge + y * scale)
            for x, y in zip(*stroke[:2], strict=True)
        ]
        for stroke in strokes
    ]


def draw(page: Any, strokes: list, share: float = 0.6) -> None:
    """Draw with the mouse."""
    for points in places(page, strokes, share):
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def touch(page: Any, strokes: list, share: float = 0.6) -> None:
    """Draw with a finger."""
    session = page.context.new_cdp_session(page)
    for points in places(page, strokes, share):
        for number, (x, y) in enumerate(points):
            kind = "touchMove" if number else "touchStart"
            session.send(
                "Input.dispatchTouchEvent", {"type": f"{kind}", "touchPoints": [{"x": x, "y": y}]}
            )
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def answered(page: Any, count: int, seconds: float = 20.0) -> dict[str, Any]:
    """Wait until the page has an answer to a drawing of so many strokes; return it."""
    script = f"""() => window.answered && answered.strokes.length === {count}
        && pen.strokes.length === {count}
        && JSON.stringify(answered.strokes) === JSON.stringify(strokes.simplify(pen.strokes))
        ? answered : null"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        # Not wait_for_function: it would need eval, which the page's policy forbids.
        if found := page.evaluate(script):
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"no answer to {count} strokes: {page.evaluate('pen.strokes.length')}")


class Firefox:
    """Firefox without a screen, by the Marionette protocol.

    `remote.prefs.recommended=false`: automation would switch off that files may not fetch files.
    """

    def __init__(self, path: str):
        self._folder = tempfile.mkdtemp()
        port = _free_port()
        prefs = {
            "remote.prefs.recommended": False,
            "marionette.port": port,
            "app.update.disabledForTesting": True,
            "datareporting.policy.dataSubmissionEnabled": False,
            "network.captive-portal-service.enabled": False,
        }
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(v)});" for name, v in prefs.items()]
        Path(self._folder, "user.js").write_text("\n".join(lines), encoding="utf-8")
        command = [path, "--headless", "--marionette", "--no-remote", "--profile", self._folder]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._socket = _connected(port, self._process)
        self._buffer, self._number = b"", 0
        self._receive()
        self.command("WebDriver:NewSession", {"capabilities": {}})
        self.command("WebDriver:SetTimeouts", {"script": 60_000, "pageLoad": 60_000})

    def command(self, name: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        text = json.dumps([0, self._number, name, parameters])
        self._socket.sendall(f"{len(text.encode())}:{text}".encode())
        _, _, error, result = self._receive()
        assert error is None, error
        return result

    def go(self, url: str) -> None:
        self.command("WebDriver:Navigate", {"url": url})

    def run(self, script: str) -> Any:
        """Run a script that returns something."""
        return self.command("WebDriver:ExecuteScript", {"script": script, "args": []})["value"]

    def wait(self, script: str, seconds: float = 60.0) -> Any:
        """Run a script until it returns something true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(script):
                return value
            time.sleep(0.2)
        raise AssertionError(f"never true: {script}")

    def draw(self, strokes: list) -> None:
        """Draw with a mouse, by pointer events."""
        for stroke in strokes:
            self.run(
                f"""
                const board = document.getElementById('board'), [xs, ys] = {json.dumps(stroke[:2])};
                const box = board.getBoundingClientRect(), k = box.width * .6 / 255;
                const send = (kind, i) => board.dispatchEvent(new PointerEvent(kind, {{
                  clientX: box.left + box.width * .2 + xs[i] * k, pointerId: 1, isPrimary: true,
                  clientY: box.top + box.width * .2 + ys[i] * k, button: 0, bubbles: true}}));
                send('pointerdown', 0);
                for (let i = 1; i < xs.length; i++) send('pointermove', i);
                send('pointerup', xs.length - 1);
                """
            )

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.command("Marionette:Quit", {"flags": ["eForceQuit"]})
        self._socket.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _receive(self) -> Any:
        while b":" not in self._buffer:
            self._buffer += self._socket.recv(1 << 16)
        size, _, rest = self._buffer.partition(b":")
        while len(rest) < int(size):
            rest += self._socket.recv(1 << 16)
        self._buffer = rest[int(size) :]
        return json.loads(rest[: int(size)])


@contextlib.contextmanager
def firefox() -> Iterator[Firefox]:
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if not path:
        pytest.skip("needs Firefox, which is not installed")
    browser = Firefox(path)
    yield browser
    browser.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    for _ in range(300):
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port))
        assert process.poll() is None, "Firefox has ended"
        time.sleep(0.2)
    raise AssertionError("Firefox does not answer")
