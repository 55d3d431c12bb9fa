"""Draw real drawings through the served page, with a mouse, and compare with the same as files.

    python scripts/draw_through_page.py --train_dir=runs/cnn --source=data/simplified \\
        --data_pattern='data/qs26/valid-*'

Those drawings of the .ndjson files are drawn whose key_id is in the records: validation drawings,
which no run has learned from; without records, all. Each is sent to the API as it stands in its
file, then drawn in Chromium by mouse events and guessed as the page guesses; a table says what
share each model has right. Needs playwright (`pip install -e '.[dev]'`) and Chromium; takes half a
second a drawing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import CDPSession, Page, async_playwright

from quickdraw import storage
from quickdraw.console import Progress
from quickdraw.records import example
from quickdraw.records.shards import BadRecords, read_shards

_SHARE = 0.6
"""Of the paper's side that the longer side of a drawing takes."""
_LEFT = {"button": "left", "buttons": 1, "clickCount": 1}
_ANSWER = """count => {
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  if (!window.answered || pen.stroke || pen.strokes.length !== count) return null;
  return same(answered.strokes, strokes.simplify(pen.strokes)) ? answered.answers : null;
}"""


@contextlib.contextmanager
def served(train_dir: str) -> Iterator[str]:
    """Start the server; yield its address."""
    command = [sys.executable, "-u", "-m", "quickdraw.serve", "--port=0"]
    with subprocess.Popen(
        [*command, f"--train_dir={train_dir}"], stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        found = (re.search(r"open (http://\S+) and draw", line) for line in server.stderr)
        url = next(filter(None, found), None)
        if url is None:
            sys.exit("the server did not start")
        try:
            yield url[1].rstrip("/")
        finally:
            server.terminate()


async def draw(page: Page, mouse: CDPSession, strokes: list) -> list[list[tuple[int, float]]]:
    """Draw strokes with the mouse; return what each model answers, the likeliest first.

    Args:
        page: the drawing page.
        mouse: a session of the page; it is not waited for between two points.
        strokes: `[[x0, x1, ...], [y0, y1, ...]]` each.
    """
    box = await page.locator("#board").bounding_box()
    assert box
    every = [np.concatenate([stroke[axis] for stroke in strokes]) for axis in (0, 1)]
    left, top = (float(each.min()) for each in every)
    scale = box["width"] * _SHARE / max(float(np.ptp(each)) for each in every)
    edge = box["width"] * (1 - _SHARE) / 2
    await page.keyboard.press("Escape")
    events: list[dict[str, Any]] = []
    for xs, ys, *_ in strokes:
        points = [
            {"x": box["x"] + edge + (x - left) * scale, "y": box["y"] + edge + (y - top) * scale}
            for x, y in zip(xs, ys, strict=True)
        ]
        events += [{"type": "mousePressed", **points[0], **_LEFT}]
        events += [{"type": "mouseMoved", **point, **_LEFT} for point in points[1:]]
        events += [{"type": "mouseReleased", **points[-1], **_LEFT}]
    await asyncio.gather(*(mouse.send("Input.dispatchMouseEvent", each) for each in events))
    for _ in range(600):
        if answers := await page.evaluate(_ANSWER, len(strokes)):
            return answers
        await page.wait_for_timeout(20)
    sys.exit(f"no answer: {await page.inner_text('#notice')}")


async def guesses_of(every: list, url: str) -> list[list[str]]:
    """Return what each model calls each drawing."""
    found = []
    progress = Progress("drawing", len(every), "drawings")
    async with async_playwright() as running:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        await page.goto(url)
        await page.wait_for_selector("body[data-ready=yes]")
        mouse = await page.context.new_cdp_session(page)
        models = await page.evaluate("fetch('api/models').then(answer => answer.json())")
        labels = [model["labels"] for model in models["models"]]
        for number, strokes in enumerate(every, 1):
            answers = await draw(page, mouse, strokes)
            found.append([of[answer[0][0]] for of, answer in zip(labels, answers, strict=True)])
            progress.update(number)
        await browser.close()
    progress.close()
    return found


def ids(pattern: str) -> set[str]:
    """Return the key_ids of records."""
    every = read_shards(storage.expand(pattern), BadRecords("error"))
    records = [example.Example.FromString(data).features.feature for *_, data in every]
    return {record["key_id"].bytes_list.value[0].decode() for record in records}


def drawings(source: str, pattern: str | None, count: int) -> list[tuple[str, list]]:
    """Return word and strokes of `count` drawings, evenly over all of a folder or of records."""
    wanted = ids(pattern) if pattern else None
    found = []
    for path in sorted(Path(source).glob("*.ndjson")):
        with open(path, encoding="utf-8") as file:
            rows = (json.loads(line) for line in file)
            found += [
                (row["word"], row["drawing"])
                for row in rows
                if wanted is None or row["key_id"] in wanted
            ]
    chosen = np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)
    return [found[number] for number in chosen]


def as_file(url: str, strokes: list) -> dict[str, str]:
    """Return what each model calls a drawing that is sent as it stands in its file."""
    question = urllib.request.Request(
        f"{url}/api/guess",
        json.dumps({"drawing": strokes, "top_k": 1}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(question) as answer:
        models = json.load(answer)["models"]
    return {name: guesses[0]["label"] for name, guesses in models.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train_dir", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--data_pattern")
    parser.add_argument("--count", type=int, default=500)
    arguments = parser.parse_args()
    every = drawings(arguments.source, arguments.data_pattern, arguments.count)
    with served(arguments.train_dir) as url:
        filed = [as_file(url, strokes) for _, strokes in every]
        drawn = asyncio.run(guesses_of([strokes for _, strokes in every], url))
    truth = np.array([word for word, _ in every])
    print(f"{len(every)} drawings\nmodel  as files  as drawn  same guess")
    for which, name in enumerate(filed[0]):
        here = np.array([each[which] for each in drawn])
        there = np.array([each[name] for each in filed])
        shares = [(there == truth).mean(), (here == truth).mean(), (here == there).mean()]
        print(name, *(f"{share:.1%}" for share in shares), sep="  ")


if __name__ == "__main__":
    main()
