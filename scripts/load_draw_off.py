"""Load the final: 30 players and 20 models at once, on this machine, the generator beside it.

    python scripts/load_draw_off.py --models=exports/*.onnx --rounds=3

Copies of the models make up the number. Prints the delay from what is drawn to the moment when the
big screen has been told what the models guess, how many answers came, what each process takes, and
how long everybody else waited for the same message.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import websockets

from quickdraw.datasets.doodles.draw import CATEGORIES, draw
from quickdraw.draw_off import event_log
from quickdraw.runs import exported


class Player:
    """A page that is connected, and when it heard what."""

    def __init__(self, url: str, **hello: Any):
        self.url, self.hello = url, hello
        self.state: dict[str, Any] = {}
        self.heard: list[tuple[float, int]] = []
        self.gaps: list[float] = []
        self.bytes = 0

    async def run(self) -> None:
        async with websockets.connect(self.url, max_size=None) as self.socket:
            await self.say(**self.hello)
            async for text in self.socket:
                self.bytes += len(text)
                message = json.loads(text)
                if message["kind"] == "state":
                    now = time.monotonic()
                    if message["phase"] == self.state.get("phase") == "drawing":
                        self.gaps.append(now - self.then)
                    self.then = now
                    self.state = message

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def until(self, is_so: Any) -> None:
        while not (self.state and is_so(self.state)):
            await asyncio.sleep(0.01)


def memory(pid: int) -> float:
    """Megabytes that a process alone has, and its share of the rest."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("Pss:")[1].split()[0]) / 1024


def children(pid: int) -> list[int]:
    """Those that any of its threads has started."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for file in files for each in file.read_text().split()]


async def load(base: str, code: str, token: str, arguments: Any, pid: int) -> None:
    url = base.replace("http", "ws") + "/ws"
    desk = Player(url, role="organiser", token=token)
    players = [Player(url, role="player", code=code) for _ in range(arguments.players)]
    tasks = [asyncio.create_task(each.run()) for each in (desk, *players)]
    await desk.until(lambda state: True)
    for number, player in enumerate(players):
        await player.until(lambda state: True)
        await player.say(kind="join", name=f"player {number}")
    await desk.until(lambda state: state["here"] == len(players))
    models = [model["id"] for model in desk.state["entered"]]
    if len(models) != arguments.count:
        sys.exit(f"{arguments.count} models expected. Entered: {len(models)}")
    await desk.say(kind="begin", models=models, words=[], rounds=arguments.rounds)
    begun = time.monotonic()
    await desk.until(lambda state: state["models"])
    await desk.until(lambda state: all(m["state"] == "ready" for m in state["models"]))
    print(f"{len(models)} models are up after {time.monotonic() - begun:.1f} s")
    for number in range(arguments.rounds):
        await desk.say(kind="next")
        await desk.until(lambda state: state["phase"] == "ready")
        drawer = players[int(desk.state["round"]["player"][1:]) - 1]
        await drawer.say(kind="start")
        await drawer.until(lambda state: state["phase"] == "drawing")
        await scribble(drawer, number)
        if number == 0:
            each = [memory(child) for child in children(pid)]
            print(
                f"server {memory(pid):.0f} MB; {len(each)} models, each {max(each):.0f} MB at most"
            )
        await desk.until(lambda state: state["phase"] == "idle")
    gaps = sorted(gap for player in players for gap in player.gaps)
    at = [gaps[int(len(gaps) * share)] * 1e3 for share in (0.5, 0.95, 0.99)]
    print("between two messages to a player: median {:.0f}, p95 {:.0f}, p99 {:.0f} ms".format(*at))
    print(f"to each player {players[0].bytes / arguments.rounds / 1e3:.0f} kB a round")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def scribble(drawer: Player, seed: int) -> None:
    """Draw a doodle in the time of a round, ten messages a second."""
    import numpy as np

    strokes = draw(CATEGORIES[seed % len(CATEGORIES)], np.random.default_rng(seed))
    number, sent, time_at = drawer.state["round"]["number"], 0, 0
    while drawer.state["phase"] == "drawing":
        await asyncio.sleep(0.1)
        if sent < 150:
            xs, ys = (list(map(float, axis[:1])) for axis in strokes[sent % len(strokes)][:2])
            xs, ys = [xs[0] * 3 + sent, xs[0] * 3 + sent + 9], [ys[0] * 3, ys[0] * 3 + sent]
            part = [[[min(x, 1000) for x in xs], [min(y, 1000) for y in ys], [time_at, time_at]]]
            await drawer.say(kind="ink", round=number, keep=[sent, 0], strokes=part)
            sent, time_at = sent + 1, time_at + 100


def report(path: Path, models: int) -> None:
    """Print what the log knows: how many of the answers that could be came, and how late."""
    events = event_log.read(path.read_bytes(), str(path))
    answers = [event for event in events if event["kind"] == "answers"]
    count = sum(len(event["answers"]) for event in answers)
    rounds = sum(event["kind"] == "finished" for event in events)
    delays = [delay for event in answers if (delay := _delay(event, events)) is not None]
    print(f"{rounds} rounds: {count} answers, {count / rounds / models:.1f} of each model a round")
    print(
        f"from a drawing to its answers on disk: median {statistics.median(delays):.0f}, "
        f"p95 {sorted(delays)[int(len(delays) * 0.95)]:.0f} ms"
    )


def _delay(event: Any, events: list[Any]) -> float | None:
    """Milliseconds from the moment that an answer is about to that at which it was noted."""
    import datetime

    started = next(
        (e for e in events if e["kind"] == "started" and e["round"] == event["round"]), None
    )
    if started is None:
        return None
    moments = [datetime.datetime.fromisoformat(each["time"]) for each in (started, event)]
    return (moments[1] - moments[0]).total_seconds() * 1e3 - event["at"]


def in_another_order(path: Path, seed: int) -> bytes:
    """The model with its classes in another order: one that answers the same enters once."""
    import onnx

    model = onnx.load(path)
    (entry,) = (each for each in model.metadata_props if each.key == exported.KEY)
    description = json.loads(entry.value)
    random.Random(seed).shuffle(description["labels"])
    entry.value = json.dumps(description)
    return model.SerializeToString()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--players", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _run(Path(folder), arguments)


def _run(folder: Path, arguments: Any) -> None:
    (folder / "models").mkdir()
    for number in range(arguments.count):
        source = Path(arguments.models[number % len(arguments.models)])
        target = folder / "models" / f"{source.parent.name}-{number}.onnx"
        is_copy = number >= len(arguments.models)
        target.write_bytes(in_another_order(source, number) if is_copy else source.read_bytes())
    command = [sys.executable, "-u", "-m", "quickdraw.draw_off", "--port=0"]
    command += [f"--models={folder / 'models'}", f"--output_dir={folder / 'contest'}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        base = code = token = ""
        for line in server.stdout:
            if "big screen: " in line:
                base, code = line.split("big screen: ")[1].strip().split("/#")
            if "organiser#" in line:
                token = line.strip().split("organiser#")[1]
            if "Ctrl+C" in line:
                break
        try:
            asyncio.run(load(base, code, token, arguments, server.pid))
        finally:
            server.terminate()
    report(folder / "contest/events.jsonl", arguments.count)


if __name__ == "__main__":
    main()
