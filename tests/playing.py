"""What tests of the game share: one who plays it, in Chromium."""

from __future__ import annotations

from typing import Any

import browsing
import numpy as np

from quickdraw.datasets.doodles.draw import CATEGORIES, draw


def until(page: Any, script: str, seconds: float = 30.0) -> None:
    """Wait until a script says so."""
    for _ in range(round(seconds * 20)):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {script}")


def play(page: Any, count: int, seed: int = 0) -> None:
    """Play until the results are there: each word but the last is drawn, until its time is up."""
    page.click("#mode-game")
    page.click("#go")
    for number in range(count):
        page.evaluate("game.end = () => {}")  # not while the hand is drawing, who ever has it
        page.click("#go")
        if number < count - 1:
            browsing.draw(page, draw(CATEGORIES[number], np.random.default_rng(seed)))
        # However long that took: there are two seconds more.
        page.evaluate("delete game.end; game.round.until = game.passed + 2")
        until(page, "!game.round")
    until(page, "!document.getElementById('results').hidden")
