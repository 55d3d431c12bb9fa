"""Load the server of models from another process: people who draw, idle pages, one who never reads.

    python scripts/load_serving.py --train_dir=runs/cnn,runs/resnet --seconds=600

Everybody has sample doodles, asks again and again as a page does, and waits for the answer.
Prints a line every ten seconds (how late answers came, how much memory the server takes), then one
for the whole time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import websockets

from quickdraw.datasets.doodles.draw import CATEGORIES, draw

_LINE_SECONDS = 10
_QUESTIONS = [
    json.dumps({"strokes": draw(each, np.random.default_rng(0)), "raw": False})
    for each in CATEGORIES
]


@contextlib.contextmanager
def served(train_dir: str) -> Iterator[tuple[str, int]]:
    """Start the server; yield the address of its WebSocket and the process' number."""
    command = [sys.executable, "-u", "-m", "quickdraw.serve", "--port=0"]
    with subprocess.Popen(
        [*command, f"--train_dir={train_dir}"], stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        for line in server.stderr:
            if "http://" in line:
                break
        else:
            sys.exit("the server did not start")
        try:
            yield "ws://" + line.split("http://")[1].split()[0].rstrip("/") + "/ws", server.pid
        finally:
            server.terminate()


def megabytes(pid: int) -> int:
    """What a process has in memory."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) // 1024


async def person(url: str, number: int, a_second: float, end: float, took: list[float]) -> None:
    """Draw, ask, wait for the answer, and note how many milliseconds it took."""
    random = np.random.default_rng(number)
    async with websockets.connect(url) as socket:
        await asyncio.sleep(random.random() / a_second)
        while time.monotonic() < end:
            start = time.monotonic()
            await socket.send(_QUESTIONS[random.integers(len(_QUESTIONS))])
            answer = json.loads(await socket.recv())
            took.append((time.monotonic() - start) * 1e3)
            if "models" not in answer:
                sys.exit(f"no answer: {answer}")
            await asyncio.sleep(max(0, 1 / a_second - (time.monotonic() - start)))


async def never_reads(url: str, end: float) -> None:
    """Ask without an end, and take no answer from the network."""
    socket = await websockets.connect(url, max_queue=1)
    with contextlib.suppress(websockets.ConnectionClosed):
        while time.monotonic() < end:
            await socket.send(_QUESTIONS[0])
            await asyncio.sleep(0.02)
    socket.transport.abort()


async def load(url: str, pid: int, arguments: argparse.Namespace) -> None:
    """Let all of them come at once, and print how they are served."""
    idle = [await websockets.connect(url) for _ in range(arguments.idle)]
    took: list[float] = []
    begin = time.monotonic()
    end = begin + arguments.seconds
    everybody = [never_reads(url, end)]
    everybody += [person(url, n, arguments.a_second, end, took) for n in range(arguments.people)]
    crowd = asyncio.gather(*everybody)
    seen, most = 0, 0
    while not crowd.done():
        await asyncio.wait([crowd], timeout=_LINE_SECONDS)
        most = max(most, megabytes(pid))
        if took[seen:]:
            print(f"{time.monotonic() - begin:4.0f} s  {told(took[seen:])}, {megabytes(pid)} MB")
        seen = len(took)
    await crowd
    rate = len(took) / arguments.seconds
    print(f"in all: {rate:.1f} answers a second, {told(took)}, {most} MB at most")
    await asyncio.gather(*(socket.close() for socket in idle))


def told(took: list[float]) -> str:
    """How late answers came."""
    median, late = np.percentile(took, [50, 95])
    return f"half within {median:.0f} ms, 95 % within {late:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train_dir", required=True)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--a_second", type=float, default=4)
    parser.add_argument("--idle", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with served(arguments.train_dir) as (url, pid):
        asyncio.run(load(url, pid, arguments))


if __name__ == "__main__":
    main()
