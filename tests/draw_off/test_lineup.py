"""The models of a contest: those that fail or hang disturb nobody, and are out in the end."""

from __future__ import annotations

import asyncio

import numpy as np
import onnx_files
import pytest
from contesting import CAT
from hypothesis import given
from hypothesis import strategies as st
from onnx_files import LABELS, onnx_file

from quickdraw.draw_off import entrants
from quickdraw.draw_off.contest import Contest, EnteredModel
from quickdraw.draw_off.entrants import among
from quickdraw.draw_off.lineup import Lineup
from quickdraw.draw_off.rules import RoundTally
from quickdraw.sandbox.cage import CageLimits

MODELS = {
    "good": {"favourite": 0},
    "hanging": {"change": onnx_files.hanging},
    "nan": {"change": onnx_files.not_a_number},
    "broken": None,
    "gone": None,
}


@pytest.mark.slow
def test_one_bad_model_disturbs_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(entrants, "ANSWER_SECONDS", 0.5)
    for name, options in MODELS.items():
        if name != "gone":
            data = b"no model" if options is None else onnx_file(**options)
            (tmp_path / f"{name}.onnx").write_bytes(data)
    models = [EnteredModel(name, name, "file", LABELS, f"{name}.onnx") for name in MODELS]
    contest = Contest()
    contest.words, contest.drawing = LABELS, CAT
    contest.now = RoundTally(1, "cat", "p1", {})
    out: dict[str, str] = {}

    async def play() -> list:
        lineup = Lineup(str(tmp_path), CageLimits(start_seconds=20), out.__setitem__, lambda: None)
        lineup.load(models)
        good, answers = lineup.entrants["good"], []
        try:
            for at in range(0, 60_000, 250):
                contest.drawing = [*CAT]  # changed, for all that is known
                if good.ready:
                    lineup.ask(contest, at)
                await asyncio.sleep(0.1)
                answers += lineup.answers()
                if len(out) == len(MODELS) - 1 and len(answers) > 5:
                    break
            assert lineup.entrants["hanging"].pid is None
        finally:
            lineup.close()
        return answers

    answers = asyncio.run(play())
    assert {model for *_, given_answers in answers for model in given_answers} == {"good"}
    assert all(given_answers["good"]["top"][0][0] == "cat" for *_, given_answers in answers)
    assert set(out) == set(MODELS) - {"good"}
    assert "in time" in out["hanging"] and "NaN" in out["nan"]
    assert "No such file" in out["gone"]


rows = st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4)


@given(rows)
def test_an_answer_is_among_the_words_that_all_know(row):
    labels, words = ["zebra", "cat", "dog", "sun"], ["cat", "dog", "sun"]
    found = among(np.array(row, np.float32), labels, words, "dog")
    assert {word for word, _ in found["top"]} <= set(words)
    shares = [share for _, share in found["top"]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-4)  # three words: all are told
    assert dict(found["top"])["dog"] == found["p"]


def test_a_model_of_more_classes_is_asked_the_same():
    small = among(np.array([0.5, 0.5], np.float32), ["cat", "dog"], ["cat", "dog"], "cat")
    row = np.array([0.1, 0.1, 0.8], np.float32)
    assert among(row, ["cat", "dog", "zebra"], ["cat", "dog"], "cat") == small


@pytest.mark.slow
def test_a_drawing_that_does_not_change_is_asked_about_twice_and_once_more(tmp_path):
    (tmp_path / "good.onnx").write_bytes(onnx_file(favourite=0))
    contest = Contest()
    contest.words, contest.drawing = LABELS, CAT
    contest.now = RoundTally(1, "cat", "p1", {})

    async def play() -> list[int]:
        lineup = Lineup(str(tmp_path), CageLimits(), lambda *_: None, lambda: None)
        lineup.load([EnteredModel("good", "good", "file", LABELS, "good.onnx")])
        moments = []
        try:
            while not lineup.entrants["good"].ready:
                await asyncio.sleep(0.05)
            for at, once_more in ((0, False), (1, False), (2, False), (3, True)):
                lineup.ask(contest, at, once_more)
                await lineup.all_answered()
                moments += [at for _, at, _ in lineup.answers()]
        finally:
            lineup.close()
        return moments

    assert asyncio.run(play()) == [0, 1, 3]
